#include "engine/relabel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "runtime/lsm.h"
#include "storage/volume.h"

/* The defaults are those of container-selinux; a category is one of s0:c0.c1023. */
#define LABEL_DEFAULT "system_u:object_r:container_file_t:s0"
#define LABEL_PROCESS "system_u:system_r:container_t:s0"
#define XATTR         "security.selinux"
enum { CATEGORIES = 1024, DEPTH_MAX = 1000, CONTEXTS_BYTES_MAX = 64 << 10 };

/* ---- the label ---- */

/* The value of a line `file = "LABEL"`; NULL: there is none. */
static char *find_label(const char *text, const char *name)
{
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *at = line + strspn(line, " \t");
		if (!str_starts(at, name))
			continue;
		at += strlen(name);
		at += strspn(at, " \t=");
		if (*at != '"')
			continue;
		size_t length = strcspn(++at, "\"\n");
		if (length && at[length] == '"')
			return mem_text_n(at, length);
	}
	return NULL;
}

/* Two different ones of the id's first bytes, the smaller first. */
static void choose_categories(const char *id, unsigned *a, unsigned *b)
{
	own_free char *digits = mem_text_n(id, 8);
	unsigned long bits = strtoul(digits, NULL, 16);
	unsigned first = bits % CATEGORIES, second = bits / CATEGORIES % CATEGORIES;

	if (first == second)
		second = (first + 1) % CATEGORIES;
	*a = first < second ? first : second;
	*b = first < second ? second : first;
}

char *engine_relabel_label(const char *lxc_contexts, const char *word, const char *id)
{
	own_free char *found = find_label(lxc_contexts, "file");
	const char *label = found ? found : LABEL_DEFAULT;
	unsigned a, b;

	if (!str_equal(word, "Z"))
		return mem_text(label);
	choose_categories(id, &a, &b);
	return mem_format("%s:c%u,c%u", label, a, b);
}

/* user:role:type:level; only the level has colons of its own. */
enum { PART_USER, PART_ROLE, PART_TYPE, PART_LEVEL, PARTS };

static void split_label(char *parts[PARTS], const char *label)
{
	for (int i = 0; i < PARTS; i++) {
		size_t length = i == PART_LEVEL ? strlen(label) : strcspn(label, ":");
		parts[i] = mem_text_n(label, length);
		label += length + (label[length] == ':');
	}
}

/* The part that a word of --security-opt label= is about; -1: it goes on with a level. */
static int part_of(const char *word, bool of_files, const char **value)
{
	static const struct {
		const char *prefix;
		int process, files; /* PARTS: none */
	} words[] = {
		{ "user:", PART_USER, PART_USER }, { "role:", PART_ROLE, PARTS },
		{ "type:", PART_TYPE, PARTS },     { "level:", PART_LEVEL, PART_LEVEL },
		{ "filetype:", PARTS, PART_TYPE },
	};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_starts(word, words[i].prefix)) {
			*value = word + strlen(words[i].prefix);
			return of_files ? words[i].files : words[i].process;
		}
	return str_equal(word, "nested") ? PARTS : -1;
}

static void set_parts(char *parts[PARTS], const char *words, bool of_files)
{
	own_clear(strv_clear) struct strv list = { 0 };
	bool in_level = false;

	strv_split(&list, words, ',');
	for (size_t i = 0; i < list.count; i++) {
		const char *value = NULL;
		int part = part_of(list.items[i], of_files, &value);
		if (part == -1 && in_level) {
			own_free char *level =
				mem_format("%s,%s", parts[PART_LEVEL], list.items[i]);
			mem_replace(&parts[PART_LEVEL], level);
		}
		if (part == -1)
			continue;
		in_level = part == PART_LEVEL;
		if (part < PARTS)
			mem_replace(&parts[part], value);
	}
}

char *engine_relabel_compose(const char *lxc_contexts, bool of_files, const char *words,
			     const char *id)
{
	own_free char *found = find_label(lxc_contexts, of_files ? "file" : "process");
	const char *label = found ? found : of_files ? LABEL_DEFAULT : LABEL_PROCESS;
	char *parts[PARTS] = { 0 };
	unsigned a, b;

	choose_categories(id, &a, &b);
	own_free char *whole = mem_format("%s:c%u,c%u", label, a, b);
	split_label(parts, whole);
	set_parts(parts, words, of_files);
	char *text = mem_format("%s:%s:%s:%s", parts[PART_USER], parts[PART_ROLE], parts[PART_TYPE],
				parts[PART_LEVEL]);
	for (int i = 0; i < PARTS; i++)
		free(parts[i]);
	return text;
}

/* SELINUXTYPE of /etc/selinux/config names the policy: selinux_config(5). */
static char *read_contexts(void)
{
	own_clear(str_clear) struct str config = { 0 };
	struct str contexts = { 0 };
	struct err ignored;

	if (fd_read_file_at(AT_FDCWD, "/etc/selinux/config", CONTEXTS_BYTES_MAX, &config,
			    &ignored) < 0 ||
	    !config.text)
		return NULL;
	const char *line = strstr(config.text, "\nSELINUXTYPE=");
	if (!line)
		return NULL;
	line += strlen("\nSELINUXTYPE=");
	own_free char *type = mem_text_n(line, strcspn(line, " \t\n"));
	own_free char *path = mem_format("/etc/selinux/%s/contexts/lxc_contexts", type);
	if (fd_read_file_at(AT_FDCWD, path, CONTEXTS_BYTES_MAX, &contexts, &ignored) < 0) {
		str_clear(&contexts);
		return NULL;
	}
	return str_take(&contexts);
}

