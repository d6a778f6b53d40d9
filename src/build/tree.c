#include "build/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "build/ignore.h"
#include "build/stat_cache.h"
#include "build/stop.h"
#include "build/sum.h"

enum { TARGET_MAX = 4096, CAPABILITY_MAX = 64, CHUNK = 128 << 10, STOP_EVERY = 64 };

struct walk {
	struct build_tree *tree;
	const struct build_tree_options *options;
	struct build_stat_cache *cache;
	struct str above; /* the place's own path in the context, for the ignore file: "a/b/" */
	int depth;
};

void build_tree_clear(struct build_tree *tree)
{
	for (size_t i = 0; i < tree->items.count; i++) {
		free(tree->items.items[i].path);
		free(tree->items.items[i].target);
	}
	free(tree->items.items);
	*tree = (struct build_tree){ 0 };
}

/* ---- one file ---- */

int build_tree_file_digest(unsigned char ret[STORAGE_HASH_SIZE], int fd, int to_fd, struct err *e)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	own_free char *chunk = mem_new(1, CHUNK);
	char capability[CAPABILITY_MAX];

	ssize_t n = fgetxattr(fd, "security.capability", capability, sizeof(capability));
	build_sum_add_bytes(hash, capability, n > 0 ? (size_t)n : 0);
	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		storage_hash_add(hash, chunk, (size_t)n);
		int r = to_fd >= 0 ? fd_write_all(to_fd, chunk, (size_t)n) : 0;
		if (r < 0)
			return err_number(e, -r, "write");
	}
	storage_hash_end_bytes(hash, ret);
	return 0;
}

static int read_target(struct build_entry *entry, int fd, const char *name, struct err *e)
{
	char target[TARGET_MAX];
	ssize_t n = readlinkat(fd, name, target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		return err_sys(e, "read link %s", entry->path);
	entry->target = mem_text_n(target, (size_t)n);
	return 0;
}

/* What is known of an open file, or what its bytes say. */
static int digest_file(const struct walk *walk, struct build_entry *entry, int fd,
		       const struct stat *st, struct err *e)
{
	bool keep = build_stat_cache_may_keep(walk->cache, fd, st);
	int r = build_tree_file_digest(entry->digest, fd, -1, e);

	if (r == 0 && keep)
		build_stat_cache_add(walk->cache, st, entry->digest);
	return r;
}

static int read_file(const struct walk *walk, struct build_entry *entry, int dir_fd,
		     const char *name, struct err *e)
{
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "open %s", entry->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_STATE, "%s changed while it was read", entry->path);
	int r = digest_file(walk, entry, fd, &st, e);
	return r < 0 ? err_add(e, "%s", entry->path) : 0;
}

static struct build_entry *add(struct walk *walk, const char *path, const struct stat *st)
{
	struct build_entry *entry = shape_list_add(&walk->tree->items);

	*entry = (struct build_entry){
		.path = mem_text(path),
		.mode = st->st_mode,
		.uid = walk->options->owners ? st->st_uid : 0,
		.gid = walk->options->owners ? st->st_gid : 0,
		.size = S_ISREG(st->st_mode) ? st->st_size : 0,
	};
	return entry;
}

/* ---- folders ---- */

/* What was decided of the folder above, for each pattern. */
struct decided {
	bool *ignore, *exclude;
};

static bool *copy_of(const struct build_ignore *ignore, const bool *above)
{
	size_t count = ignore ? ignore->patterns.count : 0;
	bool *copy = mem_new(count + 1, sizeof(bool));

	if (above && count)
		memcpy(copy, above, count * sizeof(bool));
	return copy;
}

static void decided_clear(struct decided *decided)
{
	free(decided->ignore);
	free(decided->exclude);
}

static bool is_out(const struct build_ignore *ignore, const char *path, bool *decided)
{
	return ignore && build_ignore_match(ignore, path, decided);
}

/* Nothing in an ignored folder can come back where no pattern brings anything back. */
static bool may_come_back(const struct build_tree_options *options)
{
	return (options->ignore && options->ignore->negations) ||
	       (options->exclude && options->exclude->negations);
}

static int walk_folder(struct walk *walk, int fd, const char *path, const struct decided *above,
		       struct err *e);

static int walk_subfolder(struct walk *walk, int dir_fd, const char *name, const char *path,
			  const struct decided *here, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open folder %s", path);
	if (++walk->depth > BUILD_TREE_DEPTH_MAX) {
		close(fd);
		return err_set(e, ERR_INVALID, "%s: more than %d folders deep", path,
			       BUILD_TREE_DEPTH_MAX);
	}
	int r = walk_folder(walk, fd, path, here, e);
	walk->depth--;
	return r;
}

static int walk_thing(struct walk *walk, int dir_fd, const char *name, const char *path,
		      const struct stat *st, struct err *e)
{
	if (walk->options->stop_fd > 0 && walk->tree->items.count % STOP_EVERY == 0 &&
	    build_stop_check(walk->options->stop_fd, e) < 0)
		return -e->number;
	if (walk->tree->items.count >= BUILD_TREE_ENTRIES_MAX)
		return err_set(e, ERR_INVALID, "more than %d files", BUILD_TREE_ENTRIES_MAX);
	if (S_ISSOCK(st->st_mode))
		return 0;
	struct build_entry *entry = add(walk, path, st);
	if (S_ISREG(st->st_mode))
		return build_stat_cache_find(walk->cache, st, entry->digest)
			       ? 0
			       : read_file(walk, entry, dir_fd, name, e);
	return S_ISLNK(st->st_mode) ? read_target(entry, dir_fd, name, e) : 0;
}

