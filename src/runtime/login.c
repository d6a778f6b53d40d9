#include "runtime/login.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/tree.h"

enum { FILE_BYTES_MAX = 1 << 20 };
enum part { NAME, UID, GID, HOME, PARTS };

/* Both files have the name first and the number third (passwd(5), group(5)). */
static bool has(const char *text, const char *name, const char *number)
{
	own_clear(strv_clear) struct strv lines = { 0 };
	bool found = false;

	strv_split(&lines, text, '\n');
	for (size_t i = 0; !found && i < lines.count; i++) {
		own_clear(strv_clear) struct strv words = { 0 };
		strv_split(&words, lines.items[i], ':');
		found = words.count > 2 &&
			(str_equal(words.items[0], name) || str_equal(words.items[2], number));
	}
	return found;
}

static int add_line(const struct runtime_tree *tree, const char *path, const char *name,
		    const char *number, const char *line, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct stat st;

	own_fd int fd = runtime_tree_open(tree, path, O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY);
	/* not a file of its own, not there, read-only: it stays as it is */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	str_add(&text, "");
	int r = fd_read_all(fd, FILE_BYTES_MAX, &text, e);
	if (r < 0 || has(text.text, name, number))
		return r < 0 ? err_add(e, "%s", path) : 0;
	own_clear(str_clear) struct str added = { 0 };
	if (text.length && text.text[text.length - 1] != '\n')
		str_add(&added, "\n");
	str_add(&added, line);
	r = fd_write_all(fd, added.text, added.length);
	return r < 0 ? err_number(e, -r, "write to %s", path) : 0;
}

int runtime_login_add_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
			       struct err *e)
{
	const char *login = shape_map_get(&spec->annotations, "org.holm.login");
	own_clear(str_clear) struct str user = { 0 }, group = { 0 };
	own_clear(strv_clear) struct strv words = { 0 };

	if (!login || (spec->root && spec->root->readonly))
		return 0;
	strv_split(&words, login, ':');
	if (words.count != PARTS || strchr(login, '\n'))
		return err_set(e, ERR_INVALID, "org.holm.login: not NAME:UID:GID:HOME");
	char **w = words.items;
	str_addf(&user, "%s:*:%s:%s:%s:%s:/bin/sh\n", w[NAME], w[UID], w[GID], w[NAME], w[HOME]);
	str_addf(&group, "%s:x:%s:\n", w[NAME], w[GID]);
	int r = add_line(tree, "/etc/passwd", w[NAME], w[UID], user.text, e);
	return r < 0 ? r : add_line(tree, "/etc/group", w[NAME], w[GID], group.text, e);
}
