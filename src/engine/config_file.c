#include "engine/config_file.h"

#include <fcntl.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"

const char *config_environment_value(char *const *environment, const char *key)
{
	size_t length = strlen(key);

	for (; environment && *environment; environment++)
		if (!strncmp(*environment, key, length) && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

struct line_reader {
	const char *at;
	const char *end;
	unsigned number;
};

/* The next line that says something, without its newline and the blanks in front: 1, or 0 at the
 * end. *ret is the caller's. */
static int next_line(struct line_reader *reader, char **ret, struct err *e)
{
	while (reader->at < reader->end) {
		const char *start = reader->at;
		const char *stop = memchr(start, '\n', (size_t)(reader->end - start));
		if (!stop)
			stop = reader->end;
		reader->at = stop + 1;
		reader->number++;

		if (stop > start && stop[-1] == '\r')
			stop--;
		while (start < stop && (*start == ' ' || *start == '\t'))
			start++;
		if (start == stop || *start == '#')
			continue;
		if (memchr(start, '\0', (size_t)(stop - start)))
			return err_set(e, ERR_INVALID, "line %u: it has a NUL byte",
				       reader->number);
		*ret = mem_text_n(start, (size_t)(stop - start));
		return 1;
	}
	return 0;
}

static struct line_reader line_reader_of(const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf"; /* UTF-8 byte order mark, as Windows writes */

	if (length >= 3 && !memcmp(text, mark, 3)) {
		text += 3;
		length -= 3;
	}
	return (struct line_reader){ text, text + length, 0 };
}

/* Cuts line at its first '=' and returns the value, or NULL if there is none. */
static int split_line(char *line, unsigned number, char **ret_value, struct err *e)
{
	char *equals = strchr(line, '=');

	if (equals)
		*equals = '\0';
	if (!*line)
		return err_set(e, ERR_INVALID, "line %u: no name before '='", number);
	if (strpbrk(line, " \t"))
		return err_set(e, ERR_INVALID, "line %u: the name '%s' has blanks in it", number,
			       line);
	*ret_value = equals ? equals + 1 : NULL;
	return 0;
}

int config_env_text(struct strv *to, const char *text, size_t length, char *const *environment,
		    struct err *e)
{
	struct line_reader reader = line_reader_of(text, length);

	for (;;) {
		own_free char *line = NULL;
		char *value;
		int r = next_line(&reader, &line, e);
		if (r <= 0)
			return r;
		r = split_line(line, reader.number, &value, e);
		if (r < 0)
			return r;
		const char *use = value ? value : config_environment_value(environment, line);
		if (use)
			strv_addf(to, "%s=%s", line, use);
	}
}

int config_label_text(struct shape_map *to, const char *text, size_t length, struct err *e)
{
	struct line_reader reader = line_reader_of(text, length);

	for (;;) {
		own_free char *line = NULL;
		char *value;
		int r = next_line(&reader, &line, e);
		if (r <= 0)
			return r;
		r = split_line(line, reader.number, &value, e);
		if (r < 0)
			return r;
		shape_map_set(to, line, value ? value : "");
	}
}

/* Whatever the person names, also <(a pipe): it is their own file. */
static int read_file(struct str *to, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(fd, CONFIG_FILE_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", path) : 0;
}

int config_env_file(struct strv *to, const char *path, char *const *environment, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = read_file(&text, path, e);
	if (r < 0)
		return err_add(e, "--env-file");
	r = config_env_text(to, text.text ? text.text : "", text.length, environment, e);
	return r < 0 ? err_add(e, "--env-file %s", path) : 0;
}

int config_label_file(struct shape_map *to, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = read_file(&text, path, e);
	if (r < 0)
		return err_add(e, "--label-file");
	r = config_label_text(to, text.text ? text.text : "", text.length, e);
	return r < 0 ? err_add(e, "--label-file %s", path) : 0;
}