/* ---- what must keep its labels ---- */

int engine_relabel_check(const char *path, struct err *e)
{
	static const char *const kept[] = {
		"/",        "/bin",        "/boot",       "/dev",     "/etc",  "/home", "/lib",
		"/lib64",   "/media",      "/mnt",        "/opt",     "/proc", "/root", "/run",
		"/sbin",    "/srv",        "/sys",        "/tmp",     "/usr",  "/var",  "/var/lib",
		"/var/log", "/etc/passwd", "/etc/shadow", "/etc/pki",
	};

	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (str_equal(path, kept[i])) {
			err_set(e, ERR_INVALID, "%s is not relabelled: the host needs its labels",
				path);
			return err_hint(e, "leave z and Z out, or mount a folder below it");
		}
	return 0;
}

/* ---- the files ---- */

struct walk {
	const char *label;
	dev_t device;
};

/* By the folder's descriptor and a name: a link is not followed, and nothing is opened. */
static int set_label(int dir_fd, const char *name, const char *label)
{
	char path[64 + NAME_MAX];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir_fd, name);
	if (lsetxattr(path, XATTR, label, strlen(label) + 1, 0) == 0 || errno == ENOENT ||
	    errno == EOPNOTSUPP || errno == EROFS)
		return 0;
	return -errno;
}

static int label_folder(const struct walk *walk, int fd, unsigned depth);

static int label_entry(const struct walk *walk, int dir_fd, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != walk->device)
		return 0;
	int r = set_label(dir_fd, name, walk->label);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return label_folder(walk, fd, depth + 1);
}

/* Closes fd. */
static int label_folder(const struct walk *walk, int fd, unsigned depth)
{
	own_dir DIR *dir = fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	if (depth > DEPTH_MAX)
		return -ELOOP;
	for (const struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = label_entry(walk, dirfd(dir), entry->d_name, depth);
	return r;
}

/* The one file or the top folder: only through its own descriptor, since its name may be a link. */
static int label_top(int fd, const char *label)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (setxattr(path, XATTR, label, strlen(label) + 1, 0) == 0 || errno == EOPNOTSUPP ||
	    errno == EROFS)
		return 0;
	return -errno;
}

int engine_relabel_tree(int fd, const char *label, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at what is to be relabelled");
	const struct walk walk = { label, st.st_dev };
	int r = label_top(fd, label);
	if (r == 0 && S_ISDIR(st.st_mode)) {
		int folder = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = folder < 0 ? -errno : label_folder(&walk, folder, 0);
	}
	return r < 0 ? err_number(e, -r, "label files %s", label) : 0;
}

/* ---- of a container ---- */

static int open_source(struct engine *engine, const struct container_mount *mount, struct err *e)
{
	if (str_equal(mount->type, "volume"))
		return storage_volume_open(engine->store, mount->name, e);
	own_free char *path = realpath(mount->source, NULL);
	if (!path)
		return err_sys(e, "find %s", mount->source);
	int r = engine_relabel_check(path, e);
	if (r < 0)
		return r;
	own_fd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : take_fd(&fd);
}

static int relabel_mount(struct engine *engine, const struct container *c,
			 const struct container_mount *mount, const char *contexts, struct err *e)
{
	own_free char *label = engine_relabel_label(contexts, mount->relabel, c->id);
	own_fd int fd = open_source(engine, mount, e);
	int r = fd < 0 ? fd : engine_relabel_tree(fd, label, e);

	return r < 0 ? err_add(e, "--volume %s: '%s'", mount->target, mount->relabel) : 0;
}

int engine_relabel(struct engine *engine, const struct container *c, struct err *e)
{
	own_free char *contexts = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->storage.mounts.count; i++) {
		const struct container_mount *mount = &c->storage.mounts.items[i];
		bool files = str_equal(mount->type, "volume") || str_equal(mount->type, "bind");
		if (!mount->relabel || !files)
			continue;
		if (!contexts && !runtime_lsm_has_selinux())
			return 0;
		if (!contexts)
			contexts = read_contexts();
		r = relabel_mount(engine, c, mount, contexts, e);
	}
	return r;
}

int engine_relabel_process(char **process, char **files, const struct container *c, struct err *e)
{
	const char *words = c->security.label;

	*process = *files = NULL;
	if (!words || !strchr(words, ':') || str_starts(words, "disable") ||
	    strstr(words, ",disable"))
		return 0;
	if (!runtime_lsm_has_selinux())
		return err_set(e, ERR_UNSUPPORTED,
			       "--security-opt label=%s: SELinux is not active here", words);
	own_free char *contexts = read_contexts();
	*process = engine_relabel_compose(contexts, false, words, c->id);
	*files = engine_relabel_compose(contexts, true, words, c->id);
	return 0;
}
