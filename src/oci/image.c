#include "oci/image.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define FIELD(type, member) offsetof(struct type, member)

static const struct shape platform_shape = {
	sizeof(struct oci_platform),
	(const struct shape_field[]){
		{ "architecture", SHAPE_STRING, FIELD(oci_platform, architecture) },
		{ "os", SHAPE_STRING, FIELD(oci_platform, os) },
		{ "os.version", SHAPE_STRING, FIELD(oci_platform, os_version) },
		{ "variant", SHAPE_STRING, FIELD(oci_platform, variant) },
		{ 0 },
	},
};

const struct shape oci_descriptor_shape = {
	sizeof(struct oci_descriptor),
	(const struct shape_field[]){
		{ "mediaType", SHAPE_STRING, FIELD(oci_descriptor, media_type), .keep = true },
		{ "digest", SHAPE_STRING, FIELD(oci_descriptor, digest), .keep = true },
		{ "size", SHAPE_INT, FIELD(oci_descriptor, size), .keep = true },
		{ "urls", SHAPE_STRINGS, FIELD(oci_descriptor, urls) },
		{ "annotations", SHAPE_MAP, FIELD(oci_descriptor, annotations) },
		{ "platform", SHAPE_OPTIONAL_OBJECT, FIELD(oci_descriptor, platform),
		  &platform_shape },
		{ "artifactType", SHAPE_STRING, FIELD(oci_descriptor, artifact_type) },
		{ 0 },
	},
};

const struct shape oci_manifest_shape = {
	sizeof(struct oci_manifest),
	(const struct shape_field[]){
		{ "schemaVersion", SHAPE_INT, FIELD(oci_manifest, schema_version), .keep = true },
		{ "mediaType", SHAPE_STRING, FIELD(oci_manifest, media_type) },
		{ "artifactType", SHAPE_STRING, FIELD(oci_manifest, artifact_type) },
		{ "config", SHAPE_OBJECT, FIELD(oci_manifest, config), &oci_descriptor_shape,
		  .keep = true },
		{ "layers", SHAPE_LIST, FIELD(oci_manifest, layers), &oci_descriptor_shape,
		  .keep = true },
		{ "subject", SHAPE_OPTIONAL_OBJECT, FIELD(oci_manifest, subject),
		  &oci_descriptor_shape },
		{ "annotations", SHAPE_MAP, FIELD(oci_manifest, annotations) },
		{ 0 },
	},
};

const struct shape oci_index_shape = {
	sizeof(struct oci_index),
	(const struct shape_field[]){
		{ "schemaVersion", SHAPE_INT, FIELD(oci_index, schema_version), .keep = true },
		{ "mediaType", SHAPE_STRING, FIELD(oci_index, media_type) },
		{ "manifests", SHAPE_LIST, FIELD(oci_index, manifests), &oci_descriptor_shape,
		  .keep = true },
		{ "annotations", SHAPE_MAP, FIELD(oci_index, annotations) },
		{ 0 },
	},
};

const struct shape oci_healthcheck_shape = {
	sizeof(struct oci_healthcheck),
	(const struct shape_field[]){
		{ "Test", SHAPE_STRINGS, FIELD(oci_healthcheck, test) },
		{ "Interval", SHAPE_INT, FIELD(oci_healthcheck, interval) },
		{ "Timeout", SHAPE_INT, FIELD(oci_healthcheck, timeout) },
		{ "StartPeriod", SHAPE_INT, FIELD(oci_healthcheck, start_period) },
		{ "StartInterval", SHAPE_INT, FIELD(oci_healthcheck, start_interval) },
		{ "Retries", SHAPE_INT, FIELD(oci_healthcheck, retries) },
		{ 0 },
	},
};

