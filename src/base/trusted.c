#include "base/trusted.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"

enum { LINKS_MAX = 40, /* as the kernel's (path_resolution(7)) */ NO_USER = 65534 };

/* In another user namespace than the first the host's root has no id; nor have others, whose files
 * an ordinary user runs on his own account. */
static bool is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid() || (user_ids_are_mapped() && owner == NO_USER);
}

static int check_one(const char *path, const struct stat *st, struct err *e)
{
	/* lxc-create gives what it makes to root's group */
	bool shared = st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && st->st_gid != 0);
	bool sticky = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;

	if (!is_ours(st->st_uid))
		return err_set(e, ERR_PERMISSION, "%s belongs to user %u, who could change it",
			       path, (unsigned)st->st_uid);
	if (!S_ISLNK(st->st_mode) && shared && !sticky) {
		err_set(e, ERR_PERMISSION, "%s can be written by others", path);
		return err_hint(e, "chmod go-w %s", path);
	}
	return 0;
}

/* What the link says, in front of what is still to be walked. */
static int follow(struct str *done, struct str *left, struct err *e)
{
	char target[PATH_MAX];

	ssize_t n = readlink(done->text, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "%s", done->text);
	target[n] = '\0';
	own_free char *rest = mem_format("%s/%s", target, left->text ? left->text : "");
	str_clear(left);
	str_add(left, rest);
	char *slash = strrchr(done->text, '/');
	done->length = target[0] == '/' ? 0 : (size_t)(slash - done->text);
	done->text[done->length] = '\0';
	return 0;
}

static void go_up(struct str *done)
{
	char *slash = done->text ? strrchr(done->text, '/') : NULL;

	if (!slash)
		return;
	*slash = '\0';
	done->length = (size_t)(slash - done->text);
}

/* The first name of left behind done. False: there is none. */
static bool step(struct str *done, struct str *left)
{
	const char *at = left->text ? left->text : "";

	at += strspn(at, "/");
	size_t length = strcspn(at, "/");
	if (!length)
		return false;
	if (length == 2 && strncmp(at, "..", 2) == 0)
		go_up(done);
	else if (length != 1 || *at != '.')
		str_addf(done, "/%.*s", (int)length, at);
	own_free char *rest = mem_text(at + length);
	str_clear(left);
	str_add(left, rest);
	return true;
}

int trusted_check(const char *path, struct err *e)
{
	own_clear(str_clear) struct str done = { 0 }, left = { 0 };
	int links = 0;
	struct stat st;

	if (stat("/", &st) < 0)
		return err_sys(e, "/");
	int r = check_one("/", &st, e);
	str_add(&left, path);
	while (r == 0 && step(&done, &left)) {
		const char *here = str_empty(done.text) ? "/" : done.text;
		if (lstat(here, &st) < 0)
			return err_sys(e, "%s", here);
		r = check_one(here, &st, e);
		if (r == 0 && S_ISLNK(st.st_mode))
			r = ++links > LINKS_MAX ? err_number(e, ELOOP, "%s", path)
						: follow(&done, &left, e);
	}
	return r;
}
