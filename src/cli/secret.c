/* `holm secret create`, `ls`, `inspect`, `rm` and `exists`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "storage/secret.h"

struct secret_options {
	bool env;
	bool replace;
	bool quiet;
	bool show;
	bool all;
	bool ignore;
	char *driver;
	char *format;
	struct strv filter;
	struct strv label;
};

#define OPTIONS struct secret_options
static const struct option create_table[] = {
	{ "label", 'l', OPTION_STRINGS(label), "KEY=VALUE", "attach a label" },
	{ "env", 0, OPTION_FLAG(env), NULL,
	  "the second argument names a variable of the environment" },
	{ "replace", 0, OPTION_FLAG(replace), NULL,
	  "put it in the place of one that is there; containers keep what they have" },
	{ "driver", 'd', OPTION_STRING(driver), "DRIVER", "file", "file" },
	{ 0 },
};

static const struct option list_table[] = {
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, id or label" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ 0 },
};

static const struct option inspect_table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ "showsecret", 0, OPTION_FLAG(show), NULL, "with what is secret, as SecretData" },
	{ 0 },
};

static const struct option remove_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all secrets" },
	{ "ignore", 'i', OPTION_FLAG(ignore), NULL, "one that does not exist is no error" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",        "ID",      "Name",    "NAME",    "Driver",  "DRIVER",
	"CreatedAt", "CREATED", "Created", "CREATED", "Updated", "UPDATED",
	"UpdatedAt", "UPDATED", "Labels",  "LABELS",  NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Created}}\t{{.Updated}}",
	.headers = headers,
	.id = "ID",
};

/* ---- create ---- */

static int read_variable(struct str *to, const char *name, struct err *e)
{
	const char *value = getenv(name);

	if (!value)
		return err_set(e, ERR_NOT_FOUND, "--env: the environment has no %s", name);
	str_add(to, value);
	return 0;
}

static int read_bytes(struct str *to, const char *path, struct err *e)
{
	own_fd int file = -1;
	bool stream = strcmp(path, "-") == 0;

	if (!stream) {
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return err_sys(e, "open %s", path);
	}
	int r = fd_read_all(stream ? STDIN_FILENO : file, STORAGE_SECRET_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", stream ? "the standard input" : path) : 0;
}

static int make_labels(struct shape_map *to, const struct strv *given, struct err *e)
{
	for (size_t i = 0; i < given->count; i++) {
		own_free char *key = mem_text(given->items[i]);
		char *equals = strchr(key, '=');
		if (equals)
			*equals++ = '\0';
		if (!*key)
			return err_set(e, ERR_INVALID, "--label %s: no name before '='",
				       given->items[i]);
		shape_map_set(to, key, equals ? equals : "");
	}
	return 0;
}

static void wipe(struct str *bytes)
{
	if (bytes->text)
		explicit_bzero(bytes->text, bytes->capacity);
	str_clear(bytes);
}

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct secret_options *o = options;
	own_clear(shape_map_clear) struct shape_map labels = { 0 };
	own_clear(wipe) struct str bytes = { 0 };
	own_free char *id = NULL;
	struct store *store;

	if (o->driver && !str_equal(o->driver, "file"))
		return err_set(e, ERR_INVALID, "--driver: there is no driver '%s', only file",
			       o->driver);
	int r = make_labels(&labels, &o->label, e);
	if (r == 0)
		r = o->env ? read_variable(&bytes, args->items[1], e)
			   : read_bytes(&bytes, args->items[1], e);
	if (r == 0)
		r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_create(&id, store, args->items[0], &labels, &bytes, o->replace,
					  e);
	if (r == 0)
		puts(id);
	return r;
}

/* ---- ls ---- */

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

static void add_ago(struct json_object *to, const char *key, const char *moment)
{
	char span[32];
	struct err ignored;
	int64_t ns;

	if (moment && moment_parse(&ns, moment, &ignored) == 0) {
		moment_format_span(span, moment_now_ns() - ns);
		own_free char *text = mem_format("%s ago", span);
		add(to, key, text);
	} else {
		add(to, key, "");
	}
}

static struct json_object *make_row(const struct storage_secret *secret, const char *labels)
{
	struct json_object *row = json_object_new_object();

	add(row, "ID", secret->id);
	add(row, "Name", secret->name);
	add(row, "Driver", "file");
	add_ago(row, "Created", secret->created);
	add_ago(row, "Updated", secret->updated);
	add(row, "CreatedAt", secret->created);
	add(row, "UpdatedAt", secret->updated);
	add(row, "Labels", labels);
	return row;
}

static bool begins(const struct strv *wanted, const char *text)
{
	for (size_t i = 0; wanted && i < wanted->count; i++)
		if (str_starts(text, wanted->items[i]))
			return true;
	return !wanted;
}

static bool has_part(const struct strv *wanted, const char *text)
{
	for (size_t i = 0; wanted && i < wanted->count; i++)
		if (strstr(text, wanted->items[i]))
			return true;
	return !wanted;
}

static struct json_object *make_rows(const struct storage_secrets *all,
				     const struct cli_filter *filter)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < all->items.count; i++) {
		const struct storage_secret *secret = &all->items.items[i];
		own_clear(strv_clear) struct strv labels = { 0 };
		for (size_t k = 0; k < secret->labels.count; k++)
			strv_addf(&labels, "%s=%s", secret->labels.items[k].key,
				  secret->labels.items[k].value);
		if (!has_part(cli_filter_values(filter, "name"), secret->name) ||
		    !begins(cli_filter_values(filter, "id"), secret->id) ||
		    !cli_filter_label(filter, "label", &labels))
			continue;
		own_free char *text = strv_join(&labels, ",");
		json_object_array_add(rows, make_row(secret, text));
	}
	return rows;
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "name", "id", "label", NULL };
	const struct secret_options *o = options;
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };
	struct store *store;

	(void)args;
	int r = cli_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0)
		r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_list(&all, store, e);
	if (r < 0)
		return r;
	own_json struct json_object *rows = make_rows(&all, &filter);
	return cli_format_rows(&list, rows, o->format, o->quiet, e);
}

