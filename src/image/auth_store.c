#include "image/auth_store.h"

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
#include "base/str.h"
#include "base/strv.h"
#include "image/auth.h"
#include "image/auth_helper.h"

/* ---- the text of a file ---- */

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(object, name, &found);
	return found;
}

/* As docker writes it; all that docker and others read. Docker finds its hub under an old name. */
static void set_login(struct json_object *auths, const char *key, const struct image_auth *auth,
		      const char *what)
{
	bool hub = str_equal(key, "docker.io") && str_ends(what, "/config.json");
	own_free char *basic = image_auth_basic(auth);
	struct json_object *entry = json_object_new_object();

	json_object_object_add(entry, "auth", json_object_new_string(basic + strlen("Basic ")));
	json_object_object_add(auths, hub ? "https://index.docker.io/v1/" : key, entry);
}

/* Every spelling of key goes. Returns whether there was one. */
static bool remove_logins(struct json_object *auths, const char *key)
{
	own_clear(strv_clear) struct strv gone = { 0 };

	json_object_object_foreach (auths, name, value) {
		own_free char *canonical = image_auth_key(name);
		(void)value;
		if (!key || str_equal(canonical, key))
			strv_add(&gone, name);
	}
	for (size_t i = 0; i < gone.count; i++)
		json_object_object_del(auths, gone.items[i]);
	return gone.count > 0;
}

static char *helper_of(struct json_object *object, const char *key)
{
	struct json_object *helpers = member(object, "credHelpers");
	const char *name = json_object_get_string(member(object, "credsStore"));

	if (key && json_object_is_type(helpers, json_type_object)) {
		json_object_object_foreach (helpers, host, value) {
			own_free char *canonical = image_auth_key(host);
			if (str_equal(canonical, key))
				name = json_object_get_string(value);
		}
	}
	return str_empty(name) ? NULL : mem_text(name);
}

static int parse_document(struct json_object **ret, const char *text, const char *what,
			  struct err *e)
{
	struct json_object *auths;
	int r = json_parse(ret, *text ? text : "{}", *text ? strlen(text) : 2, what, e);

	if (r < 0)
		return r;
	struct json_object *object = *ret;

	if (!json_object_is_type(object, json_type_object))
		return err_set(e, ERR_INVALID, "%s: not a JSON object", what);
	auths = member(object, "auths");
	if (auths && !json_object_is_type(auths, json_type_object))
		return err_set(e, ERR_INVALID, "%s: auths: not an object", what);
	return 0;
}

