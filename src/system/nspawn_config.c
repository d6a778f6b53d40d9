#include "system/nspawn_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

void system_nspawn_config_clear(struct nspawn_config *config)
{
	for (size_t i = 0; i < config->lines.count; i++) {
		free(config->lines.items[i].key);
		free(config->lines.items[i].value);
	}
	free(config->lines.items);
	*config = (struct nspawn_config){ 0 };
}

/* In place. */
static char *strip(char *text)
{
	text += strspn(text, " \t\r");
	for (size_t length = strlen(text); length && strchr(" \t\r", text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

static int read_section(char **section, char *line, struct err *e)
{
	size_t length = strlen(line);

	if (length < 3 || line[length - 1] != ']')
		return err_set(e, ERR_INVALID, "'%.100s' is not [SECTION]", line);
	free(*section);
	*section = mem_text_n(line + 1, length - 2);
	return 0;
}

static int read_line(struct nspawn_config *to, char **section, char *line, int number,
		     struct err *e)
{
	line = strip(line);
	if (*line == '[')
		return read_section(section, line, e);
	char *equals = strchr(line, '=');
	if (!equals || equals == line)
		return err_set(e, ERR_INVALID, "'%.100s' is not KEY=VALUE", line);
	if (!*section)
		return err_set(e, ERR_INVALID, "'%.100s' is in no section", line);
	if (to->lines.count >= NSPAWN_CONFIG_LINES_MAX)
		return err_set(e, ERR_INVALID, "more than %d lines", NSPAWN_CONFIG_LINES_MAX);
	*equals = '\0';
	*shape_list_add(&to->lines) = (struct nspawn_line){
		.key = mem_format("%s.%s", *section, strip(line)),
		.value = mem_text(strip(equals + 1)),
		.number = number,
	};
	return 0;
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '#' || *line == ';';
}

/* The line that begins at *at, with those that it goes on in; comments between are left out. */
static void join(struct str *to, char **at, int *number)
{
	for (bool more = true; more && **at;) {
		char *line = *at, *next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		*at = next;
		++*number;
		if (is_comment(line))
			continue;
		size_t length = strlen(line);
		length -= length && line[length - 1] == '\r';
		more = length && line[length - 1] == '\\';
		str_add_n(to, line, length - more);
		if (more)
			str_add_char(to, ' ');
	}
}

int system_nspawn_config_parse(struct nspawn_config *to, const char *text, size_t length,
			       struct err *e)
{
	own_free char *copy = mem_text_n(text, length), *section = NULL;
	int number = 0;

	if (strlen(copy) != length)
		return err_set(e, ERR_INVALID, "not text: it has a NUL byte");
	for (char *at = copy; *at;) {
		own_clear(str_clear) struct str line = { 0 };
		join(&line, &at, &number);
		if (!line.length || is_comment(line.text))
			continue;
		int r = read_line(to, &section, line.text, number, e);
		if (r < 0)
			return err_add(e, "line %d", number);
	}
	return 0;
}
