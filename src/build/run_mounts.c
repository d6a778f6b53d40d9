#include "build/run_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/rename.h"
#include "base/str.h"
#include "build/build.h"
#include "build/copy.h"
#include "build/forward.h"
#include "build/given.h"
#include "build/layer_sum.h"
#include "build/places.h"
#include "build/source.h"
#include "build/step.h"
#include "build/sum.h"
#include "engine/engine.h"
#include "storage/store.h"

enum { SECRET_BYTES_MAX = 500 << 10 /* as docker */, PRIVATE_CACHES_MAX = 64 };

void build_run_mounts_clear(struct build_run_mounts *mounts)
{
	for (size_t i = 0; i < mounts->items.count; i++) {
		build_mount_clear(&mounts->items.items[i].mount);
		build_tree_clear(&mounts->items.items[i].tree);
	}
	free(mounts->items.items);
	for (size_t i = 0; i < mounts->locks.count; i++)
		close(mounts->locks.items[i]);
	free(mounts->locks.items);
	for (size_t i = 0; i < mounts->forwards.count; i++)
		build_forward_stop(mounts->forwards.items[i]);
	free(mounts->forwards.items);
	if (mounts->step)
		build_run_folder_remove(&mounts->run_folder, mounts->step->build->engine->store);
	free(mounts->env_files);
	storage_layer_end(&mounts->places);
	*mounts = (struct build_run_mounts){ 0 };
}

/* ---- what is asked for ---- */

static struct build_tree_options options_of(const struct build_source *source,
					    const struct build *build)
{
	return (struct build_tree_options){
		.ignore = source->ignore,
		.owners = source->owners,
		.stop_fd = build->stop.fd,
		.cache = source->stays ? build->engine->store : NULL,
	};
}

static const char *path_in(const struct build_run_mount *mount)
{
	return mount->mount.source ? mount->mount.source : "/";
}

/* For who copies it. */
static int read_tree(struct build_run_mount *to, const struct build_source *source,
		     const struct build *build, struct err *e)
{
	const struct build_tree_options options = options_of(source, build);

	return to->tree.items.count
		       ? 0
		       : build_tree_read(&to->tree, source->fd, path_in(to), &options, e);
}

