/* In the order of BuildKit's parser: the directives on top; then logical lines, of which the
 * physical ones are joined first, comments and empty ones between them left out; then the name, the
 * flags, and by the name the rest. */
#include "build/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/own.h"
#include "base/str.h"
#include "build/heredoc.h"
#include "build/word.h"

enum form {
	FORM_TEXT, /* the rest as it is */
	FORM_JSON, /* an array of strings, or else text */
	FORM_LIST, /* an array, or else words */
};

static const struct {
	const char *name;
	enum form form;
	bool heredocs;
	const char *flags; /* " a b ": those it has */
} kinds[BUILD_KINDS] = {
	[BUILD_ADD] = { "ADD", FORM_LIST, true,
			" chown chmod link keep-git-dir checksum exclude unpack " },
	[BUILD_ARG] = { "ARG", FORM_TEXT, false, "" },
	[BUILD_CMD] = { "CMD", FORM_JSON, false, "" },
	[BUILD_COPY] = { "COPY", FORM_LIST, true, " from chown chmod link parents exclude " },
	[BUILD_ENTRYPOINT] = { "ENTRYPOINT", FORM_JSON, false, "" },
	[BUILD_ENV] = { "ENV", FORM_TEXT, false, "" },
	[BUILD_EXPOSE] = { "EXPOSE", FORM_TEXT, false, "" },
	[BUILD_FROM] = { "FROM", FORM_TEXT, false, " platform " },
	[BUILD_HEALTHCHECK] = { "HEALTHCHECK", FORM_TEXT, false,
				" interval timeout start-period start-interval retries " },
	[BUILD_LABEL] = { "LABEL", FORM_TEXT, false, "" },
	[BUILD_MAINTAINER] = { "MAINTAINER", FORM_TEXT, false, "" },
	[BUILD_ONBUILD] = { "ONBUILD", FORM_TEXT, true, "" },
	[BUILD_RUN] = { "RUN", FORM_JSON, true, " mount network security " },
	[BUILD_SHELL] = { "SHELL", FORM_JSON, false, "" },
	[BUILD_STOPSIGNAL] = { "STOPSIGNAL", FORM_TEXT, false, "" },
	[BUILD_USER] = { "USER", FORM_TEXT, false, "" },
	[BUILD_VOLUME] = { "VOLUME", FORM_JSON, false, "" },
	[BUILD_WORKDIR] = { "WORKDIR", FORM_TEXT, false, "" },
};

const char *build_file_name(enum build_kind kind)
{
	return kinds[kind].name;
}

static void clear_instruction(struct build_instruction *instruction)
{
	for (size_t i = 0; i < instruction->heredocs.count; i++) {
		free(instruction->heredocs.items[i].name);
		free(instruction->heredocs.items[i].text);
	}
	free(instruction->heredocs.items);
	free(instruction->text);
	free(instruction->rest);
	strv_clear(&instruction->flags);
	strv_clear(&instruction->words);
	*instruction = (struct build_instruction){ 0 };
}

void build_file_clear(struct build_file *file)
{
	for (size_t i = 0; i < file->items.count; i++)
		clear_instruction(&file->items.items[i]);
	free(file->items.items);
	free(file->syntax);
	*file = (struct build_file){ 0 };
}

const char *build_file_flag(const struct build_instruction *instruction, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = instruction->flags.count; i-- > 0;) {
		const char *flag = instruction->flags.items[i];
		if (strncmp(flag, name, length) == 0 && (!flag[length] || flag[length] == '='))
			return flag + length + (flag[length] == '=');
	}
	return NULL;
}

/* ---- physical lines ---- */

struct reader {
	const char *at, *end;
	int line; /* the number of the one that was read last */
	char escape;
};

struct line {
	const char *text;
	size_t length; /* without the newline, and a carriage return before it */
};

static bool next_line(struct reader *reader, struct line *ret)
{
	if (reader->at == reader->end)
		return false;
	size_t left = (size_t)(reader->end - reader->at);
	const char *newline = memchr(reader->at, '\n', left);

	ret->text = reader->at;
	ret->length = newline ? (size_t)(newline - reader->at) : left;
	reader->at = newline ? newline + 1 : reader->end;
	if (ret->length && ret->text[ret->length - 1] == '\r')
		ret->length--;
	reader->line++;
	return true;
}

