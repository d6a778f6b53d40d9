#include "image/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/reference.h"

static const struct transport {
	const char *prefix;
	enum image_transport transport;
	bool named; /* a second colon separates the path from a name inside */
} transports[] = {
	{ "docker://", IMAGE_FROM_REGISTRY, false },
	{ "oci:", IMAGE_FROM_OCI, true },
	{ "oci-archive:", IMAGE_FROM_OCI_ARCHIVE, true },
	{ "docker-archive:", IMAGE_FROM_DOCKER_ARCHIVE, true },
	{ "dir:", IMAGE_FROM_DIR, false },
	{ "tar:", IMAGE_FROM_TAR, false },
	{ "disk:", IMAGE_FROM_DISK, false },
	{ "template:", IMAGE_FROM_TEMPLATE, false },
};

static const struct transport *find_transport(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(transports); i++)
		if (str_starts(text, transports[i].prefix))
			return &transports[i];
	return NULL;
}

static int parse_registry(struct image_source *source, const char *text, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, text, e);

	if (r < 0)
		return r;
	*source = (struct image_source){ IMAGE_FROM_REGISTRY, NULL, mem_text(text) };
	return 0;
}

static bool is_word(const char *text, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	return length && length <= 64 && text[0] != '-' && text[0] != '.' &&
	       strspn(text, allowed) >= length;
}

/* "debian/bookworm", "debian/bookworm/system", "busybox", "busybox/system". */
static int check_template(const char *path, struct err *e)
{
	size_t first = strcspn(path, "/");
	const char *rest = path + first;
	size_t second = *rest ? strcspn(rest + 1, "/") : 0;

	bool one = !*rest || str_equal(rest, IMAGE_TEMPLATE_SYSTEM);
	bool two = second && is_word(rest + 1, second) &&
		   (!rest[1 + second] || str_equal(rest + 1 + second, IMAGE_TEMPLATE_SYSTEM));
	if (is_word(path, first) && (one || two))
		return 0;
	err_set(e, ERR_INVALID, "template \"%.100s\": not a distribution and a release", path);
	return err_hint(e, "write it as template:debian/bookworm");
}

int image_source_parse(struct image_source *source, const char *text, struct err *e)
{
	const struct transport *t = find_transport(text);

	if (!t)
		return parse_registry(source, text, e);

	const char *path = text + strlen(t->prefix);
	if (t->transport == IMAGE_FROM_REGISTRY)
		return parse_registry(source, path, e);
	const char *colon = t->named ? strchr(path, ':') : NULL;
	size_t length = colon ? (size_t)(colon - path) : strlen(path);
	if (!length)
		return err_set(e, ERR_INVALID, "image \"%.300s\": no path behind %s", text,
			       t->prefix);
	if (t->transport == IMAGE_FROM_TEMPLATE) {
		int r = check_template(path, e);
		if (r < 0)
			return r;
	}
	*source = (struct image_source){ t->transport, mem_text_n(path, length),
					 colon && colon[1] ? mem_text(colon + 1) : NULL };
	return 0;
}

void image_source_clear(struct image_source *source)
{
	free(source->path);
	free(source->name);
	*source = (struct image_source){ 0 };
}

char *image_source_stored_name(const struct image_source *source)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err e;

	if (source->transport == IMAGE_FROM_TEMPLATE)
		return mem_format("template:%s", source->path);
	if (source->transport != IMAGE_FROM_REGISTRY ||
	    image_reference_parse(&ref, source->name, &e) < 0)
		return NULL;
	return image_reference_format(&ref);
}

/* "disk:" or "tar:", NULL for what does not end so or is no file here. */
static const char *transport_of_file(const char *text)
{
	static const struct {
		const char *ending, *transport;
	} rows[] = {
		{ ".img", "disk:" },      { ".raw", "disk:" },   { ".ext4", "disk:" },
		{ ".squashfs", "disk:" }, { ".erofs", "disk:" }, { ".tar", "tar:" },
		{ ".tgz", "tar:" },       { ".tar.gz", "tar:" }, { ".tar.zst", "tar:" },
		{ ".txz", "tar:" },       { ".tar.xz", "tar:" }, { ".tar.bz2", "tar:" },
	};
	struct stat st;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (str_ends(text, rows[i].ending))
			return stat(text, &st) == 0 && S_ISREG(st.st_mode) ? rows[i].transport
									   : NULL;
	return NULL;
}

char *image_source_for(const char *text, bool system)
{
	const char *transport = system ? transport_of_file(text) : NULL;

	if (transport)
		return mem_format("%s%s", transport, text);
	bool bare =
		system && str_starts(text, "template:") && !str_ends(text, IMAGE_TEMPLATE_SYSTEM);

	return bare ? mem_format("%s" IMAGE_TEMPLATE_SYSTEM, text) : mem_text(text);
}
