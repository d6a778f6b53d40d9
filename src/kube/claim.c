#include "kube/claim.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "kube/spec.h"
#include "kube/write.h"
#include "storage/store.h"
#include "storage/volume.h"

const struct kube_claim_option kube_claim_options[KUBE_CLAIM_OPTIONS] = {
	{ "volume.podman.io/type", "type", NULL },
	{ "volume.podman.io/device", "device", NULL },
	{ "volume.podman.io/uid", "o", "uid=" },
	{ "volume.podman.io/gid", "o", "gid=" },
	{ "volume.podman.io/mount-options", "o", "" },
};

/* The option o without what has an annotation of its own. */
static void add_o(struct json_object *to, const char *o)
{
	own_clear(strv_clear) struct strv parts = { 0 }, rest = { 0 };

	strv_split(&parts, o, ',');
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.items[i];
		if (str_starts(part, "uid=") || str_starts(part, "gid="))
			kube_spec_text(to,
				       part[0] == 'u' ? "volume.podman.io/uid"
						      : "volume.podman.io/gid",
				       part + 4);
		else
			strv_add(&rest, part);
	}
	own_free char *joined = strv_join(&rest, ",");
	kube_spec_text(to, "volume.podman.io/mount-options", joined);
}

static struct json_object *make_metadata(const struct storage_volume *volume)
{
	struct json_object *to = json_object_new_object();
	struct json_object *annotations = json_object_new_object();
	struct json_object *labels = json_object_new_object();
	const char *o = shape_map_get(&volume->options, "o");

	kube_spec_text(annotations, "volume.podman.io/driver", "local");
	for (size_t i = 0; i < KUBE_CLAIM_OPTIONS; i++)
		if (!kube_claim_options[i].part)
			kube_spec_text(
				annotations, kube_claim_options[i].annotation,
				shape_map_get(&volume->options, kube_claim_options[i].option));
	if (o)
		add_o(annotations, o);
	for (size_t i = 0; i < volume->labels.count; i++)
		if (!str_starts(volume->labels.items[i].key, "org.holm."))
			json_object_object_add(
				labels, volume->labels.items[i].key,
				json_object_new_string(volume->labels.items[i].value));
	json_object_object_add(to, "annotations", annotations);
	kube_spec_add(to, "labels", labels);
	kube_spec_text(to, "name", volume->name);
	return to;
}

/* A claim has to ask for so much of it, and a way to share it; a folder has neither. */
static struct json_object *make_spec(void)
{
	struct json_object *to = json_object_new_object(), *modes = json_object_new_array();
	struct json_object *resources = json_object_new_object();
	struct json_object *requests = json_object_new_object();

	json_object_array_add(modes, json_object_new_string("ReadWriteOnce"));
	kube_spec_text(requests, "storage", "1Gi");
	json_object_object_add(resources, "requests", requests);
	json_object_object_add(to, "accessModes", modes);
	json_object_object_add(to, "resources", resources);
	return to;
}

int kube_claim_write(struct str *to, struct engine *engine, const char *name, struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };

	int r = storage_volume_read(&volume, engine->store, name, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND, "there is no pod, container or volume %s", name);
	if (r < 0)
		return r;
	own_json struct json_object *object = json_object_new_object();
	kube_spec_text(object, "apiVersion", "v1");
	kube_spec_text(object, "kind", "PersistentVolumeClaim");
	json_object_object_add(object, "metadata", make_metadata(&volume));
	json_object_object_add(object, "spec", make_spec());
	return kube_write(to, object, e);
}
