#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/strv.h"
#include "image/policy.h"

static void add_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static struct json_object *requirement(const char *type)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "type", type);
	return object;
}

static struct json_object *requirements(enum image_policy_kind kind, const struct strv *key_paths)
{
	struct json_object *array = json_object_new_array();

	if (kind != IMAGE_POLICY_SIGNED)
		json_object_array_add(array, requirement(kind == IMAGE_POLICY_REJECT
								 ? "reject"
								 : "insecureAcceptAnything"));
	for (size_t i = 0; kind == IMAGE_POLICY_SIGNED && i < key_paths->count; i++) {
		struct json_object *one = requirement("signedBy");
		add_text(one, "keyType", "GPGKeys");
		add_text(one, "keyPath", key_paths->items[i]);
		json_object_array_add(array, one);
	}
	return array;
}

/* The member that is an object, made where there is none. */
static struct json_object *object_in(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(object, name, &found)) {
		found = json_object_new_object();
		json_object_object_add(object, name, found);
	}
	return found;
}

static int edit_text(char **ret, const char *text, const char *what, const char *scope,
		     enum image_policy_kind kind, const struct strv *key_paths, struct err *e)
{
	static const char fresh[] = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}";
	own(image_policy_free) struct image_policy *before = NULL, *after = NULL;
	own_json struct json_object *object = NULL;

	if (!*text)
		text = fresh;
	int r = image_policy_parse(&before, text, strlen(text), what, e);
	if (r == 0)
		r = json_parse(&object, text, strlen(text), what, e);
	if (r < 0)
		return r;
	bool fallback = strcmp(scope, "default") == 0;
	struct json_object *place =
		fallback ? object : object_in(object_in(object, "transports"), "docker");
	json_object_object_add(place, scope, requirements(kind, key_paths));
	own_free char *edited = mem_format(
		"%s\n", json_object_to_json_string_ext(
				object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	r = image_policy_parse(&after, edited, strlen(edited), what, e);
	if (r == 0)
		*ret = take_ptr(&edited);
	return r;
}

/* ---- the file ---- */

/* As image_policy_read() finds it; absolute, and behind a link if somebody keeps it elsewhere. */
static int choose_file(char **ret, const char *file, struct err *e)
{
	own_clear(str_clear) struct str ignored = { 0 };
	own_free char *found = NULL, *here = getcwd(NULL, 0);
	const char *home = getenv("HOME");

	int r = file ? 0 : image_policy_read(&ignored, &found, NULL, e);
	if (r < 0)
		return r;
	if (!file)
		file = found;
	*ret = file ? realpath(file, NULL) : NULL;
	if (*ret)
		return 0;
	if (file)
		*ret = *file == '/' ? mem_text(file) : path_join(here ? here : "/", file);
	else if (geteuid() == 0 || str_empty(home))
		*ret = mem_text("/etc/containers/policy.json");
	else
		*ret = path_join(home, ".config/containers/policy.json");
	return 0;
}

/* The folder of file, made where it is missing, and locked: the file itself is replaced. */
static int lock_folder(const char *file, struct err *e)
{
	own_free char *folder = mem_text_n(file, (size_t)(strrchr(file, '/') - file));

	own_fd int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int made = path_make_dirs(top, *folder ? folder : ".", 0755, e);
	if (made < 0)
		return err_add(e, "make folder %s", folder);
	own_fd int fd = openat(made, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", folder);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_sys(e, "lock %s", folder);
	return take_fd(&fd);
}

int image_policy_edit(const char *file, const char *scope, enum image_policy_kind kind,
		      const struct strv *key_paths, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *chosen = NULL;

	int r = choose_file(&chosen, file, e);
	if (r < 0)
		return r;
	const char *name = strrchr(chosen, '/') + 1;
	own_fd int folder = lock_folder(chosen, e);
	if (folder < 0)
		return folder;
	r = fd_read_file_at(folder, name, IMAGE_POLICY_BYTES_MAX, &text, e);
	if (r < 0 && r != -ENOENT)
		return err_add(e, "%s", chosen);
	own_free char *edited = NULL;
	r = edit_text(&edited, text.text ? text.text : "", chosen, scope, kind, key_paths, e);
	return r < 0 ? r : fd_write_file_at(folder, name, edited, strlen(edited), 0644, e);
}
