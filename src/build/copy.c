#include "build/copy.h"

#include <errno.h>
#include <fcntl.h>
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
#include "build/stop.h"
#include "build/tree.h"

enum { CAPABILITY_MAX = 64 };

/* ---- --chmod ---- */

static int bad_mode(const char *text, struct err *e)
{
	return err_set(e, ERR_INVALID, "--chmod=%.60s: neither 0755 nor u=rwX,go-w", text);
}

static mode_t who_bits(const char **at)
{
	mode_t who = 0;

	for (; **at && strchr("ugoa", **at); ++*at)
		who |= **at == 'u' ? 04700 : **at == 'g' ? 02070 : **at == 'o' ? 01007 : 07777;
	return who ? who : 07777;
}

static int permission_bits(mode_t *ret, const char **at, mode_t from, const char *text,
			   struct err *e)
{
	*ret = 0;
	for (; **at && **at != ',' && !strchr("+-=", **at); ++*at) {
		if (**at == 'r')
			*ret |= 0444;
		else if (**at == 'w')
			*ret |= 0222;
		else if (**at == 'x' || (**at == 'X' && (S_ISDIR(from) || from & 0111)))
			*ret |= 0111;
		else if (**at == 's')
			*ret |= 06000;
		else if (**at == 't')
			*ret |= 01000;
		else if (**at != 'X')
			return bad_mode(text, e);
	}
	return 0;
}

static int apply_clause(mode_t *mode, const char **at, mode_t from, const char *text, struct err *e)
{
	mode_t who = who_bits(at), bits;

	if (!**at || !strchr("+-=", **at))
		return bad_mode(text, e);
	while (**at && strchr("+-=", **at)) {
		char sign = *(*at)++;
		int r = permission_bits(&bits, at, from, text, e);
		if (r < 0)
			return r;
		if (sign == '=')
			*mode &= ~(who & (S_ISDIR(from) ? 01777U : 07777U));
		*mode = sign == '-' ? *mode & ~(bits & who) : *mode | (bits & who);
	}
	if (**at == ',')
		++*at;
	else if (**at)
		return bad_mode(text, e);
	return 0;
}

int build_copy_mode(mode_t *ret, const char *text, mode_t from, struct err *e)
{
	size_t digits = strspn(text, "01234567");
	mode_t mode = from & 07777;
	int r = 0;

	if (!*text || (digits && (text[digits] || digits > 5)))
		return bad_mode(text, e);
	if (digits) {
		*ret = (mode_t)strtoul(text, NULL, 8) & 07777;
		return 0;
	}
	for (const char *at = text; r == 0 && *at;)
		r = apply_clause(&mode, &at, from, text, e);
	if (r == 0)
		*ret = mode;
	return r;
}

/* ---- one thing ---- */

/* Owner first: it takes setuid bits away. */
static int set_facts(int fd, const struct build_entry *entry,
		     const struct build_copy_options *options, struct err *e)
{
	mode_t mode = entry->mode & 07777;
	int r = options->mode ? build_copy_mode(&mode, options->mode, entry->mode, e) : 0;

	if (r < 0)
		return r;
	if (fchown(fd, options->owned ? options->uid : entry->uid,
		   options->owned ? options->gid : entry->gid) < 0)
		return err_sys(e, "set the owner");
	return fchmod(fd, mode) < 0 ? err_sys(e, "set the mode") : 0;
}

static int make_folder(int dir_fd, const char *name, const struct build_entry *entry,
		       const struct build_copy_options *options, struct err *e)
{
	if (mkdirat(dir_fd, name, 0700) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "make the folder");
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open the folder") : set_facts(fd, entry, options, e);
}

static int copy_capability(int from, int to, struct err *e)
{
	char value[CAPABILITY_MAX];
	ssize_t n = fgetxattr(from, "security.capability", value, sizeof(value));

	if (n > 0 && fsetxattr(to, "security.capability", value, (size_t)n, 0) < 0)
		return err_sys(e, "set file capabilities");
	return 0;
}

static int open_source(const struct build_entry *entry, const struct build_copy_options *options,
		       struct err *e)
{
	own_free char *whole =
		*entry->path ? path_join(options->from, entry->path) : mem_text(options->from);
	struct stat st;

	own_fd int fd = path_open(options->from_fd, whole, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_STATE, "it changed while it was read");
	return take_fd(&fd);
}

static int copy_file(int dir_fd, const char *name, const struct build_entry *entry,
		     const struct build_copy_options *options, struct err *e)
{
	unsigned char digest[STORAGE_HASH_SIZE];

	own_fd int from = open_source(entry, options, e);
	if (from < 0)
		return from;
	own_fd int to =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(e, "make the file");
	int r = build_tree_file_digest(digest, from, to, e);
	if (r == 0 && memcmp(digest, entry->digest, sizeof(digest)) != 0) {
		err_set(e, ERR_STATE, "it changed while it was read");
		r = err_hint(e, "build again once nothing writes to the context");
	}
	if (r == 0)
		r = set_facts(to, entry, options, e);
	return r < 0 ? r : copy_capability(from, to, e);
}

static int make_other(int dir_fd, const char *name, const struct build_entry *entry,
		      const struct build_copy_options *options, struct err *e)
{
	int r = S_ISLNK(entry->mode) ? symlinkat(entry->target, dir_fd, name)
				     : mkfifoat(dir_fd, name, entry->mode & 07777);

	if (r < 0)
		return err_sys(e, "make it");
	if (fchownat(dir_fd, name, options->owned ? options->uid : entry->uid,
		     options->owned ? options->gid : entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the owner");
	return 0;
}

/* Whatever is there goes, but a folder: that is for the person to say. */
static int clear_place(int dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_STATE, "there is a folder in its place");
	return unlinkat(dir_fd, name, 0) < 0 ? err_sys(e, "replace what is there") : 0;
}

static int is_folder(int root_fd, const char *path)
{
	own_fd int fd = path_try_open(root_fd, path, O_PATH | O_DIRECTORY, 0);

	return fd >= 0;
}

static int copy_entry(const struct build_entry *entry, const struct build_copy_options *options,
		      struct err *e)
{
	own_free char *joined =
		*entry->path ? path_join(options->to, entry->path) : mem_text(options->to);
	own_free char *path = path_clean(joined);
	const char *name;

	if (!path[1] || (S_ISDIR(entry->mode) && is_folder(options->to_fd, path)))
		return S_ISDIR(entry->mode) ? 0 : err_set(e, ERR_INVALID, "it cannot become /");
	own_fd int dir_fd = path_open_parent(options->to_fd, path, true, &name, e);
	if (dir_fd < 0)
		return dir_fd;
	int r = clear_place(dir_fd, name, e);
	if (r < 0)
		return r;
	if (S_ISDIR(entry->mode))
		return make_folder(dir_fd, name, entry, options, e);
	if (S_ISREG(entry->mode))
		return copy_file(dir_fd, name, entry, options, e);
	return make_other(dir_fd, name, entry, options, e);
}

int build_copy(const struct build_tree *tree, const struct build_copy_options *options,
	       struct err *e)
{
	for (size_t i = 0; i < tree->items.count; i++) {
		const struct build_entry *entry = &tree->items.items[i];
		int r = options->stop_fd > 0 ? build_stop_check(options->stop_fd, e) : 0;
		if (r == 0)
			r = copy_entry(entry, options, e);
		if (r < 0)
			return err_add(e, "copy /%s%s%s", options->from + (*options->from == '/'),
				       *entry->path ? "/" : "", entry->path);
	}
	return 0;
}