static struct line trim_left(struct line line)
{
	while (line.length && build_word_is_blank(*line.text)) {
		line.text++;
		line.length--;
	}
	return line;
}

static struct line trim(struct line line)
{
	line = trim_left(line);
	while (line.length && build_word_is_blank(line.text[line.length - 1]))
		line.length--;
	return line;
}

static bool is_comment(struct line line)
{
	line = trim_left(line);
	return line.length && *line.text == '#';
}

/* Does the line go on in the next one? Then without the escape: one, not two of them, with
 * nothing but blanks behind it. */
static bool take_continuation(struct line *line, char escape)
{
	size_t length = line->length;

	while (length && (line->text[length - 1] == ' ' || line->text[length - 1] == '\t'))
		length--;
	if (!length || line->text[length - 1] != escape)
		return false;
	if (length > 1 && line->text[length - 2] == escape)
		return false;
	line->length = length - 1;
	return true;
}

/* ---- directives ---- */

/* "# key = value" -> both, trimmed. */
static bool split_directive(struct line line, struct line *key, struct line *value)
{
	line = trim_left(line);
	if (!line.length || *line.text != '#')
		return false;
	struct line body = { line.text + 1, line.length - 1 };
	const char *equals = memchr(body.text, '=', body.length);
	if (!equals)
		return false;
	*key = trim((struct line){ body.text, (size_t)(equals - body.text) });
	*value = trim((struct line){ equals + 1, body.length - (size_t)(equals - body.text) - 1 });
	for (size_t i = 0; i < key->length; i++) {
		char c = key->text[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (i && c >= '0' && c <= '9')))
			return false;
	}
	return key->length > 0;
}

static bool is_word(struct line line, const char *word)
{
	return line.length == strlen(word) && strncasecmp(line.text, word, line.length) == 0;
}

static int take_escape(struct build_file *file, struct line value, struct err *e)
{
	if (value.length != 1 || (*value.text != '\\' && *value.text != '`'))
		return err_set(e, ERR_INVALID, "escape '%.*s': only \\ or ` can be it",
			       (int)(value.length < 40 ? value.length : 40), value.text);
	file->escape = *value.text;
	return 0;
}

enum directive { DIRECTIVE_ESCAPE, DIRECTIVE_SYNTAX, DIRECTIVE_CHECK, DIRECTIVES };

/* Which one the line is; DIRECTIVES: none. */
static enum directive find_directive(struct line line, struct line *value)
{
	static const char *const names[DIRECTIVES] = { "escape", "syntax", "check" };
	struct line key;

	if (!split_directive(line, &key, value))
		return DIRECTIVES;
	for (int i = 0; i < DIRECTIVES; i++)
		if (is_word(key, names[i]))
			return (enum directive)i;
	return DIRECTIVES;
}

static int take_directive(struct build_file *file, enum directive which, struct line value,
			  struct err *e)
{
	if (which == DIRECTIVE_SYNTAX)
		file->syntax = mem_text_n(value.text, value.length);
	return which == DIRECTIVE_ESCAPE ? take_escape(file, value, e) : 0;
}

/* Comments of the form key=value on top, up to the first line that is something else. */
static int read_directives(struct build_file *file, struct reader *reader, struct err *e)
{
	bool seen[DIRECTIVES] = { false };
	struct line line, value;
	int r = 0;

	while (r == 0) {
		struct reader before = *reader;
		if (!next_line(reader, &line))
			return 0;
		enum directive which = find_directive(line, &value);
		if (which == DIRECTIVES) {
			*reader = before;
			return 0;
		}
		r = seen[which] ? err_set(e, ERR_INVALID, "the directive is there twice")
				: take_directive(file, which, value, e);
		seen[which] = true;
	}
	return err_add(e, "line %d", reader->line);
}

/* ---- one instruction ---- */

