#include "engine/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/tree.h"
#include "storage/store.h"

extern char **environ;

static const struct copy_options attributes = { .all_attributes = true };

struct renewal {
	struct engine *engine;
	const struct container *container;
	int tree_fd;  /* what the clone sees of its layers, or a copied one was copied from */
	int upper_fd; /* nobody but us knows it */
};

/* ---- places ---- */

/* This folder of the upper one, made as the tree has it, whose folder *ret_tree is: both are the
 * caller's. -ENOENT: the tree has none, or a link in its place. */
static int open_folder(const struct renewal *renewal, const char *path, int *ret_tree)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	own_fd int tree = path_try_open(renewal->tree_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	own_fd int upper = path_try_open(renewal->upper_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	struct err e;

	strv_split(&parts, path, '/');
	for (size_t i = 0; i < parts.count; i++) {
		const char *name = parts.items[i];
		int below = path_try_open(tree, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (below < 0)
			return below == -ENOTDIR || below == -ELOOP ? -ENOENT : below;
		close(tree);
		tree = below;
		bool made = mkdirat(upper, name, 0700) == 0;
		if (!made && errno != EEXIST)
			return -errno;
		below = path_try_open(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (below < 0)
			return below;
		close(upper);
		upper = below;
		if (made && copy_attributes_of(tree, upper, &attributes, &e) < 0)
			return -e.number;
	}
	*ret_tree = take_fd(&tree);
	return take_fd(&upper);
}

/* Is there a file in the tree that is more than nothing? A descriptor of it, or -errno. */
static int open_file(const struct renewal *renewal, const char *path)
{
	struct stat st;

	own_fd int fd = path_try_open(renewal->tree_fd, path,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && st.st_size > 0 ? take_fd(&fd) : -ENOENT;
}

/* A file in the upper folder with owner and mode of the one it takes the place of: of a root that
 * is a copy, with the clone's ids, that one lies there. */
static int write_file(int folder_fd, const char *name, int like_fd, const void *bytes,
		      size_t length, struct err *e)
{
	own_fd int there =
		path_try_open(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	unlinkat(folder_fd, name, 0);
	own_fd int fd =
		path_open(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, e);
	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, bytes, length);
	return r < 0 ? err_number(e, -r, "write %s", name)
		     : copy_attributes_of(there >= 0 ? there : like_fd, fd, &attributes, e);
}

/* overlayfs(5): a device 0/0 says that there is no such file. */
static int hide(const struct container *c, int folder_fd, const char *name, struct err *e)
{
	if (c->storage.copied)
		return unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT
			       ? err_sys(e, "remove %s", name)
			       : 0;
	return mknodat(folder_fd, name, S_IFCHR, makedev(0, 0)) < 0 ? err_sys(e, "hide %s", name)
								    : 0;
}

/* ---- machine-id, seed ---- */

static int renew_machine_id(const struct renewal *renewal, struct err *e)
{
	unsigned char bytes[16];
	char text[2 * sizeof(bytes) + 2];

	own_fd int old = open_file(renewal, "etc/machine-id");
	if (old < 0)
		return old == -ENOENT ? 0 : err_number(e, -old, "open /etc/machine-id");
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "get random bytes");
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* machine-id(5): a UUID, version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	strcat(text, "\n");
	int tree;
	own_fd int folder = open_folder(renewal, "etc", &tree);
	if (folder < 0)
		return err_number(e, -folder, "open /etc");
	own_fd int of_tree = tree;
	(void)of_tree;
	return write_file(folder, "machine-id", old, text, strlen(text), e);
}

/* D-Bus's copy, where it is no link, and the seed are made anew where they are missing. */
static int forget_file(const struct renewal *renewal, const char *folder_path, const char *name,
		       struct err *e)
{
	own_free char *path = path_join(folder_path, name);
	int tree;

	own_fd int old = open_file(renewal, path);
	if (old < 0)
		return old == -ENOENT ? 0 : err_number(e, -old, "open /%s", path);
	own_fd int folder = open_folder(renewal, folder_path, &tree);
	if (folder < 0)
		return err_number(e, -folder, "open /%s", folder_path);
	close(tree);
	return hide(renewal->container, folder, name, e);
}

/* ---- host keys ---- */

#define KEYS "etc/ssh"

struct keys {
	const struct container *container;
	int tree; /* of the clone's layers */
	int upper;
	int made; /* where ssh-keygen writes */
	char *made_path;
};

static void keys_clear(struct keys *keys)
{
	own_fd_call(&keys->tree);
	own_fd_call(&keys->upper);
	own_fd_call(&keys->made);
	free(keys->made_path);
}

/* "ssh_host_ed25519_key" -> "ed25519", the caller's; NULL: another file. */
static char *kind_of(const char *name)
{
	const char *kind = name + strlen("ssh_host_");

	if (!str_starts(name, "ssh_host_") || !str_ends(name, "_key"))
		return NULL;
	size_t length = strlen(kind);
	return length > 4 ? mem_text_n(kind, length - 4) : NULL;
}

/* False: there is no such program, or it makes no such keys. */
static bool make_key(const struct keys *keys, const char *kind, const char *name,
		     const char *host_name)
{
	own_free char *path = path_join(keys->made_path, name);
	own_free char *comment = mem_format("root@%s", host_name);
	const char *const argv[] = { "ssh-keygen", "-q",    "-t", kind, "-N", "",
				     "-C",         comment, "-f", path, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	int r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r == 0 && process_wait(pid) == 0;
}

static int take_key(const struct keys *keys, const char *name, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	enum { KEY_MAX = 65536 };

	own_fd int old = path_try_open(keys->tree, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (old < 0)
		return old == -ENOENT ? 0 : err_number(e, -old, "open %s", name);
	int r = fd_read_file_at(keys->made, name, KEY_MAX, &text, e);
	if (r == 0)
		r = write_file(keys->upper, name, old, text.text, text.length, e);
	if (text.text)
		explicit_bzero(text.text, text.capacity);
	return r;
}

static int renew_key(const struct keys *keys, const char *name, struct err *e)
{
	const struct container *c = keys->container;
	own_free char *kind = kind_of(name);
	own_free char *public = mem_format("%s.pub", name);

	if (!kind)
		return 0;
	if (make_key(keys, kind, name, c->process.hostname ? c->process.hostname : c->name)) {
		int r = take_key(keys, name, e);
		return r < 0 ? r : take_key(keys, public, e);
	}
	log_warning("ssh-keygen makes no %s key here: the clone has none; run ssh-keygen -A in it",
		    kind);
	int r = hide(c, keys->upper, name, e);
	if (r == 0 && faccessat(keys->tree, public, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = hide(c, keys->upper, public, e);
	return r;
}

static int renew_each(const struct keys *keys, struct err *e)
{
	int fd = openat(keys->tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return err_sys(e, "read /" KEYS);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		r = renew_key(keys, entry->d_name, e);
	return r;
}

static bool has_keys(const struct renewal *renewal)
{
	int fd = path_try_open(renewal->tree_fd, KEYS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = false;

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		own_free char *kind = kind_of(entry->d_name);
		found = kind != NULL;
	}
	return found;
}

/* ssh-keygen writes beside the container's folder, which the folder's lock makes ours. */
static int renew_keys(const struct renewal *renewal, struct err *e)
{
	const struct container *c = renewal->container;
	own_clear(keys_clear) struct keys keys = {
		.container = c, .tree = -1, .upper = -1, .made = -1
	};
	own_free char *folder = mem_format("%s/.keys", c->id);
	struct err ignored;

	if (!has_keys(renewal))
		return 0;
	if (mkdirat(renewal->engine->containers_fd, folder, 0700) < 0)
		return err_sys(e, "make a folder for keys");
	keys.made_path = mem_format("%s/containers/%s", renewal->engine->store->root, folder);
	keys.made = openat(renewal->engine->containers_fd, folder,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	keys.upper = open_folder(renewal, KEYS, &keys.tree);
	int r = keys.made < 0    ? err_sys(e, "open the folder for keys")
		: keys.upper < 0 ? err_number(e, -keys.upper, "open /" KEYS)
				 : renew_each(&keys, e);
	fd_remove_tree_at(renewal->engine->containers_fd, folder, &ignored);
	return r;
}

int engine_identity_renew(struct engine *engine, const struct container *c, int from_fd,
			  int upper_fd, struct err *e)
{
	own_fd int tree = c->storage.copied
				  ? path_open(from_fd, "upper", O_RDONLY | O_DIRECTORY, 0, e)
				  : engine_tree_open_layers(engine, c, false, e);
	if (tree < 0)
		return tree;
	const struct renewal renewal = { engine, c, tree, upper_fd };
	int r = renew_machine_id(&renewal, e);
	if (r == 0)
		r = forget_file(&renewal, "var/lib/dbus", "machine-id", e);
	if (r == 0)
		r = forget_file(&renewal, "var/lib/systemd", "random-seed", e);
	if (r == 0)
		r = renew_keys(&renewal, e);
	return r < 0 ? err_add(e, "give the clone an identity") : 0;
}
