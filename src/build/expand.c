#include "build/expand.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/glob.h"
#include "build/ignore.h"

enum { MATCHES_MAX = 100000 };

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_ignored(const struct build_ignore *ignore, const char *path)
{
	if (!ignore || !ignore->patterns.count)
		return false;
	own_free bool *matched = mem_new(ignore->patterns.count, sizeof(bool));
	return build_ignore_match_below(ignore, path, matched);
}

/* The names in the folder that match one part of the pattern. */
static int match_names(struct strv *to, int root_fd, const char *folder, const char *part,
		       struct err *e)
{
	own_clear(build_glob_clear) struct build_glob glob = { 0 };
	const struct dirent *entry;

	int r = build_glob_compile(&glob, part, false, e);
	if (r < 0)
		return r;
	int fd = path_try_open(root_fd, *folder ? folder : "/", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return 0;
	own_dir DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(e, "read a folder");
	}
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    build_glob_match(&glob, name))
			strv_add_take(to, *folder ? path_join(folder, name) : mem_text(name));
		if (to->count > MATCHES_MAX)
			return err_set(e, ERR_INVALID, "more than %d names match", MATCHES_MAX);
	}
	return 0;
}

static bool exists(int root_fd, const char *path)
{
	own_fd int fd = path_try_open(root_fd, path, O_PATH | O_NOFOLLOW, 0);

	return fd >= 0;
}

/* One part of the pattern after the other, over all folders that the ones before mean. */
static int match_part(struct strv *folders, int root_fd, const char *part, bool last, struct err *e)
{
	own_clear(strv_clear) struct strv next = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < folders->count; i++) {
		const char *folder = folders->items[i];
		if (build_glob_is(part)) {
			r = match_names(&next, root_fd, folder, part, e);
			continue;
		}
		own_free char *path = *folder ? path_join(folder, part) : mem_text(part);
		if (!last || exists(root_fd, path))
			strv_add(&next, path);
	}
	if (r < 0)
		return r;
	strv_clear(folders);
	*folders = next;
	next = (struct strv){ 0 };
	return 0;
}

int build_expand(struct strv *to, int root_fd, const struct build_ignore *ignore, const char *word,
		 struct err *e)
{
	own_free char *absolute = path_join("/", word);
	own_free char *clean = path_clean(absolute);
	own_clear(strv_clear) struct strv parts = { 0 }, found = { 0 };
	int r = 0;

	if (!build_glob_is(word)) {
		strv_add(to, clean + 1);
		return 0;
	}
	strv_split(&parts, clean + 1, '/');
	strv_add(&found, "");
	for (size_t i = 0; r == 0 && i < parts.count; i++)
		r = match_part(&found, root_fd, parts.items[i], i + 1 == parts.count, e);
	if (r < 0)
		return r;
	if (found.count)
		qsort(found.items, found.count, sizeof(*found.items), compare);
	for (size_t i = 0; i < found.count; i++)
		if (!is_ignored(ignore, found.items[i]))
			strv_add(to, found.items[i]);
	return 0;
}