static int unknown_kind(const char *name, size_t length, struct err *e)
{
	own_free char *word = mem_text_n(name, length < 60 ? length : 60);
	const char *best = NULL;

	err_set(e, ERR_INVALID, "%s: no such instruction", word);
	for (char *c = word; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	for (int i = 0; i < BUILD_KINDS; i++)
		nearest_offer(&best, word, kinds[i].name);
	return best ? err_hint(e, "did you mean %s?", best) : -e->number;
}

static int find_kind(enum build_kind *ret, const char *name, size_t length, struct err *e)
{
	for (int i = 0; i < BUILD_KINDS; i++)
		if (strlen(kinds[i].name) == length && !strncasecmp(kinds[i].name, name, length)) {
			*ret = (enum build_kind)i;
			return 0;
		}
	return unknown_kind(name, length, e);
}

static int check_flag(const struct build_instruction *to, const char *flag, struct err *e)
{
	size_t length = strcspn(flag, "=");
	own_free char *key = mem_format(" %.*s ", (int)length, flag);

	if (!length || !strstr(kinds[to->kind].flags, key))
		return err_set(e, ERR_INVALID, "%s: no such flag --%.60s", kinds[to->kind].name,
			       flag);
	return 0;
}

/* A flag keeps its variables: the dollar is taken for itself here. */
static char *unquote(const char *text, size_t length, char escape)
{
	struct str word = { 0 };
	char quote = 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (quote ? c == quote : (c == '"' || c == '\'')) {
			quote = quote ? 0 : c;
			continue;
		}
		if (c == escape && i + 1 < length && quote != '\'')
			c = text[++i];
		str_add_char(&word, c);
	}
	return str_take(&word);
}

/* Leaves *at behind them. */
static int take_flags(struct build_instruction *to, const char **at, char escape, struct err *e)
{
	while (str_starts(*at, "--")) {
		size_t length = build_word_length(*at, escape);
		own_free char *flag = unquote(*at + 2, length - 2, escape);
		*at += length;
		while (build_word_is_blank(**at))
			++*at;
		if (!*flag)
			return 0;
		int r = check_flag(to, flag, e);
		if (r < 0)
			return r;
		strv_add_take(&to->flags, take_ptr(&flag));
	}
	return 0;
}

static void split_words(struct strv *to, const char *text, char escape)
{
	for (;;) {
		while (build_word_is_blank(*text))
			text++;
		if (!*text)
			return;
		size_t length = build_word_length(text, escape);
		strv_add_take(to, mem_text_n(text, length));
		text += length;
	}
}

static int take_rest(struct build_instruction *to, char escape, struct err *e)
{
	enum form form = kinds[to->kind].form;

	if (form != FORM_TEXT)
		to->json = json_scan_strings(&to->words, to->rest);
	if (form == FORM_LIST && !to->json)
		split_words(&to->words, to->rest, escape);
	if (!*to->rest && to->kind != BUILD_CMD && to->kind != BUILD_ENTRYPOINT)
		return err_set(e, ERR_INVALID, "%s: it says nothing", kinds[to->kind].name);
	if (to->kind == BUILD_SHELL && (!to->json || !to->words.count))
		return err_set(e, ERR_INVALID, "SHELL: not an array such as [\"/bin/sh\", \"-c\"]");
	return 0;
}

/* text: of one logical line. */
static int parse_text(struct build_instruction *to, const char *text, char escape, struct err *e)
{
	size_t length = 0;

	while (text[length] && !build_word_is_blank(text[length]))
		length++;
	int r = find_kind(&to->kind, text, length, e);
	if (r < 0)
		return r;
	const char *at = text + length;
	while (build_word_is_blank(*at))
		at++;
	to->text = mem_text(text);
	r = take_flags(to, &at, escape, e);
	if (r < 0)
		return r;
	const char *end = at + strlen(at);
	while (end > at && build_word_is_blank(end[-1]))
		end--;
	to->rest = mem_text_n(at, (size_t)(end - at));
	return take_rest(to, escape, e);
}

/* ---- here-documents ---- */