const struct shape oci_image_process_shape = {
	sizeof(struct oci_image_process),
	(const struct shape_field[]){
		{ "User", SHAPE_STRING, FIELD(oci_image_process, user) },
		{ "ExposedPorts", SHAPE_KEYS, FIELD(oci_image_process, exposed_ports) },
		{ "Env", SHAPE_STRINGS, FIELD(oci_image_process, env) },
		{ "Entrypoint", SHAPE_STRINGS, FIELD(oci_image_process, entrypoint) },
		{ "Cmd", SHAPE_STRINGS, FIELD(oci_image_process, cmd) },
		{ "Volumes", SHAPE_KEYS, FIELD(oci_image_process, volumes) },
		{ "WorkingDir", SHAPE_STRING, FIELD(oci_image_process, working_dir) },
		{ "Labels", SHAPE_MAP, FIELD(oci_image_process, labels) },
		{ "StopSignal", SHAPE_STRING, FIELD(oci_image_process, stop_signal) },
		{ "StopTimeout", SHAPE_OPTIONAL_INT, FIELD(oci_image_process, stop_timeout) },
		{ "Healthcheck", SHAPE_OPTIONAL_OBJECT, FIELD(oci_image_process, healthcheck),
		  &oci_healthcheck_shape },
		{ "Shell", SHAPE_STRINGS, FIELD(oci_image_process, shell) },
		{ "OnBuild", SHAPE_STRINGS, FIELD(oci_image_process, on_build) },
		{ 0 },
	},
};

static const struct shape history_shape = {
	sizeof(struct oci_image_history),
	(const struct shape_field[]){
		{ "created", SHAPE_STRING, FIELD(oci_image_history, created) },
		{ "created_by", SHAPE_STRING, FIELD(oci_image_history, created_by) },
		{ "author", SHAPE_STRING, FIELD(oci_image_history, author) },
		{ "comment", SHAPE_STRING, FIELD(oci_image_history, comment) },
		{ "empty_layer", SHAPE_BOOL, FIELD(oci_image_history, empty_layer) },
		{ 0 },
	},
};

static const struct shape rootfs_shape = {
	sizeof(struct oci_image_rootfs),
	(const struct shape_field[]){
		{ "type", SHAPE_STRING, FIELD(oci_image_rootfs, type), .keep = true },
		{ "diff_ids", SHAPE_STRINGS, FIELD(oci_image_rootfs, diff_ids), .keep = true },
		{ 0 },
	},
};

const struct shape oci_image_config_shape = {
	sizeof(struct oci_image_config),
	(const struct shape_field[]){
		{ "created", SHAPE_STRING, FIELD(oci_image_config, created) },
		{ "author", SHAPE_STRING, FIELD(oci_image_config, author) },
		{ "architecture", SHAPE_STRING, FIELD(oci_image_config, architecture),
		  .keep = true },
		{ "variant", SHAPE_STRING, FIELD(oci_image_config, variant) },
		{ "os", SHAPE_STRING, FIELD(oci_image_config, os), .keep = true },
		{ "os.version", SHAPE_STRING, FIELD(oci_image_config, os_version) },
		{ "config", SHAPE_OBJECT, FIELD(oci_image_config, config), &oci_image_process_shape,
		  .keep = true },
		{ "rootfs", SHAPE_OBJECT, FIELD(oci_image_config, rootfs), &rootfs_shape,
		  .keep = true },
		{ "history", SHAPE_LIST, FIELD(oci_image_config, history), &history_shape },
		{ 0 },
	},
};

void oci_manifest_clear(struct oci_manifest *manifest)
{
	shape_clear(&oci_manifest_shape, manifest);
}

void oci_index_clear(struct oci_index *index)
{
	shape_clear(&oci_index_shape, index);
}

void oci_image_config_clear(struct oci_image_config *config)
{
	shape_clear(&oci_image_config_shape, config);
}

void oci_image_config_forget_layers(struct oci_image_config *config)
{
	for (size_t i = 0; i < config->history.count; i++)
		shape_clear(&history_shape, &config->history.items[i]);
	config->history.count = 0;
	strv_clear(&config->rootfs.diff_ids);
}

enum oci_document oci_image_document(const char *media_type)
{
	if (str_equal(media_type, OCI_MEDIA_MANIFEST) ||
	    str_equal(media_type, DOCKER_MEDIA_MANIFEST))
		return OCI_DOCUMENT_MANIFEST;
	if (str_equal(media_type, OCI_MEDIA_INDEX) || str_equal(media_type, DOCKER_MEDIA_LIST))
		return OCI_DOCUMENT_INDEX;
	return OCI_DOCUMENT_UNKNOWN;
}

bool oci_image_is_layer(const char *media_type)
{
	static const char *const known[] = {
		OCI_MEDIA_LAYER,           OCI_MEDIA_LAYER_GZIP,   OCI_MEDIA_LAYER_ZSTD,
		DOCKER_MEDIA_LAYER_GZIP,   DOCKER_MEDIA_LAYER,     DOCKER_MEDIA_LAYER_ZSTD,
		OCI_MEDIA_FOREIGN,         OCI_MEDIA_FOREIGN_GZIP, OCI_MEDIA_FOREIGN_ZSTD,
		DOCKER_MEDIA_FOREIGN_GZIP,
	};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_equal(media_type, known[i]))
			return true;
	return false;
}