static int read_bind(struct build_run_mount *to, const struct build_step *step, struct err *e)
{
	own_clear(build_source_close) struct build_source source = BUILD_SOURCE_NONE;

	int r = build_source_open(&source, step, to->mount.from, e);
	if (r < 0)
		return r;
	const struct build_tree_options options = options_of(&source, step->build);
	return build_layer_sum_read(to->sum, &to->tree, &source, path_in(to), &options,
				    step->build->engine->store, e);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where it is in the container. */
static void set_target(struct build_mount *mount, const struct build_step *step)
{
	const char *folder = step->state->config.config.working_dir;
	own_free char *whole = NULL;

	if (!mount->id)
		mount->id = mem_text(mount->type == BUILD_MOUNT_SSH ? "default"
				     : mount->type == BUILD_MOUNT_SECRET && mount->source
					     ? mount->source
				     : mount->type == BUILD_MOUNT_SECRET ? last_part(mount->target)
									 : mount->target);
	if (!mount->target && mount->type == BUILD_MOUNT_SECRET && !mount->env)
		mount->target = mem_format("/run/secrets/%s", mount->id);
	if (!mount->target && mount->type == BUILD_MOUNT_SSH)
		mount->target = mem_text("/run/buildkit/ssh_agent.0");
	if (!mount->target)
		return;
	whole = *mount->target == '/' ? mem_text(mount->target)
				      : path_join(str_empty(folder) ? "/" : folder, mount->target);
	free(mount->target);
	mount->target = path_clean(whole);
}

static int read_mount(struct build_run_mounts *to, const char *text, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(to->step);
	struct build_run_mount *mount = shape_list_add(&to->items);
	own_free char *expanded = NULL;

	*mount = (struct build_run_mount){ 0 };
	int r = build_word_expand(&expanded, text, &scope, e);
	if (r == 0)
		r = build_mount_parse(&mount->mount, expanded, e);
	if (r < 0)
		return r;
	set_target(&mount->mount, to->step);
	if (mount->mount.target && !mount->mount.target[1])
		return err_set(e, ERR_INVALID, "--mount=%.100s: / cannot be the target", text);
	if (mount->mount.type == BUILD_MOUNT_BIND)
		r = read_bind(mount, to->step, e);
	return r < 0 ? err_add(e, "--mount=%.100s", text) : 0;
}

int build_run_mounts_read(struct build_run_mounts *ret, const struct build_step *step,
			  struct err *e)
{
	const struct strv *flags = &step->at->flags;
	int r = 0;

	ret->step = step;
	for (size_t i = 0; r == 0 && i < flags->count; i++)
		if (str_starts(flags->items[i], "mount="))
			r = read_mount(ret, flags->items[i] + strlen("mount="), e);
	return r;
}

void build_run_mounts_sum(struct storage_hash *hash, const struct build_run_mounts *mounts)
{
	build_sum_add_number(hash, (long long)mounts->items.count);
	for (size_t i = 0; i < mounts->items.count; i++) {
		const struct build_run_mount *mount = &mounts->items.items[i];
		build_sum_add_number(hash, mount->mount.type);
		build_sum_add(hash, mount->mount.target);
		build_sum_add(hash, mount->mount.env);
		if (mount->mount.type == BUILD_MOUNT_BIND)
			build_sum_add_bytes(hash, mount->sum, sizeof(mount->sum));
	}
}

/* ---- binds: a copy, without what is ignored, and with nothing that a link could lead to ---- */

static char *bind_path(const struct build *build, size_t folder, const struct build_tree *tree)
{
	char *path = build_state_folder(build->engine->store, build->folders.items[folder].name);

	if (S_ISDIR(tree->items.items[0].mode))
		return path;
	own_free char *above = path;
	return path_join(above, "file");
}

static int make_bind(char **ret, struct build_run_mounts *mounts, struct build_run_mount *mount,
		     struct err *e)
{
	own_clear(build_source_close) struct build_source source = BUILD_SOURCE_NONE;
	struct build *build = mounts->step->build;
	size_t folder;

	int r = build_source_open(&source, mounts->step, mount->mount.from, e);
	if (r == 0)
		r = read_tree(mount, &source, build, e);
	if (r == 0)
		r = build_step_folder(build, &folder, e);
	if (r < 0)
		return r;
	const struct build_copy_options options = {
		.from_fd = source.fd,
		.from = path_in(mount),
		.to_fd = build->folders.items[folder].fs_fd,
		.to = S_ISDIR(mount->tree.items.items[0].mode) ? "/" : "/file",
	};
	r = build_copy(&mount->tree, &options, e);
	if (r == 0)
		*ret = bind_path(build, folder, &mount->tree);
	return r;
}

/* ---- caches ---- */

static char *cache_name(const struct build_mount *mount, int number)
{
	char digest[DIGEST_TEXT_SIZE];

	storage_hash_bytes(mount->id, strlen(mount->id), digest);
	return number ? mem_format(BUILD_CACHES "/%s.%d", oci_digest_hex(digest), number)
		      : mem_format(BUILD_CACHES "/%s", oci_digest_hex(digest));
}

/* The folder, locked: for itself, or with the others that share it. */
static int lock_cache(char **ret_name, const struct store *store, const struct build_mount *mount,
		      struct err *e)
{
	bool is_private = mount->sharing == BUILD_MOUNT_PRIVATE;
	int how = mount->sharing == BUILD_MOUNT_SHARED ? LOCK_SH : LOCK_EX;

	for (int number = 0; number < PRIVATE_CACHES_MAX; number++) {
		own_free char *name = cache_name(mount, number);
		if (mkdirat(store->root_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make a cache");
		int fd = store_lock_folder(store->root_fd, name, how | (is_private ? LOCK_NB : 0),
					   e);
		if (fd < 0 && is_private && e->kind == ERR_STATE)
			continue;
		if (fd >= 0)
			*ret_name = take_ptr(&name);
		return fd;
	}
	return err_set(e, ERR_STATE, "%d builds use the cache %s", PRIVATE_CACHES_MAX, mount->id);
}

/* What it has at first: nothing, or what from= shows. */
static int fill_cache(int folder_fd, const char *name, const struct build_run_mounts *mounts,
		      struct build_run_mount *mount, struct err *e)
{
	own_clear(build_source_close) struct build_source source = BUILD_SOURCE_NONE;

	own_fd int data = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data < 0)
		return err_sys(e, "open a new cache");
	if (mount->mount.from) {
		int r = build_source_open(&source, mounts->step, mount->mount.from, e);
		if (r == 0)
			r = read_tree(mount, &source, mounts->step->build, e);
		const struct build_copy_options options = {
			.from_fd = source.fd,
			.from = path_in(mount),
			.to_fd = data,
			.to = "/",
		};
		if (r == 0)
			r = build_copy(&mount->tree, &options, e);
		if (r < 0)
			return r;
	}
	if (fchown(data, mount->mount.uid, mount->mount.gid) < 0 ||
	    fchmod(data, mount->mount.mode) < 0)
		return err_sys(e, "set the owner of a new cache");
	return 0;
}

/* Others that share it may do the same: the first one counts. */
static int begin_cache(int folder_fd, const struct build_run_mounts *mounts,
		       struct build_run_mount *mount, struct err *e)
{
	own_free char *name = mem_format("new-%d", (int)getpid());
	struct stat st;

	if (fstatat(folder_fd, "data", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	int r = fd_remove_tree_at(folder_fd, name, e);
	if (r == 0 && mkdirat(folder_fd, name, 0700) < 0)
		r = err_sys(e, "make a cache");
	if (r == 0)
		r = fill_cache(folder_fd, name, mounts, mount, e);
	if (r < 0)
		return r;
	r = rename_new_at(folder_fd, name, folder_fd, "data");
	if (r == -EEXIST)
		return fd_remove_tree_at(folder_fd, name, e);
	return r < 0 ? err_number(e, -r, "make a cache") : 0;
}

static int make_cache(char **ret, struct build_run_mounts *mounts, struct build_run_mount *mount,
		      struct err *e)
{
	const struct store *store = mounts->step->build->engine->store;
	own_free char *name = NULL;

	if (mkdirat(store->root_fd, BUILD_CACHES, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make a place for caches");
	own_fd int fd = lock_cache(&name, store, &mount->mount, e);
	if (fd < 0)
		return fd;
	int r = begin_cache(fd, mounts, mount, e);
	if (r < 0)
		return r;
	futimens(fd, NULL); /* the collector takes the oldest */
	*ret = mem_format("%s/%s/data", store->root, name);
	*shape_list_add(&mounts->locks) = take_fd(&fd);
	return 0;
}

/* ---- secrets ---- */

static char *name_of(const struct build_run_mounts *mounts, const struct build_run_mount *mount)
{
	return mem_format("%zu", (size_t)(mount - mounts->items.items));
}

static char *path_of(const struct build_run_mounts *mounts, const char *name)
{
	return mem_format("%s/%s/%s", mounts->step->build->engine->store->run,
			  mounts->run_folder.name, name);
}

static int read_secret(struct str *to, const struct build_given *given, struct err *e)
{
	if (given->env) {
		const char *value = getenv(given->env);
		if (!value)
			return err_set(e, ERR_NOT_FOUND, "--secret id=%s: there is no variable %s",
				       given->id, given->env);
		str_add(to, value);
		return 0;
	}
	int r = fd_read_file_at(AT_FDCWD, given->file, SECRET_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "--secret id=%s", given->id) : 0;
}

static int write_secret(char **ret, struct build_run_mounts *mounts,
			const struct build_run_mount *at, const struct str *bytes, struct err *e)
{
	const struct store *store = mounts->step->build->engine->store;
	const struct build_mount *mount = &at->mount;
	own_free char *name = name_of(mounts, at);
	int r = build_run_folder_make(&mounts->run_folder, store, e);

	if (r < 0)
		return r;
	own_fd int fd =
		openat(mounts->run_folder.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make a secret");
	r = fd_write_all(fd, bytes->text ? bytes->text : "", bytes->length);
	if (r < 0)
		return err_number(e, -r, "write a secret");
	if (fchown(fd, mount->uid, mount->gid) < 0 || fchmod(fd, mount->mode & 0777) < 0)
		return err_sys(e, "set the owner of a secret");
	*ret = path_of(mounts, name);
	return 0;
}

static int not_given(const struct build_mount *mount, const char *option, struct err *e)
{
	if (!mount->required)
		return 0;
	err_set(e, ERR_NOT_FOUND, "%s is required, and nobody gave it", mount->id);
	return err_hint(e, "holm build %s ...", option);
}

static int make_secret(char **ret, struct build_run_mounts *mounts,
		       const struct build_run_mount *at, struct err *e)
{
	const struct build_mount *mount = &at->mount;
	own_clear(build_given_clear) struct build_given given = { 0 };
	own_clear(str_clear) struct str bytes = { 0 };
	own_free char *option = mem_format("--secret id=%s,src=FILE", mount->id);

	int r = build_given_secret(&given, mounts->step->build->o, mount->id, e);
	if (r == 0)
		return not_given(mount, option, e);
	if (r > 0)
		r = read_secret(&bytes, &given, e);
	return r < 0 ? r : write_secret(ret, mounts, at, &bytes, e);
}

/* The agent's socket, that of --ssh's key files or one that was there. 1; 0: nobody gave it. */
static int find_agent(char **ret, const struct build *build, const char *id, struct err *e)
{
	own_clear(build_given_clear) struct build_given given = { 0 };
	const char *own = build_agents_find(&build->agents, id);

	int r = own ? 1 : build_given_ssh(&given, build->o, id, e);
	if (r > 0)
		*ret = own ? mem_text(own) : take_ptr(&given.file);
	return r;
}

static int make_ssh(char **ret, struct build_run_mounts *mounts, const struct build_run_mount *at,
		    struct create_options *to, struct err *e)
{
	const struct build_mount *mount = &at->mount;
	own_free char *option = mem_format("--ssh %s", mount->id);
	own_free char *name = name_of(mounts, at), *agent = NULL;
	pid_t child = 0;

	int r = find_agent(&agent, mounts->step->build, mount->id, e);
	if (r == 0)
		return not_given(mount, option, e);
	if (r > 0)
		r = build_run_folder_make(&mounts->run_folder, mounts->step->build->engine->store,
					  e);
	const struct build_forward forward = {
		.folder_fd = mounts->run_folder.fd,
		.name = name,
		.to = agent,
		.uid = mount->uid,
		.gid = mount->gid,
		.mode = mount->mode & 0777,
	};
	if (r == 0)
		r = build_forward_start(&child, &forward, e);
	if (r < 0)
		return err_add(e, "--ssh %s", mount->id);
	*shape_list_add(&mounts->forwards) = child;
	*ret = path_of(mounts, name);
	strv_addf(&to->env, "SSH_AUTH_SOCK=%s", mount->target);
	return 0;
}

/* ---- all of them ---- */

/* CSV: a field with a comma or a quote in it is quoted. */
static char *field(const char *key, const char *value)
{
	struct str text = { 0 };

	str_addf(&text, "\"%s=", key);
	for (; *value; value++) {
		if (*value == '"')
			str_add_char(&text, '"');
		str_add_char(&text, *value);
	}
	str_add_char(&text, '"');
	return str_take(&text);
}

static void add_bind(struct create_options *to, const char *source, const struct build_mount *mount)
{
	own_free char *from = field("source", source), *target = field("target", mount->target);

	strv_addf(&to->mount, "type=bind,%s,%s%s", from, target,
		  mount->writable || mount->type == BUILD_MOUNT_SSH ? "" : ",readonly");
}

static void add_tmpfs(struct create_options *to, const struct build_mount *mount)
{
	own_free char *target = field("target", mount->target);
	own_free char *size =
		mount->size ? mem_format(",tmpfs-size=%lld", (long long)mount->size) : mem_text("");

	strv_addf(&to->mount, "type=tmpfs,%s%s", target, size);
}

/* The value is read by the runtime: no record and no spec has it. */
static void add_secret_env(struct json_object *files, const char *path,
			   const struct build_mount *mount)
{
	json_object_object_add(files, mount->env, json_object_new_string(path));
}

struct made {
	struct strv folders, files; /* places */
	struct json_object *env_files;
};

static void made_clear(struct made *made)
{
	strv_clear(&made->folders);
	strv_clear(&made->files);
	json_object_put(made->env_files);
}

static int make_source(char **ret, struct build_run_mounts *mounts, struct build_run_mount *mount,
		       struct create_options *to, struct err *e)
{
	switch (mount->mount.type) {
	case BUILD_MOUNT_BIND:
		return make_bind(ret, mounts, mount, e);
	case BUILD_MOUNT_CACHE:
		return make_cache(ret, mounts, mount, e);
	case BUILD_MOUNT_SECRET:
		return make_secret(ret, mounts, mount, e);
	case BUILD_MOUNT_SSH:
		return make_ssh(ret, mounts, mount, to, e);
	default:
		return 0;
	}
}

static int make_mount(struct made *made, struct build_run_mounts *mounts,
		      struct build_run_mount *mount, struct create_options *to, struct err *e)
{
	const struct build_mount *m = &mount->mount;
	own_free char *source = NULL;

	int r = make_source(&source, mounts, mount, to, e);
	if (r < 0)
		return r;
	if (m->type == BUILD_MOUNT_TMPFS)
		add_tmpfs(to, m);
	else if (!source)
		return 0; /* a secret that is not there */
	if (source && m->env)
		add_secret_env(made->env_files, source, m);
	if (source && m->target)
		add_bind(to, source, m);
	bool file = m->type == BUILD_MOUNT_SECRET || m->type == BUILD_MOUNT_SSH ||
		    (m->type == BUILD_MOUNT_BIND && !S_ISDIR(mount->tree.items.items[0].mode));
	if (m->target)
		strv_add(file ? &made->files : &made->folders, m->target);
	return 0;
}

int build_run_mounts_make(struct build_run_mounts *mounts, struct create_options *to, struct err *e)
{
	own_clear(made_clear) struct made made = { .env_files = json_object_new_object() };
	const struct store *store = mounts->step->build->engine->store;
	int r = 0;

	for (size_t i = 0; r == 0 && i < mounts->items.count; i++)
		r = make_mount(&made, mounts, &mounts->items.items[i], to, e);
	if (r == 0 && json_object_object_length(made.env_files))
		mounts->env_files = mem_text(json_text(made.env_files));
	if (r == 0 && mounts->items.count)
		r = build_places_make(&mounts->places, store, &made.folders, &made.files, e);
	return r;
}
