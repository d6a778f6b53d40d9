#include "image/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/auth_helper.h"
#include "image/base64.h"

struct entry {
	char *key;
	char *auth; /* base64 of user:password */
	char *user, *password, *token;
};

struct document {
	SHAPE_LIST_OF(struct entry) auths;
	struct shape_map helpers;
	char *store;
};

static const struct shape entry_shape = {
	sizeof(struct entry),
	(const struct shape_field[]){
		{ "", SHAPE_STRING, offsetof(struct entry, key) },
		{ "auth", SHAPE_STRING, offsetof(struct entry, auth) },
		{ "username", SHAPE_STRING, offsetof(struct entry, user) },
		{ "password", SHAPE_STRING, offsetof(struct entry, password) },
		{ "identitytoken", SHAPE_STRING, offsetof(struct entry, token) },
		{ 0 },
	},
};

static const struct shape document_shape = {
	sizeof(struct document),
	(const struct shape_field[]){
		{ "auths", SHAPE_OBJECTS, offsetof(struct document, auths), &entry_shape },
		{ "credHelpers", SHAPE_MAP, offsetof(struct document, helpers) },
		{ "credsStore", SHAPE_STRING, offsetof(struct document, store) },
		{ 0 },
	},
};

void image_auth_clear(struct image_auth *auth)
{
	free(auth->user);
	free(auth->password);
	free(auth->token);
	*auth = (struct image_auth){ 0 };
}

char *image_auth_basic(const struct image_auth *auth)
{
	own_clear(str_clear) struct str pair = { 0 };
	struct str header = { 0 };

	str_addf(&pair, "%s:%s", auth->user ? auth->user : "",
		 auth->password ? auth->password : "");
	str_add(&header, "Basic ");
	image_base64_add(&header, pair.text, pair.length);
	return str_take(&header);
}

char *image_auth_key(const char *key)
{
	bool address = str_starts(key, "https://") || str_starts(key, "http://");
	const char *host = address ? strstr(key, "://") + 3 : key;
	size_t length = address ? strcspn(host, "/") : strlen(host);

	while (length && host[length - 1] == '/')
		length--;
	own_free char *text = mem_text_n(host, length);
	if (str_equal(text, "index.docker.io") || str_equal(text, "registry-1.docker.io"))
		return mem_text("docker.io");
	return take_ptr(&text);
}

/* How long is the part of host/path that key stands for? 0: it stands for something else. */
static size_t match_length(const char *key, const char *name)
{
	own_free char *canonical = image_auth_key(key);
	size_t length = strlen(canonical);

	if (!length || strncmp(canonical, name, length) != 0)
		return 0;
	return name[length] == '\0' || name[length] == '/' ? length : 0;
}

static const struct entry *best_entry(const struct document *d, const char *host, const char *path)
{
	own_free char *name = mem_format("%s/%s", host, path);
	const struct entry *best = NULL;
	size_t best_length = 0;

	for (size_t i = 0; i < d->auths.count; i++) {
		const struct entry *entry = &d->auths.items[i];
		size_t length = match_length(entry->key, name);
		bool empty =
			str_empty(entry->auth) && str_empty(entry->token) && str_empty(entry->user);
		if (length <= best_length || empty)
			continue;
		best = entry;
		best_length = length;
	}
	return best;
}

static int take_entry(struct image_auth *auth, const struct entry *entry, const char *what,
		      struct err *e)
{
	own_clear(str_clear) struct str pair = { 0 };
	const char *colon = NULL;

	if (!str_empty(entry->token)) {
		auth->token = mem_text(entry->token);
		return 1;
	}
	if (str_empty(entry->auth)) {
		auth->user = mem_text(entry->user);
		auth->password = mem_text(entry->password);
		return 1;
	}
	if (image_base64_decode(&pair, entry->auth) == 0 && pair.length &&
	    strlen(pair.text) == pair.length)
		colon = strchr(pair.text, ':');
	if (!colon)
		return err_set(e, ERR_INVALID, "%s: auth of %s is not base64 of user:password",
			       what, entry->key);
	auth->user = mem_text_n(pair.text, (size_t)(colon - pair.text));
	auth->password = mem_text(colon + 1);
	return 1;
}

static int take_document(struct image_auth *auth, char **helper, const struct document *d,
			 const char *host, const char *path, const char *what, struct err *e)
{
	for (size_t i = 0; i < d->helpers.count; i++) {
		own_free char *key = image_auth_key(d->helpers.items[i].key);
		if (str_equal(key, host) && *d->helpers.items[i].value) {
			*helper = mem_text(d->helpers.items[i].value);
			return 0;
		}
	}
	const struct entry *entry = best_entry(d, host, path);
	if (entry)
		return take_entry(auth, entry, what, e);
	if (!str_empty(d->store))
		*helper = mem_text(d->store);
	return 0;
}

int image_auth_parse(struct image_auth *auth, char **helper, const char *text, size_t length,
		     const char *host, const char *path, const char *what, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct document d = { 0 };
	int r = json_parse(&object, text, length, what, e);

	if (r < 0)
		return r;
	r = shape_read(&document_shape, object, &d, e);
	if (r < 0)
		return err_add(e, "%s", what);
	r = take_document(auth, helper, &d, host, path, what, e);
	shape_clear(&document_shape, &d);
	return r;
}

static int open_file(const char *file)
{
	return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* 1, 0 or an error. fd: of the file. */
static int find_in_file(struct image_auth *auth, int fd, const char *file, const char *host,
			const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *helper = NULL;

	int r = fd_read_all(fd, IMAGE_AUTH_FILE_MAX, &text, e);
	if (r < 0)
		return err_add(e, "read %s", file);
	if (!text.length)
		return 0;
	r = image_auth_parse(auth, &helper, text.text, text.length, host, path, file, e);
	if (r != 0 || !helper)
		return r;
	return image_auth_helper_get(auth, helper, host, e);
}

static void add_below(struct strv *files, const char *folder, const char *name)
{
	if (!str_empty(folder))
		strv_add_take(files, path_join(folder, name));
}

/* In the order of containers-auth.json(5): the first file that knows the registry wins. */
void image_auth_default_files(struct strv *files)
{
	const char *home = getenv("HOME");
	const char *docker = getenv("DOCKER_CONFIG");

	add_below(files, getenv("XDG_RUNTIME_DIR"), "containers/auth.json");
	strv_addf(files, "/run/containers/%u/auth.json", geteuid());
	if (!str_empty(getenv("XDG_CONFIG_HOME")))
		add_below(files, getenv("XDG_CONFIG_HOME"), "containers/auth.json");
	else
		add_below(files, home, ".config/containers/auth.json");
	if (!str_empty(docker))
		add_below(files, docker, "config.json");
	else
		add_below(files, home, ".docker/config.json");
}

int image_auth_find(struct image_auth *auth, const struct image_auth_files *files, const char *host,
		    const char *path, struct err *e)
{
	own_clear(strv_clear) struct strv defaults = { 0 };
	const char *only = files->file ? files->file : getenv("REGISTRY_AUTH_FILE");

	if (!str_empty(only)) {
		own_fd int fd = open_file(only);
		return fd < 0 ? err_sys(e, "open %s", only)
			      : find_in_file(auth, fd, only, host, path, e);
	}
	image_auth_default_files(&defaults);
	for (size_t i = 0; i < defaults.count; i++) {
		own_fd int fd = open_file(defaults.items[i]);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		if (fd < 0)
			return err_sys(e, "open %s", defaults.items[i]);
		int r = find_in_file(auth, fd, defaults.items[i], host, path, e);
		if (r != 0)
			return r;
	}
	return 0;
}