int image_auth_store_edit(char **ret, char **helper, const char *text, const char *key,
			  const struct image_auth *auth, const char *what, struct err *e)
{
	own_json struct json_object *object = NULL;
	int r = parse_document(&object, text, what, e);

	if (r < 0)
		return r;
	*ret = NULL;
	*helper = helper_of(object, key);
	if (auth && *helper)
		return 0;
	struct json_object *auths = member(object, "auths");
	if (!auths) {
		auths = json_object_new_object();
		json_object_object_add(object, "auths", auths);
	}
	bool removed = remove_logins(auths, key);
	if (auth)
		set_login(auths, key, auth, what);
	if (auth || removed)
		*ret = mem_format("%s\n", json_object_to_json_string_ext(
						  object, JSON_C_TO_STRING_PRETTY |
								  JSON_C_TO_STRING_SPACED |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

/* ---- the file ---- */

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_text(".");
	return slash == path ? mem_text("/") : mem_text_n(path, (size_t)(slash - path));
}

static int make_folders(const char *folder, struct err *e)
{
	own_free char *above = folder_of(folder);

	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || str_equal(above, folder))
		return err_sys(e, "make folder %s", folder);
	int r = make_folders(above, e);
	if (r == 0 && mkdir(folder, 0700) < 0 && errno != EEXIST)
		r = err_sys(e, "make folder %s", folder);
	return r;
}

/* The lock is the folder's: the file itself is replaced. */
static int lock_folder(const char *path, bool make, struct err *e)
{
	own_free char *folder = folder_of(path);
	int r = make ? make_folders(folder, e) : 0;

	if (r < 0)
		return r;
	own_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", folder);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(e, "lock %s", folder);
	return take_fd(&fd);
}

/* "" for a file that is not there. */
static int read_text(struct str *to, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	str_add(to, "");
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(fd, IMAGE_AUTH_FILE_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", path) : 0;
}

/* With auth: keeps it; without: forgets. *changed: the file was written, or a helper was told. */
static int edit_file(const char *path, const char *key, const struct image_auth *auth,
		     bool *changed, char **helper, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *edited = NULL;
	/* who keeps the file elsewhere and has a link here goes on doing so */
	own_free char *real = realpath(path, NULL);
	const char *file = real ? real : path;

	own_fd int lock = lock_folder(file, auth != NULL, e);
	if (lock < 0)
		return lock;
	int r = read_text(&text, file, e);
	if (r == 0)
		r = image_auth_store_edit(&edited, helper, text.text ? text.text : "", key, auth,
					  path, e);
	if (r < 0 || !edited)
		return r;
	*changed = true;
	return fd_write_file_at(AT_FDCWD, file, edited, strlen(edited), 0600, e);
}

/* ---- which file ---- */

/* Docker's own file, whose helpers are asked wherever the login would go otherwise. */
static char *docker_file(void)
{
	const char *docker = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");

	if (!str_empty(docker))
		return path_join(docker, "config.json");
	return str_empty(home) ? NULL : path_join(home, ".docker/config.json");
}

static char *default_file(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *home = getenv("HOME");

	if (!str_empty(getenv("DOCKER_CONFIG")))
		return docker_file();
	if (!str_empty(runtime))
		return path_join(runtime, "containers/auth.json");
	if (geteuid() != 0 && !str_empty(home))
		return path_join(home, ".config/containers/auth.json");
	return mem_format("/run/containers/%u/auth.json", geteuid());
}

static int find_docker_helper(char **helper, const char *key, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = NULL;
	own_free char *file = docker_file();
	int r = file ? read_text(&text, file, e) : 0;

	if (r < 0 || !text.length)
		return r;
	r = parse_document(&object, text.text, file, e);
	if (r == 0)
		*helper = helper_of(object, key);
	return r;
}

static int store_with_helper(const char *helper, const char *key, const struct image_auth *auth,
			     char **where, struct err *e)
{
	int r = image_auth_helper_store(auth, helper, key, e);

	if (r == 0)
		*where = mem_format("docker-credential-%s", helper);
	return r;
}

int image_auth_store(const struct image_auth_files *files, const char *key,
		     const struct image_auth *auth, char **where, struct err *e)
{
	const char *only = files->file ? files->file : getenv("REGISTRY_AUTH_FILE");
	own_free char *file = str_empty(only) ? default_file() : mem_text(only);
	own_free char *helper = NULL;
	bool changed = false;
	int r = str_empty(only) ? find_docker_helper(&helper, key, e) : 0;

	if (r == 0 && !helper)
		r = edit_file(file, key, auth, &changed, &helper, e);
	if (r == 0 && helper)
		return store_with_helper(helper, key, auth, where, e);
	if (r == 0)
		*where = take_ptr(&file);
	return r;
}

static int forget_in_file(const char *file, const char *key, bool *found, struct err *e)
{
	own_free char *helper = NULL;
	int r = access(file, F_OK) == 0 ? edit_file(file, key, NULL, found, &helper, e) : 0;

	if (r < 0 || !helper || !key)
		return r;
	r = image_auth_helper_erase(helper, key, e);
	*found = *found || r > 0;
	return r < 0 ? r : 0;
}

int image_auth_store_forget(const struct image_auth_files *files, const char *key, bool *found,
			    struct err *e)
{
	const char *only = files->file ? files->file : getenv("REGISTRY_AUTH_FILE");
	own_clear(strv_clear) struct strv all = { 0 };
	int r = 0;

	*found = false;
	if (str_empty(only))
		image_auth_default_files(&all);
	else
		strv_add(&all, only);
	for (size_t i = 0; r == 0 && i < all.count; i++)
		r = forget_in_file(all.items[i], key, found, e);
	return r;
}
