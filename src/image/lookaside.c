#include "image/lookaside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/yaml.h"
#include "image/http.h"
#include "image/policy.h"
#include "image/reference.h"
#include "oci/digest.h"

/* ---- registries.d ---- */

/* "lookaside", which was once "sigstore", of one namespace. */
static const char *address_of(const struct yaml_node *where)
{
	const char *address = yaml_text(where, "lookaside");

	return address ? address : yaml_text(where, "sigstore");
}

/* What one file says: the nearest scope wins over all files, so *rank is its place in scopes. */
static void take_file(char **ret, size_t *rank, const struct yaml_node *file,
		      const struct strv *scopes)
{
	const struct yaml_node *docker = yaml_member(file, "docker");
	const char *address;

	for (size_t i = 0; i < *rank && i < scopes->count; i++)
		if ((address = address_of(yaml_member(docker, scopes->items[i])))) {
			mem_replace(ret, address);
			*rank = i;
		}
	if (*rank > scopes->count && (address = address_of(yaml_member(file, "default-docker")))) {
		mem_replace(ret, address);
		*rank = scopes->count;
	}
}

/* NULL: it is not there, which is no error. */
static int check_mapping(const struct yaml_node *node, const char *what, struct err *e)
{
	if (!node || node->kind == YAML_NODE_MAP)
		return 0;
	return err_set(e, ERR_INVALID, "%s:%u: it is no mapping (key: value)", what, node->line);
}

static int check(const struct yaml_node *file, const char *what, struct err *e)
{
	const struct yaml_node *docker = yaml_member(file, "docker");

	int r = check_mapping(file, what, e);
	if (r == 0)
		r = check_mapping(docker, what, e);
	if (r == 0)
		r = check_mapping(yaml_member(file, "default-docker"), what, e);
	for (const struct yaml_node *scope = docker && r == 0 ? docker->first : NULL;
	     scope && r == 0; scope = scope->next)
		r = check_mapping(scope, what, e);
	return r;
}

/* *ret is NULL for a file that says nothing. */
static int read_file(const struct yaml_node **ret, struct pool *pool, int folder_fd,
		     const char *name, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	struct yaml_node *documents;
	own_free char *what = mem_format("registries.d/%s", name);
	own_fd int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "open %s", what);
	int r = fd_read_all(fd, YAML_BYTES_MAX, &text, e);
	if (r < 0)
		return err_add(e, "read %s", what);
	r = yaml_parse(&documents, pool, text.text ? text.text : "", text.length, what, e);
	if (r < 0)
		return r;
	*ret = documents->first;
	return check(*ret, what, e);
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
		own_clear(pool_clear) struct pool pool = { 0 };
		const struct yaml_node *file = NULL;
		if (!str_ends(entry->d_name, ".yaml"))
			continue;
		int r = read_file(&file, &pool, dirfd(dir), entry->d_name, e);
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