static int find_heredocs(struct build_instruction *to, char escape, struct err *e)
{
	bool list = kinds[to->kind].form == FORM_LIST;
	const char *at = to->rest;

	while (*at && !to->json) {
		size_t length =
			list ? build_word_length(at, escape) : build_heredoc_length(at, escape);
		struct build_heredoc heredoc;
		if (length && build_heredoc_begins(&heredoc, at, length, escape))
			*shape_list_add(&to->heredocs) = heredoc;
		at += length;
		while (build_word_is_blank(*at))
			at++;
	}
	if (to->heredocs.count > BUILD_FILE_HEREDOCS_MAX)
		return err_set(e, ERR_INVALID, "more than %d here-documents",
			       BUILD_FILE_HEREDOCS_MAX);
	return 0;
}

static int read_heredoc(struct build_heredoc *heredoc, struct reader *reader, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	size_t name_length = strlen(heredoc->name);
	struct line line;

	while (next_line(reader, &line)) {
		while (heredoc->unindent && line.length && *line.text == '\t') {
			line.text++;
			line.length--;
		}
		if (line.length == name_length && !memcmp(line.text, heredoc->name, name_length)) {
			heredoc->text = str_take(&text);
			return 0;
		}
		str_add_n(&text, line.text, line.length);
		str_add_char(&text, '\n');
		if (text.length > BUILD_FILE_LINE_MAX)
			return err_set(e, ERR_INVALID, "a here-document of more than %d bytes",
				       BUILD_FILE_LINE_MAX);
	}
	return err_set(e, ERR_INVALID, "no line '%.60s' ends the here-document", heredoc->name);
}

static int read_heredocs(struct build_instruction *to, struct reader *reader, struct err *e)
{
	int r = kinds[to->kind].heredocs ? find_heredocs(to, reader->escape, e) : 0;

	for (size_t i = 0; r == 0 && i < to->heredocs.count; i++)
		r = read_heredoc(&to->heredocs.items[i], reader, e);
	return r;
}

/* ---- all of them ---- */

/* Joins what goes on in the lines behind it. Comments and empty lines among them are not there. */
static int join_lines(struct str *to, struct line line, struct reader *reader, struct err *e)
{
	bool more = take_continuation(&line, reader->escape);

	str_add_n(to, line.text, line.length);
	while (more && next_line(reader, &line)) {
		if (is_comment(line) || !trim(line).length)
			continue;
		more = take_continuation(&line, reader->escape);
		str_add_n(to, line.text, line.length);
		if (to->length > BUILD_FILE_LINE_MAX)
			return err_set(e, ERR_INVALID, "an instruction of more than %d bytes",
				       BUILD_FILE_LINE_MAX);
	}
	return 0;
}

static int parse_next(struct build_file *file, struct line line, struct reader *reader,
		      struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = join_lines(&text, trim_left(line), reader, e);
	if (r < 0)
		return r;
	while (text.length && build_word_is_blank(text.text[text.length - 1]))
		text.text[--text.length] = '\0';
	if (!text.length)
		return 0;
	if (file->items.count == BUILD_FILE_INSTRUCTIONS_MAX)
		return err_set(e, ERR_INVALID, "more than %d instructions",
			       BUILD_FILE_INSTRUCTIONS_MAX);
	struct build_instruction *to = shape_list_add(&file->items);
	r = parse_text(to, text.text, file->escape, e);
	if (r == 0)
		r = read_heredocs(to, reader, e);
	to->last_line = reader->line;
	return r;
}

int build_file_parse(struct build_file *ret, const char *name, const char *text, size_t length,
		     struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";
	bool marked = length >= 3 && !memcmp(text, mark, 3);
	struct reader reader = { marked ? text + 3 : text, text + length, 0, '\\' };
	struct line line;

	ret->escape = '\\';
	if (memchr(text, '\0', length))
		return err_set(e, ERR_INVALID, "%s: there is a NUL byte in it", name);
	int r = read_directives(ret, &reader, e);
	reader.escape = ret->escape;
	if (r < 0)
		return err_add(e, "%s", name);
	while (next_line(&reader, &line)) {
		size_t before = ret->items.count;
		int number = reader.line;
		if (is_comment(line) || !trim(line).length)
			continue;
		r = parse_next(ret, line, &reader, e);
		if (ret->items.count > before)
			ret->items.items[before].line = number;
		if (r < 0)
			return err_add(e, "%s: line %d", name, number);
	}
	if (!ret->items.count)
		return err_set(e, ERR_INVALID, "%s: there is no instruction in it", name);
	return 0;
}
