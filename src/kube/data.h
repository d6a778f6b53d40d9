/* data.h - what ConfigMaps and Secrets hold, by the names that pods give: of the files that are
 * played, and Secrets of holm's own store, too, where each key is one: NAME.KEY. */
#pragma once
#include <stdbool.h>

#include "kube/set.h"

struct err;
struct store;

/* Of secrets that were made by kube play (storage/secret.h): of which Secret, or for which pod. */
#define KUBE_DATA_LABEL_SECRET "org.holm.kube.secret"
#define KUBE_DATA_LABEL_POD    "org.holm.kube.pod"
/* Of volumes of a pod's own: "emptyDir", "ConfigMap" or "Secret", and of which one. */
#define KUBE_DATA_LABEL_KIND "org.holm.kube.kind"
#define KUBE_DATA_LABEL_OF   "org.holm.kube.of"

struct kube_datum {
	const char *key;
	const char *bytes; /* closed by a NUL that length does not count */
	size_t length;
	const char *secret; /* its name in holm's store; NULL: it is no secret */
	unsigned line;
};

struct kube_data {
	struct kube_datum *items; /* the pool's of the set */
	size_t count;
};

struct kube_data_source {
	struct kube_set *set;
	const struct store *store; /* NULL: none is asked */
};

/* All of the object, read once however often it is asked for. kind and name live as long as the
 * set. ERR_NOT_FOUND; ERR_INVALID: bad base64, a key that is no name. */
int kube_data_of(struct kube_data *ret, const struct kube_data_source *source, const char *kind,
		 const char *name, struct err *e);

const struct kube_datum *kube_data_find(const struct kube_data *data, const char *key);