/* ---- telling a manifest from an index ---- */

/* CVE-2021-41190: one text that is a manifest to one reader and an index to another. */
static int detect_members(struct json_object *object, enum oci_document *ret, struct err *e)
{
	bool manifest = json_object_object_get_ex(object, "layers", NULL) ||
			json_object_object_get_ex(object, "config", NULL);
	bool index = json_object_object_get_ex(object, "manifests", NULL);

	if (json_object_object_get_ex(object, "fsLayers", NULL))
		return err_set(
			e, ERR_UNSUPPORTED,
			"the manifest is of Docker's old schema 1, which holm does not read");
	if (manifest && index)
		return err_set(e, ERR_CORRUPT, "both an image manifest and an index");
	if (!manifest && !index)
		return err_set(e, ERR_CORRUPT, "neither an image manifest nor an index");
	*ret = manifest ? OCI_DOCUMENT_MANIFEST : OCI_DOCUMENT_INDEX;
	return 0;
}

static int detect_agrees(enum oci_document found, const char *media_type, const char *where,
			 struct err *e)
{
	enum oci_document said = oci_image_document(media_type);

	if (said != OCI_DOCUMENT_UNKNOWN && said != found)
		return err_set(e, ERR_CORRUPT, "%s says '%s', which this document is not", where,
			       media_type);
	return 0;
}

static int detect_object(struct json_object *object, const char *media_type, enum oci_document *ret,
			 struct err *e)
{
	enum oci_document found = OCI_DOCUMENT_UNKNOWN;
	struct json_object *own = NULL;

	if (!json_object_is_type(object, json_type_object))
		return err_set(e, ERR_CORRUPT, "manifest: not an object");
	int r = detect_members(object, &found, e);
	if (r < 0)
		return r;

	if (json_object_object_get_ex(object, "mediaType", &own)) {
		const char *text = json_object_get_string(own);
		if (!json_object_is_type(own, json_type_string))
			return err_set(e, ERR_CORRUPT, "mediaType: not a string");
		if (oci_image_document(text) == OCI_DOCUMENT_UNKNOWN)
			return err_set(e, ERR_UNSUPPORTED, "unknown manifest type '%.100s'", text);
		r = detect_agrees(found, text, "mediaType", e);
		if (r < 0)
			return r;
	}
	r = detect_agrees(found, media_type, "its descriptor", e);
	if (r == 0)
		*ret = found;
	return r;
}

int oci_image_detect(const char *text, size_t length, const char *media_type,
		     enum oci_document *ret, struct err *e)
{
	own_json struct json_object *object = NULL;

	if (length > OCI_IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "a manifest of %zu bytes is too long", length);
	int r = json_parse(&object, text, length, "manifest", e);
	return r < 0 ? r : detect_object(object, media_type, ret, e);
}

/* ---- parsing and checking ---- */

static int check_descriptor(const struct oci_descriptor *d, const char *what, struct err *e)
{
	int r = oci_digest_check(d->digest, what, e);
	if (r < 0)
		return r;
	if (d->size < 0 || d->size > OCI_IMAGE_BLOB_MAX)
		return err_set(e, ERR_CORRUPT, "%s: a size of %lld bytes", what,
			       (long long)d->size);
	if (str_empty(d->media_type))
		return err_set(e, ERR_CORRUPT, "%s: no mediaType", what);
	return 0;
}

static int check_manifest(const struct oci_manifest *manifest, struct err *e)
{
	if (manifest->schema_version != 2)
		return err_set(e, ERR_CORRUPT, "manifest: schemaVersion is %lld, not 2",
			       (long long)manifest->schema_version);
	int r = check_descriptor(&manifest->config, "manifest: config", e);
	if (r < 0)
		return r;
	if (manifest->layers.count > OCI_IMAGE_LAYERS_MAX)
		return err_set(e, ERR_CORRUPT, "manifest: %zu layers, more than %d",
			       manifest->layers.count, OCI_IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < manifest->layers.count; i++)
		if (check_descriptor(&manifest->layers.items[i], "layer", e) < 0)
			return err_add(e, "manifest: layers[%zu]", i);
	return 0;
}

