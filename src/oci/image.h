/* image.h - images as bytes: descriptor, manifest, index and config of OCI image-spec v1.1 and of
 * Docker's schema 2, which differ in media types alone. Documents are parsed strictly: what is
 * read is bounded (image manifest 4 MiB, depth 64), has a valid digest and size everywhere, and is
 * either a manifest or an index (CVE-2021-41190), or it is refused with ERR_CORRUPT. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "oci/digest.h"

struct err;

#define OCI_MEDIA_MANIFEST   "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_INDEX      "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_CONFIG     "application/vnd.oci.image.config.v1+json"
#define OCI_MEDIA_LAYER      "application/vnd.oci.image.layer.v1.tar"
#define OCI_MEDIA_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_MEDIA_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
/* Layers whose bytes may lie elsewhere, at the descriptor's urls. Deprecated, and still around. */
#define OCI_MEDIA_FOREIGN         "application/vnd.oci.image.layer.nondistributable.v1.tar"
#define OCI_MEDIA_FOREIGN_GZIP    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
#define OCI_MEDIA_FOREIGN_ZSTD    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
#define DOCKER_MEDIA_FOREIGN_GZIP "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

#define OCI_MEDIA_EMPTY "application/vnd.oci.empty.v1+json"

#define DOCKER_MEDIA_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_MEDIA_LIST       "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MEDIA_CONFIG     "application/vnd.docker.container.image.v1+json"
#define DOCKER_MEDIA_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define DOCKER_MEDIA_LAYER      "application/vnd.docker.image.rootfs.diff.tar"
#define DOCKER_MEDIA_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

/* In an index.json: the name of the image, in holm's store the full reference. */
#define OCI_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
/* What containerd and docker save write there: the full reference, the former being the tag. */
#define OCI_ANNOTATION_CONTAINERD_NAME "io.containerd.image.name"

enum {
	OCI_IMAGE_MANIFEST_MAX = 4 << 20, /* distribution-spec v1.1: at least this much is taken */
	OCI_IMAGE_CONFIG_MAX = 4 << 20,
	OCI_IMAGE_LAYERS_MAX = 512, /* overlayfs takes 500 */
	OCI_IMAGE_INDEX_MAX = 4096, /* manifests in one index */
};
#define OCI_IMAGE_BLOB_MAX (INT64_C(1) << 40) /* size of a descriptor */

struct oci_platform {
	char *architecture; /* Go's names: "amd64", "arm64" */
	char *os;           /* "linux" */
	char *os_version;
	char *variant; /* "v7", "v8" */
};

struct oci_descriptor {
	char *media_type;
	char *digest; /* "sha256:HEX" */
	int64_t size; /* 0 to OCI_IMAGE_BLOB_MAX */
	struct strv urls;
	struct shape_map annotations;
	struct oci_platform *platform; /* NULL: not said */
	char *artifact_type;
};

struct oci_manifest {
	int64_t schema_version; /* 2 */
	char *media_type;       /* NULL: an OCI manifest that does not say it */
	char *artifact_type;
	struct oci_descriptor config;
	SHAPE_LIST_OF(struct oci_descriptor) layers; /* lowest first */
	struct oci_descriptor *subject;
	struct shape_map annotations;
};

struct oci_index {
	int64_t schema_version;
	char *media_type;
	SHAPE_LIST_OF(struct oci_descriptor) manifests;
	struct shape_map annotations;
};

/* Times in nanoseconds, 0: the default. */
struct oci_healthcheck {
	struct strv test; /* {"CMD", ...}, {"CMD-SHELL", "..."}, {"NONE"} or empty: inherited */
	int64_t interval;
	int64_t timeout;
	int64_t start_period;
	int64_t start_interval;
	int64_t retries;
};

/* What a container made from the image runs with, in Docker's shape and names. */
struct oci_image_process {
	char *user;
	struct strv exposed_ports; /* "80/tcp" */
	struct strv env;
	struct strv entrypoint;
	struct strv cmd;
	struct strv volumes; /* paths in the container */
	char *working_dir;
	struct shape_map labels;
	char *stop_signal;
	int64_t *stop_timeout; /* seconds */
	struct oci_healthcheck *healthcheck;
	struct strv shell;
	struct strv on_build;
};

struct oci_image_history {
	char *created;
	char *created_by;
	char *author;
	char *comment;
	bool empty_layer;
};

struct oci_image_rootfs {
	char *type; /* "layers" */
	struct strv diff_ids;
};

struct oci_image_config {
	char *created; /* RFC 3339 */
	char *author;
	char *architecture;
	char *variant;
	char *os;
	char *os_version;
	struct oci_image_process config;
	struct oci_image_rootfs rootfs;
	SHAPE_LIST_OF(struct oci_image_history) history;
};

extern const struct shape oci_descriptor_shape;
extern const struct shape oci_manifest_shape;
extern const struct shape oci_index_shape;
extern const struct shape oci_healthcheck_shape;
extern const struct shape oci_image_process_shape;
extern const struct shape oci_image_config_shape;

void oci_manifest_clear(struct oci_manifest *manifest);
void oci_index_clear(struct oci_index *index);
void oci_image_config_clear(struct oci_image_config *config);

/* Takes its layers away, and the history that tells of them. */
void oci_image_config_forget_layers(struct oci_image_config *config);

/* What a media type (without parameters) or a document is. */
enum oci_document {
	OCI_DOCUMENT_UNKNOWN,
	OCI_DOCUMENT_MANIFEST,
	OCI_DOCUMENT_INDEX,
};
enum oci_document oci_image_document(const char *media_type);

/* Which of the two length bytes of JSON are: by mediaType if the document has one, else by its
 * members. media_type: what the descriptor or the Content-Type says (NULL: nothing); the two must
 * agree. ERR_CORRUPT if it is neither or both; ERR_UNSUPPORTED for Docker's schema 1. */
int oci_image_detect(const char *text, size_t length, const char *media_type,
		     enum oci_document *ret, struct err *e);

/* Each parses and checks one document; the caller clears. */
int oci_manifest_parse(struct oci_manifest *to, const char *text, size_t length, struct err *e);
int oci_index_parse(struct oci_index *to, const char *text, size_t length, struct err *e);
int oci_image_config_parse(struct oci_image_config *to, const char *text, size_t length,
			   struct err *e);

/* Do manifest and config speak of the same number of layers? ERR_CORRUPT if not. */
int oci_image_check_layers(const struct oci_manifest *manifest,
			   const struct oci_image_config *config, struct err *e);

/* Is this the media type of a layer holm can unpack? (foreign layers are not) */
bool oci_image_is_layer(const char *media_type);

/* "os/arch[/variant]" as people type it into *to, zeroed before; free with oci_platform_clear.
 * A missing os is "linux"; x86_64 and aarch64 are understood. NULL is this machine's. ERR_INVALID.
 */
int oci_platform_parse(struct oci_platform *to, const char *text, struct err *e);
void oci_platform_host(struct oci_platform *to); /* of this machine; the caller clears */

/* Does that text name this machine, whatever its variant? */
bool oci_platform_is_host(const char *text);
void oci_platform_clear(struct oci_platform *platform);

/* The entry of index for want: exact first, then one without variant, then (arm) the next lower
 * variant; entries that are attestations ("unknown/unknown") never. Returns its number, or
 * ERR_NOT_FOUND naming what there is. */
int oci_index_choose(const struct oci_index *index, const struct oci_platform *want, struct err *e);
