#include "image/lookaside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/http.h"
#include "image/policy.h"
#include "image/reference.h"
#include "image/yaml.h"
#include "oci/digest.h"

/* ---- registries.d ---- */

/* "lookaside", which was once "sigstore", of one namespace. */
static const char *address_of(struct json_object *where)
{
	static const char *const names[] = { "lookaside", "sigstore" };
	struct json_object *member = NULL;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (json_object_object_get_ex(where, names[i], &member) &&
		    json_object_is_type(member, json_type_string))
			return json_object_get_string(member);
	return NULL;
}

/* What one file says: the nearest scope wins over all files, so *rank is its place in scopes. */
static void take_file(char **ret, size_t *rank, struct json_object *file, const struct strv *scopes)
{
	struct json_object *docker = NULL, *where = NULL;
	const char *address;

	if (json_object_object_get_ex(file, "docker", &docker))
		for (size_t i = 0; i < *rank && i < scopes->count; i++)
			if (json_object_object_get_ex(docker, scopes->items[i], &where) &&
			    (address = address_of(where))) {
				mem_replace(ret, address);
				*rank = i;
			}
	if (*rank > scopes->count && json_object_object_get_ex(file, "default-docker", &where) &&
	    (address = address_of(where))) {
		mem_replace(ret, address);
		*rank = scopes->count;
	}
}

static int read_file(struct json_object **ret, int folder_fd, const char *name, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *what = mem_format("registries.d/%s", name);
	own_fd int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "open %s", what);
	int r = fd_read_all(fd, IMAGE_YAML_BYTES_MAX, &text, e);
	if (r < 0)
		return err_add(e, "read %s", what);
	return image_yaml_parse(ret, text.text ? text.text : "", text.length, what, e);
}

static DIR *open_folder(void)
{
	const char *home = getenv("HOME");
	own_free char *own_folder =
		mem_format("%s/.config/containers/registries.d", home ? home : "");
	DIR *dir = str_empty(home) ? NULL : opendir(own_folder);

	return dir ? dir : opendir("/etc/containers/registries.d");
}

static char *default_folder(void)
{
	const char *home = getenv("HOME");

	if (geteuid() == 0 || str_empty(home))
		return mem_text("file:///var/lib/containers/sigstore");
	return mem_format("file://%s/.local/share/containers/sigstore", home);
}

int image_lookaside_find(char **ret, const struct image_reference *ref, struct err *e)
{
	own_clear(strv_clear) struct strv scopes = { 0 };
	own_free char *found = NULL;
	own_dir DIR *dir = open_folder();
	size_t rank = SIZE_MAX;
	const struct dirent *entry;

	image_policy_scopes(&scopes, ref);
	while (dir && (entry = readdir(dir))) {
		own_json struct json_object *file = NULL;
		if (!str_ends(entry->d_name, ".yaml"))
			continue;
		int r = read_file(&file, dirfd(dir), entry->d_name, e);
		if (r < 0)
			return r;
		take_file(&found, &rank, file, &scopes);
	}
	*ret = found ? take_ptr(&found) : default_folder();
	return 0;
}

/* ---- signatures ---- */

static int collect(void *context, const void *bytes, size_t length, struct err *e)
{
	struct str *text = context;

	if (text->length + length > IMAGE_LOOKASIDE_SIGNATURE_MAX)
		return err_set(e, ERR_CORRUPT, "a signature of more than %d MiB",
			       IMAGE_LOOKASIDE_SIGNATURE_MAX >> 20);
	str_add_n(text, bytes, length);
	return 0;
}

static int read_url(struct str *to, const char *url, struct image_http *http, struct err *e)
{
	own_clear(image_http_response_clear) struct image_http_response response = { 0 };
	struct byte_sink sink = { collect, to };
	struct image_http_request request = { .url = url,
					      .limit_s = IMAGE_HTTP_SMALL_S,
					      .sink = &sink };
	int r = image_http_perform(http, &request, &response, e);

	if (r < 0)
		return r;
	if (response.status == 200)
		return 1;
	if (response.status == 404)
		return 0;
	return err_set(e, ERR_UNREACHABLE, "status %ld", response.status);
}

static int read_path(struct str *to, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "open");
	int r = fd_read_all(fd, IMAGE_LOOKASIDE_SIGNATURE_MAX, to, e);
	return r < 0 ? r : 1;
}

int image_lookaside_read(struct str *to, const char *base, const struct image_reference *ref,
			 const char *digest, int i, struct image_http *http, struct err *e)
{
	own_free char *url = mem_format("%s/%s@sha256=%s/signature-%d", base, ref->path,
					oci_digest_hex(digest), i);
	int r;

	if (str_starts(url, "file:///"))
		r = read_path(to, url + strlen("file://"), e);
	else if (str_starts(url, "http://") || str_starts(url, "https://"))
		r = read_url(to, url, http, e);
	else
		r = err_set(e, ERR_INVALID, "neither file:/// nor http");
	return r < 0 ? err_add(e, "signature %s", url) : r;
}