static int check_index(const struct oci_index *index, struct err *e)
{
	if (index->schema_version != 2)
		return err_set(e, ERR_CORRUPT, "index: schemaVersion is %lld, not 2",
			       (long long)index->schema_version);
	if (index->manifests.count > OCI_IMAGE_INDEX_MAX)
		return err_set(e, ERR_CORRUPT, "index: %zu manifests, more than %d",
			       index->manifests.count, OCI_IMAGE_INDEX_MAX);
	for (size_t i = 0; i < index->manifests.count; i++)
		if (check_descriptor(&index->manifests.items[i], "manifest", e) < 0)
			return err_add(e, "index: manifests[%zu]", i);
	return 0;
}

/* Parses text, whose kind must be want. */
static int parse_document(struct json_object **ret, const char *text, size_t length,
			  enum oci_document want, struct err *e)
{
	own_json struct json_object *object = NULL;
	enum oci_document found;

	if (length > OCI_IMAGE_MANIFEST_MAX)
		return err_set(e, ERR_CORRUPT, "a manifest of %zu bytes is too long", length);
	int r = json_parse(&object, text, length, "manifest", e);
	if (r == 0)
		r = detect_object(object, NULL, &found, e);
	if (r < 0)
		return r;
	if (found != want)
		return err_set(e, ERR_CORRUPT, "an image %s where %s was expected",
			       found == OCI_DOCUMENT_INDEX ? "index" : "manifest",
			       want == OCI_DOCUMENT_INDEX ? "an index" : "a manifest");
	*ret = take_ptr(&object);
	return 0;
}

int oci_manifest_parse(struct oci_manifest *to, const char *text, size_t length, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct oci_manifest manifest = { 0 };

	int r = parse_document(&object, text, length, OCI_DOCUMENT_MANIFEST, e);
	if (r < 0)
		return r;
	if (shape_read(&oci_manifest_shape, object, &manifest, e) < 0)
		return err_add(e, "manifest");
	r = check_manifest(&manifest, e);
	if (r < 0) {
		oci_manifest_clear(&manifest);
		return r;
	}
	*to = manifest;
	return 0;
}

int oci_index_parse(struct oci_index *to, const char *text, size_t length, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct oci_index index = { 0 };

	int r = parse_document(&object, text, length, OCI_DOCUMENT_INDEX, e);
	if (r < 0)
		return r;
	if (shape_read(&oci_index_shape, object, &index, e) < 0)
		return err_add(e, "index");
	r = check_index(&index, e);
	if (r < 0) {
		oci_index_clear(&index);
		return r;
	}
	*to = index;
	return 0;
}

static int check_config(const struct oci_image_config *config, struct err *e)
{
	const struct oci_image_rootfs *rootfs = &config->rootfs;

	if (!str_equal(rootfs->type, "layers"))
		return err_set(e, ERR_CORRUPT, "image config: rootfs.type is '%.40s', not 'layers'",
			       rootfs->type ? rootfs->type : "");
	if (rootfs->diff_ids.count > OCI_IMAGE_LAYERS_MAX)
		return err_set(e, ERR_CORRUPT, "image config: %zu layers, more than %d",
			       rootfs->diff_ids.count, OCI_IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < rootfs->diff_ids.count; i++)
		if (oci_digest_check(rootfs->diff_ids.items[i], "diff id", e) < 0)
			return err_add(e, "image config: rootfs.diff_ids[%zu]", i);
	return 0;
}

int oci_image_config_parse(struct oci_image_config *to, const char *text, size_t length,
			   struct err *e)
{
	own_json struct json_object *object = NULL;
	struct oci_image_config config = { 0 };

	if (length > OCI_IMAGE_CONFIG_MAX)
		return err_set(e, ERR_CORRUPT, "image config: %zu bytes are too many", length);
	int r = json_parse(&object, text, length, "image config", e);
	if (r < 0)
		return r;
	if (shape_read(&oci_image_config_shape, object, &config, e) < 0)
		return err_add(e, "image config");
	r = check_config(&config, e);
	if (r < 0) {
		oci_image_config_clear(&config);
		return r;
	}
	*to = config;
	return 0;
}

int oci_image_check_layers(const struct oci_manifest *manifest,
			   const struct oci_image_config *config, struct err *e)
{
	if (manifest->layers.count == config->rootfs.diff_ids.count)
		return 0;
	return err_set(e, ERR_CORRUPT, "the manifest has %zu layers, the image config %zu",
		       manifest->layers.count, config->rootfs.diff_ids.count);
}