/* ---- inspect ---- */

static struct json_object *describe(const struct storage_secret *secret)
{
	struct json_object *to = json_object_new_object(), *spec = json_object_new_object();
	struct json_object *driver = json_object_new_object(), *labels = json_object_new_object();

	add(driver, "Name", "file");
	json_object_object_add(driver, "Options", json_object_new_object());
	for (size_t i = 0; i < secret->labels.count; i++)
		add(labels, secret->labels.items[i].key, secret->labels.items[i].value);
	add(spec, "Name", secret->name);
	json_object_object_add(spec, "Driver", driver);
	json_object_object_add(spec, "Labels", labels);
	add(to, "ID", secret->id);
	add(to, "CreatedAt", secret->created);
	add(to, "UpdatedAt", secret->updated);
	json_object_object_add(to, "Spec", spec);
	return to;
}

/* JSON is UTF-8: bytes that are not are shown as printing to a terminal would. */
static int add_bytes(struct json_object *to, const struct store *store,
		     const struct storage_secret *secret, struct err *e)
{
	own_clear(wipe) struct str bytes = { 0 };
	int r = storage_secret_read(&bytes, store, secret, e);

	if (r < 0)
		return r;
	if (!utf8_valid(bytes.text, bytes.length)) {
		err_set(e, ERR_UNSUPPORTED, "the secret %s is no text", secret->name);
		return err_hint(e, "read it in a container: holm run --secret %s", secret->name);
	}
	json_object_object_add(to, "SecretData",
			       json_object_new_string_len(bytes.text, (int)bytes.length));
	return 0;
}

static int inspect_one(struct json_object *all, struct cli *cli, const char *name, bool show,
		       struct err *e)
{
	own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
	struct store *store;

	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_find(&secret, store, name, e);
	if (r < 0)
		return r;
	own_json struct json_object *one = describe(&secret);
	r = show ? add_bytes(one, store, &secret, e) : 0;
	if (r == 0)
		json_object_array_add(all, json_object_get(one));
	return r;
}

/* What was found is printed in any case. */
static int run_inspect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct secret_options *o = options;
	own_json struct json_object *all = json_object_new_array();
	int status = 0;

	for (size_t i = 0; i < args->count; i++) {
		if (inspect_one(all, cli, args->items[i], o->show, e) == 0)
			continue;
		cli_command_error(cli, args->items[i], e);
		status = status ? status : cli_command_status(cli, e);
	}
	int r = cli_format_objects(all, o->format, e);
	return r < 0 ? r : status;
}

/* ---- rm, exists ---- */

static int remove_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct secret_options *o = options;
	struct store *store;

	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_remove(store, name, e);
	return r < 0 && o->ignore && e->kind == ERR_NOT_FOUND ? 0 : r;
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct secret_options *o = options;
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };
	own_clear(strv_clear) struct strv names = { 0 };
	struct store *store;

	if (o->all && args->count)
		return err_set(e, ERR_INVALID, "--all and names exclude each other");
	if (!o->all && !args->count)
		return err_set(e, ERR_INVALID, "it needs a SECRET, or --all");
	if (!o->all)
		return cli_command_each(cli, args, remove_one, options);
	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_list(&all, store, e);
	for (size_t i = 0; i < all.items.count; i++)
		strv_add(&names, all.items.items[i].name);
	return r < 0 ? r : cli_command_each(cli, &names, remove_one, options);
}

static int run_exists(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
	struct store *store;

	(void)options;
	int r = cli_command_store(cli, &store, e);
	if (r == 0)
		r = storage_secret_find(&secret, store, args->items[0], e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 1 : r;
}

const struct cli_command cli_secret_create = {
	.names = "secret create",
	.section = "Secrets",
	.arguments = "[OPTIONS] NAME FILE|-",
	.summary = "Store a secret, read from a file or the standard input",
	.options = create_table,
	.size = sizeof(struct secret_options),
	.args_min = 2,
	.args_max = 2,
	.values = "file:",
	.run = run_create,
};

const struct cli_command cli_secret_list = {
	.names = "secret ls|secret list",
	.section = "Secrets",
	.arguments = "[OPTIONS]",
	.summary = "List secrets",
	.options = list_table,
	.size = sizeof(struct secret_options),
	.run = run_list,
};

const struct cli_command cli_secret_inspect = {
	.names = "secret inspect",
	.section = "Secrets",
	.arguments = "[OPTIONS] SECRET [SECRET...]",
	.summary = "Show all about secrets but what is secret",
	.options = inspect_table,
	.size = sizeof(struct secret_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "secret:",
	.run = run_inspect,
};

const struct cli_command cli_secret_remove = {
	.names = "secret rm|secret remove",
	.section = "Secrets",
	.arguments = "[OPTIONS] SECRET [SECRET...]",
	.summary = "Remove secrets; containers keep what they were given",
	.options = remove_table,
	.size = sizeof(struct secret_options),
	.args_max = CLI_ARGS_ANY,
	.values = "secret:",
	.run = run_remove,
};

const struct cli_command cli_secret_exists = {
	.names = "secret exists",
	.section = "Secrets",
	.arguments = "SECRET",
	.summary = "Is there a secret of this name? The exit status tells",
	.args_min = 1,
	.args_max = 1,
	.values = "secret:",
	.run = run_exists,
};