static int walk_entry(struct walk *walk, int dir_fd, const char *name, const char *folder,
		      const struct decided *above, struct err *e)
{
	own_free char *path = *folder ? mem_format("%s/%s", folder, name) : mem_text(name);
	own_free char *whole = mem_format("%s%s", walk->above.text ? walk->above.text : "", path);
	own_clear(decided_clear) struct decided here = {
		copy_of(walk->options->ignore, above->ignore),
		copy_of(walk->options->exclude, above->exclude),
	};
	struct stat st;

	/* that it is gone meanwhile is as if it had been before */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at %s", path);
	bool out = is_out(walk->options->ignore, whole, here.ignore);
	if (is_out(walk->options->exclude, path, here.exclude))
		out = true;
	if (!S_ISDIR(st.st_mode))
		return out ? 0 : walk_thing(walk, dir_fd, name, path, &st, e);
	if (out && !may_come_back(walk->options))
		return 0;
	size_t before = walk->tree->items.count;
	int r = walk_thing(walk, dir_fd, name, path, &st, e);
	if (r == 0)
		r = walk_subfolder(walk, dir_fd, name, path, &here, e);
	/* an ignored folder is there for what came back in it alone */
	if (r == 0 && out && walk->tree->items.count == before + 1) {
		free(walk->tree->items.items[before].path);
		walk->tree->items.count--;
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct strv *to, int fd, struct err *e)
{
	const struct dirent *entry;
	own_dir DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return err_sys(e, "read a folder");
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(to, entry->d_name);
	if (to->count)
		qsort(to->items, to->count, sizeof(*to->items), compare);
	return 0;
}

/* Closes fd. */
static int walk_folder(struct walk *walk, int fd, const char *path, const struct decided *above,
		       struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_fd int dir_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r = dir_fd < 0 ? err_sys(e, "open a folder") : 0;

	if (r < 0)
		close(fd);
	else
		r = read_names(&names, fd, e);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = walk_entry(walk, dir_fd, names.items[i], path, above, e);
	return r;
}

/* ---- the place ---- */

static int not_there(const char *path, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "\"/%s\": not found", path);
}

/* To be read now, and still the thing that was looked at. */
static int open_place(int root_fd, const char *path, const struct stat *seen, struct err *e)
{
	struct stat st;

	own_fd int fd = path_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino != seen->st_ino || st.st_dev != seen->st_dev)
		return err_set(e, ERR_STATE, "it changed while it was read");
	return take_fd(&fd);
}

static int read_place(struct walk *walk, int root_fd, const char *path, const struct stat *st,
		      const struct decided *decided, struct err *e)
{
	if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return err_set(e, ERR_INVALID, "neither a file nor a folder");
	struct build_entry *entry = add(walk, "", st);
	own_fd int fd = open_place(root_fd, path, st, e);
	if (fd < 0)
		return fd;
	if (walk->options->cache)
		walk->cache = build_stat_cache_open(walk->options->cache, fd, walk->options->ignore,
						    walk->options->exclude);
	int r = 0;
	if (S_ISDIR(st->st_mode))
		r = walk_folder(walk, take_fd(&fd), "", decided, e);
	else if (!build_stat_cache_find(walk->cache, st, entry->digest))
		r = digest_file(walk, entry, fd, st, e);
	build_stat_cache_close(walk->cache, r == 0);
	return r;
}

int build_tree_read(struct build_tree *ret, int root_fd, const char *path,
		    const struct build_tree_options *options, struct err *e)
{
	struct walk walk = { .tree = ret, .options = options };
	own_clear(decided_clear) struct decided decided = {
		copy_of(options->ignore, NULL),
		copy_of(options->exclude, NULL),
	};
	own_free char *absolute = path_join("/", path);
	own_free char *clean = path_clean(absolute);
	struct stat st;

	path = clean + 1;
	own_fd int fd = path_try_open(root_fd, clean, O_PATH, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return not_there(path, e);
	if (fd < 0)
		return err_number(e, -fd, "open /%s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at /%s", path);
	/* the patterns that match the folders above the place hold for what is in it */
	bool out =
		options->ignore && build_ignore_match_below(options->ignore, path, decided.ignore);
	if (out && !(S_ISDIR(st.st_mode) && may_come_back(options))) {
		not_there(path, e);
		return err_hint(e, "an ignore file leaves it out");
	}
	if (*path)
		str_addf(&walk.above, "%s/", path);
	int r = read_place(&walk, root_fd, clean, &st, &decided, e);
	str_clear(&walk.above);
	return r < 0 ? err_add(e, "/%s", path) : 0;
}

void build_tree_sum(unsigned char ret[STORAGE_HASH_SIZE], const struct build_tree *tree)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();

	build_sum_add_number(hash, (long long)tree->items.count);
	for (size_t i = 0; i < tree->items.count; i++) {
		const struct build_entry *entry = &tree->items.items[i];
		build_sum_add(hash, entry->path);
		build_sum_add_number(hash, entry->mode);
		build_sum_add_number(hash, entry->uid);
		build_sum_add_number(hash, entry->gid);
		build_sum_add(hash, entry->target);
		build_sum_add_bytes(hash, entry->digest, sizeof(entry->digest));
	}
	storage_hash_end_bytes(hash, ret);
}
