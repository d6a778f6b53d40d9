#include "oci/instruction.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "oci/image.h"

/* So many ports of an image are well below what its config may have (SHAPE_ITEMS_MAX). */
enum { PORT_MAX = 65535, PORTS_MAX = 65536 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

static bool is_name_byte(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* ---- words, with quotes and variables ---- */

static size_t name_length(const char *at)
{
	size_t length = 0;

	while (is_name_byte(at[length]))
		length++;
	return length;
}

/* "NAME}", "NAME:-word}" or "NAME:+word}" at *at, behind the "${". */
static int add_braced(struct str *to, const char **at, const struct strv *env, struct err *e)
{
	size_t length = name_length(*at);
	const char *rest = *at + length, *end = strchr(rest, '}');
	own_free char *name = mem_text_n(*at, length);
	const char *value = strv_value(env, name);
	bool set = !str_empty(value);

	if (!length || !end)
		return err_set(e, ERR_INVALID, "'${%.60s': not ${NAME}", *at);
	*at = end + 1;
	if (rest == end)
		str_add(to, value ? value : "");
	else if (str_starts(rest, ":-"))
		str_add_n(to, set ? value : rest + 2,
			  set ? strlen(value) : (size_t)(end - rest) - 2);
	else if (str_starts(rest, ":+"))
		str_add_n(to, rest + 2, set ? (size_t)(end - rest) - 2 : 0);
	else
		return err_set(e, ERR_INVALID, "'${%s%.20s': only :- and :+ are known", name, rest);
	return 0;
}

/* The variable at *at, which is its '$'. */
static int add_variable(struct str *to, const char **at, const struct strv *env, struct err *e)
{
	const char *name = ++*at;

	if (*name == '{') {
		++*at;
		return add_braced(to, at, env, e);
	}
	size_t length = name_length(name);
	own_free char *key = mem_text_n(name, length);
	const char *value = length ? strv_value(env, key) : "$";
	*at += length;
	str_add(to, value ? value : "");
	return 0;
}

/* One of the bytes in quotes, or a variable. */
static int add_quoted(struct str *to, const char **at, char quote, const struct strv *env,
		      struct err *e)
{
	if (quote == '"' && **at == '$')
		return add_variable(to, at, env, e);
	if (quote == '"' && **at == '\\' && (*at)[1] && strchr("\"\\$", (*at)[1]))
		++*at;
	str_add_char(to, *(*at)++);
	return 0;
}

static int add_quotes(struct str *to, const char **at, const struct strv *env, struct err *e)
{
	char quote = *(*at)++;

	while (**at && **at != quote) {
		int r = add_quoted(to, at, quote, env, e);
		if (r < 0)
			return r;
	}
	if (!**at)
		return err_set(e, ERR_INVALID, "no closing %c", quote);
	++*at;
	return 0;
}

/* Up to the next blank, or with whole up to the end. */
static int read_word(char **ret, const char **at, bool whole, const struct strv *env, struct err *e)
{
	own_clear(str_clear) struct str word = { 0 };
	int r = 0;

	while (r == 0 && **at && (whole || !is_blank(**at))) {
		if (**at == '"' || **at == '\'') {
			r = add_quotes(&word, at, env, e);
		} else if (**at == '$') {
			r = add_variable(&word, at, env, e);
		} else {
			if (**at == '\\' && (*at)[1])
				++*at;
			str_add_char(&word, *(*at)++);
		}
	}
	if (r == 0)
		*ret = str_take(&word);
	return r;
}

static int read_words(struct strv *to, const char *at, const struct strv *env, struct err *e)
{
	for (at = skip_blanks(at); *at; at = skip_blanks(at)) {
		char *word;
		int r = read_word(&word, &at, false, env, e);
		if (r < 0)
			return r;
		strv_add_take(to, word);
	}
	return 0;
}

static int read_rest(char **to, const char *rest, const struct strv *env, struct err *e)
{
	char *text;
	int r = read_word(&text, &rest, true, env, e);

	if (r < 0)
		return r;
	free(*to);
	*to = text;
	return 0;
}

/* ---- the instructions ---- */

static int take_command(struct strv *to, const char *rest, const struct oci_image_process *p)
{
	static const char *const shell[] = { "/bin/sh", "-c" };

	strv_clear(to);
	if (json_scan_strings(to, rest))
		return 0;
	if (p->shell.count)
		strv_add_all(to, &p->shell);
	for (size_t i = 0; !p->shell.count && i < COUNT_OF(shell); i++)
		strv_add(to, shell[i]);
	strv_add(to, rest);
	return 0;
}

static int apply_cmd(struct oci_image_process *p, const char *rest, struct err *e)
{
	(void)e;
	return take_command(&p->cmd, rest, p);
}

static int apply_entrypoint(struct oci_image_process *p, const char *rest, struct err *e)
{
	(void)e;
	return take_command(&p->entrypoint, rest, p);
}

/* KEY=VALUE words, or the old form of one: KEY and its value, which may have blanks. */
static int read_pairs(struct strv *to, const char *rest, const struct strv *env, struct err *e)
{
	size_t first = strcspn(rest, " \t");

	if (memchr(rest, '=', first))
		return read_words(to, rest, env, e);
	own_free char *value = NULL;
	if (!*skip_blanks(rest + first))
		return err_set(e, ERR_INVALID, "'%.60s' has no value", rest);
	int r = read_rest(&value, skip_blanks(rest + first), env, e);
	if (r == 0)
		strv_addf(to, "%.*s=%s", (int)first, rest, value);
	return r;
}

static int check_pair(const char *pair, struct err *e)
{
	const char *equals = strchr(pair, '=');

	if (!equals || equals == pair)
		return err_set(e, ERR_INVALID, "'%.60s' is not KEY=VALUE", pair);
	return 0;
}

static int apply_env(struct oci_image_process *p, const char *rest, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	int r = read_pairs(&pairs, rest, &p->env, e);

	for (size_t i = 0; r == 0 && i < pairs.count; i++) {
		r = check_pair(pairs.items[i], e);
		if (r == 0)
			strv_set(&p->env, pairs.items[i]);
	}
	return r;
}

static int apply_label(struct oci_image_process *p, const char *rest, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };
	int r = read_pairs(&pairs, rest, &p->env, e);

	for (size_t i = 0; r == 0 && i < pairs.count; i++) {
		char *pair = pairs.items[i];
		r = check_pair(pair, e);
		if (r < 0)
			return r;
		char *value = strchr(pair, '=');
		*value = '\0';
		shape_map_set(&p->labels, pair, value + 1);
	}
	return r;
}

static void add_once(struct strv *to, const char *text)
{
	if (!strv_contains(to, text))
		strv_add(to, text);
}

/* "80", "80/udp", "8000-8010/tcp" */
static int add_ports(struct strv *to, const char *text, struct err *e)
{
	const char *slash = strchr(text, '/'), *protocol = slash ? slash + 1 : "tcp";
	own_free char *first = slash ? mem_text_n(text, (size_t)(slash - text)) : mem_text(text);
	char *dash = strchr(first, '-');
	int64_t low, high;

	if (dash)
		*dash = '\0';
	if (number_parse_i64(&low, first, 1, PORT_MAX, e) < 0 ||
	    number_parse_i64(&high, dash ? dash + 1 : first, low, PORT_MAX, e) < 0)
		return -e->number;
	if (!str_equal(protocol, "tcp") && !str_equal(protocol, "udp") &&
	    !str_equal(protocol, "sctp"))
		return err_set(e, ERR_INVALID, "'%.20s' is none of tcp, udp, sctp", protocol);
	if (to->count + (size_t)(high - low) >= PORTS_MAX)
		return err_set(e, ERR_INVALID, "more than %d ports are too many", PORTS_MAX);
	/* within a range none is there twice */
	for (size_t before = to->count; low <= high; low++) {
		own_free char *port = mem_format("%d/%s", (int)low, protocol);
		if (!strv_contains(&(struct strv){ to->items, before }, port))
			strv_add(to, port);
	}
	return 0;
}

static int apply_expose(struct oci_image_process *p, const char *rest, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };
	int r = read_words(&words, rest, &p->env, e);

