/* invocation.h - one run of holm-image: what its command line says, for the function of its
 * verb. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "image/place.h"
#include "oci/id_map.h"
#include "oci/image.h"

struct err;
struct image_report;
struct store;

struct image_invocation {
	struct store *store;
	struct image_report *report;
	struct oci_platform platform; /* --platform, else this machine's */
	struct image_access access;   /* --authfile, --tls-verify; credentials */
	bool all_tags;                /* --all-tags */
	int64_t chunk;                /* --chunk-size: bytes of one request of a push; 0: all */
	bool all, amend, purge;       /* --all, --amend, --purge: of lists */
	const char *message;          /* --message, or NULL */
	const char *mirror;           /* --mirror: of a template, or NULL */
	bool whole;                   /* --whole: of a pull, see image/layers.h */
	struct strv changes;          /* --change: instructions, see oci/instruction.h */
	int folder_fd;                /* --folder-fd, or -1 */
	int request_fd;               /* --request-fd, or -1 */
	struct strv left_out;         /* --leave-out: paths below the folder */
	struct oci_id_map ids;        /* --map-uid, --map-gid: CONTAINER:HOST:COUNT */
	bool docker_types;            /* --docker-types: of a commit */
	bool without_root;            /* --without-root */
	char **operands;              /* behind the verb and its options, closed by NULL */
	size_t count;
};

/* A verb: looks at its operands, does its work, reports the image. Table in main.c. */
typedef int image_verb(const struct image_invocation *invocation, struct err *e);