	for (size_t i = 0; r == 0 && i < words.count; i++)
		r = add_ports(&p->exposed_ports, words.items[i], e);
	return r;
}

static int apply_user(struct oci_image_process *p, const char *rest, struct err *e)
{
	return read_rest(&p->user, rest, &p->env, e);
}

static int apply_workdir(struct oci_image_process *p, const char *rest, struct err *e)
{
	own_free char *folder = NULL;
	int r = read_rest(&folder, rest, &p->env, e);

	if (r < 0)
		return r;
	own_free char *whole = folder[0] == '/'
				       ? mem_text(folder)
				       : path_join(p->working_dir ? p->working_dir : "/", folder);
	free(p->working_dir);
	p->working_dir = path_clean(whole);
	return 0;
}

static int apply_stopsignal(struct oci_image_process *p, const char *rest, struct err *e)
{
	int number;
	int r = read_rest(&p->stop_signal, rest, &p->env, e);

	return r < 0 ? r : signal_name_parse(&number, p->stop_signal, e);
}

static int apply_volume(struct oci_image_process *p, const char *rest, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };

	if (!json_scan_strings(&words, rest) && read_words(&words, rest, &p->env, e) < 0)
		return -e->number;
	for (size_t i = 0; i < words.count; i++) {
		if (!*words.items[i])
			return err_set(e, ERR_INVALID, "the path of a volume is empty");
		add_once(&p->volumes, words.items[i]);
	}
	return 0;
}

static int apply_onbuild(struct oci_image_process *p, const char *rest, struct err *e)
{
	static const char *const refused[] = { "ONBUILD", "FROM", "MAINTAINER" };
	size_t length = strcspn(rest, " \t");

	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (strlen(refused[i]) == length && !strncasecmp(rest, refused[i], length))
			return err_set(e, ERR_INVALID, "%s is not allowed there", refused[i]);
	strv_add(&p->on_build, rest);
	return 0;
}

static const struct {
	const char *name;
	size_t offset;
} health_times[] = {
	{ "--interval=", offsetof(struct oci_healthcheck, interval) },
	{ "--timeout=", offsetof(struct oci_healthcheck, timeout) },
	{ "--start-period=", offsetof(struct oci_healthcheck, start_period) },
	{ "--start-interval=", offsetof(struct oci_healthcheck, start_interval) },
};

static int take_health_option(struct oci_healthcheck *to, const char *option, struct err *e)
{
	static const char retries[] = "--retries=";

	for (size_t i = 0; i < COUNT_OF(health_times); i++)
		if (str_starts(option, health_times[i].name))
			return number_parse_duration_ns(
				(int64_t *)((char *)to + health_times[i].offset),
				option + strlen(health_times[i].name), e);
	if (str_starts(option, retries))
		return number_parse_i64(&to->retries, option + strlen(retries), 0, INT32_MAX, e);
	return err_set(e, ERR_INVALID, "unknown option %.60s", option);
}

/* Behind the options: NONE, or CMD and a command. */
static int take_test(struct strv *to, const char *rest, struct err *e)
{
	size_t length = strcspn(rest, " \t");
	const char *command = skip_blanks(rest + length);
	own_clear(strv_clear) struct strv words = { 0 };

	if (length == 4 && !strncasecmp(rest, "NONE", length) && !*command) {
		strv_add(to, "NONE");
		return 0;
	}
	if (length != 3 || strncasecmp(rest, "CMD", length) != 0 || !*command)
		return err_set(e, ERR_INVALID, "neither NONE nor CMD and a command");
	bool array = json_scan_strings(&words, command);
	strv_add(to, array ? "CMD" : "CMD-SHELL");
	if (array)
		strv_add_all(to, &words);
	else
		strv_add(to, command);
	return 0;
}

static int apply_healthcheck(struct oci_image_process *p, const char *rest, struct err *e)
{
	static const struct strv no_env;
	struct oci_healthcheck *check = mem_new_struct(struct oci_healthcheck);
	int r = 0;

	if (p->healthcheck)
		strv_clear(&p->healthcheck->test);
	free(p->healthcheck);
	p->healthcheck = check;
	while (r == 0 && str_starts(rest, "--")) {
		own_free char *option = NULL;
		r = read_word(&option, &rest, false, &no_env, e);
		if (r == 0)
			r = take_health_option(check, option, e);
		rest = skip_blanks(rest);
	}
	return r < 0 ? r : take_test(&check->test, rest, e);
}

static const struct {
	const char *name;
	int (*apply)(struct oci_image_process *p, const char *rest, struct err *e);
} instructions[] = {
	{ "CMD", apply_cmd },
	{ "ENTRYPOINT", apply_entrypoint },
	{ "ENV", apply_env },
	{ "EXPOSE", apply_expose },
	{ "HEALTHCHECK", apply_healthcheck },
	{ "LABEL", apply_label },
	{ "ONBUILD", apply_onbuild },
	{ "STOPSIGNAL", apply_stopsignal },
	{ "USER", apply_user },
	{ "VOLUME", apply_volume },
	{ "WORKDIR", apply_workdir },
};

static int apply_line(struct oci_image_process *p, char *line, struct err *e)
{
	char *name = line + strspn(line, " \t\r");
	size_t length = strcspn(name, " \t\r");
	const char *rest = skip_blanks(name + length);

	if (!*name || *name == '#')
		return 0;
	name[length] = '\0';
	for (size_t end = strlen(rest); end && is_blank(rest[end - 1]); end--)
		line[rest - line + (ptrdiff_t)end - 1] = '\0';
	for (size_t i = 0; i < COUNT_OF(instructions); i++) {
		if (strcasecmp(name, instructions[i].name) != 0)
			continue;
		if (!*rest)
			return err_set(e, ERR_INVALID, "%s: it says nothing", instructions[i].name);
		return instructions[i].apply(p, rest, e) < 0
			       ? err_add(e, "%s", instructions[i].name)
			       : 0;
	}
	return err_set(e, ERR_INVALID,
		       "%.40s: none of CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, "
		       "STOPSIGNAL, USER, VOLUME, WORKDIR",
		       name);
}

/* Takes the joins out, in place. */
static void join_lines(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] == '\n')
			from += 2;
		else if (from[0] == '\\' && from[1] == '\r' && from[2] == '\n')
			from += 3;
		else
			*to++ = *from++;
	}
	*to = '\0';
}

int oci_instruction_apply(struct oci_image_process *to, const char *text, struct err *e)
{
	own_free char *copy = mem_text(text);
	char *rest = copy, *line;
	int r = 0;

	join_lines(copy);
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = apply_line(to, line, e);
	return r;
}
