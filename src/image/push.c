#include "image/push.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/find.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/list.h"
#include "image/place.h"
#include "image/registry.h"
#include "image/report.h"
#include "image/save.h"
#include "image/send.h"
#include "image/source.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/store.h"

/* One tag to push, and the image that it is to mean. */
struct tag {
	char *tag;
	struct image_send send;
};

struct pushing {
	const struct image_push *push;
	struct storage_index index;
	struct image_place place;
	SHAPE_LIST_OF(struct tag) tags;
};

static void clear_pushing(struct pushing *p)
{
	for (size_t i = 0; i < p->tags.count; i++) {
		free(p->tags.items[i].tag);
		image_send_clear(&p->tags.items[i].send);
	}
	free(p->tags.items);
	image_place_clear(&p->place);
	storage_index_clear(&p->index);
}

/* ---- what, and where to ---- */

static int check_destination(const struct image_reference *ref, const char *text, struct err *e)
{
	if (!ref->digest)
		return 0;
	err_set(e, ERR_INVALID, "%s: a digest is no name to push to", text);
	return err_hint(e, "name a tag: the digest follows from the image");
}

/* The name that the image has is the one it goes to; a short one is what registries.conf makes of
 * it, or docker.io's. */
static int expand(const struct pushing *p, struct image_reference *ref, struct err *e)
{
	own(image_registries_free) struct image_registries *registries = NULL;
	own_clear(image_registries_clear_references) struct image_references all = { 0 };
	int r = ref->domain_given ? 0 : image_registries_load(&registries, e);

	if (r < 0 || ref->domain_given)
		return r;
	r = image_registries_expand(registries, ref, &all, e);
	for (size_t i = 0; r == 0 && i < all.items.count; i++) {
		own_free char *full = image_reference_format(&all.items.items[i]);
		if (!storage_index_find(&p->index, full))
			continue;
		image_reference_clear(ref);
		image_reference_copy(ref, &all.items.items[i]);
		return 0;
	}
	return r;
}

static int parse_destination(struct image_reference *ref, const char *text, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	int r = image_source_parse(&source, text, e);

	if (r == 0)
		r = image_reference_parse(ref, source.name, e);
	return r < 0 ? r : check_destination(ref, text, e);
}

static int add_tag(struct pushing *p, const struct storage_entry *entry, const char *name,
		   struct err *e)
{
	struct tag *tag = shape_list_add(&p->tags);

	tag->tag = mem_text(name);
	tag->send.chunk = p->push->chunk;
	int r = image_send_read(&tag->send, p->push->store, entry->digest, entry->media_type, e);
	if (r == 0)
		image_send_find_mounts(&tag->send, p->push->store, &p->index, &p->place);
	return r;
}

static int add_all_tags(struct pushing *p, struct err *e)
{
	own_free char *name = image_reference_name(&p->place.ref);
	size_t length = strlen(name);

	for (size_t i = 0; i < p->index.entries.count; i++) {
		const struct storage_entry *entry = &p->index.entries.items[i];
		const char *own = entry->reference;
		if (!own || strncmp(own, name, length) != 0 || own[length] != ':')
			continue;
		int r = add_tag(p, entry, own + length + 1, e);
		if (r < 0)
			return r;
	}
	if (p->tags.count)
		return 0;
	return err_set(e, ERR_NOT_FOUND, "no image has the name %s",
		       image_reference_familiar(name));
}

static int add_one_tag(struct pushing *p, const char *name, const char *destination, struct err *e)
{
	own_free char *full = image_reference_format(&p->place.ref);
	const struct storage_entry *entry = NULL;
	struct storage_entry stored;

	if (destination) {
		int r = image_find_stored(&stored, &p->index, p->push->store, name, e);
		return r < 0 ? r : add_tag(p, &stored, p->place.ref.tag, e);
	}
	entry = storage_index_find(&p->index, full);
	if (entry)
		return add_tag(p, entry, p->place.ref.tag, e);
	err_set(e, ERR_NOT_FOUND, "no image has the name %s", image_reference_familiar(full));
	return err_hint(e, "give it to one: holm tag IMAGE %s", image_reference_familiar(full));
}

static int check_all_tags(const char *name, const char *destination, struct err *e)
{
	const char *slash = strrchr(name, '/');

	if (destination)
		return err_set(e, ERR_INVALID, "--all-tags and a destination exclude each other");
	if (strchr(slash ? slash : name, ':'))
		return err_set(e, ERR_INVALID, "%s: a tag and --all-tags exclude each other", name);
	return 0;
}

static int prepare(struct pushing *p, const char *name, const char *destination, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	const struct image_push *push = p->push;
	int r = push->all_tags ? check_all_tags(name, destination, e) : 0;

	if (r == 0)
		r = storage_index_read(&p->index, push->store, e);
	if (r == 0)
		r = parse_destination(&ref, destination ? destination : name, e);
	if (r == 0 && !destination)
		r = expand(p, &ref, e);
	if (r == 0)
		r = image_place_find_primary(&p->place, &ref, push->access, e);
	p->place.push = true;
	if (r < 0)
		return r;
	return push->all_tags ? add_all_tags(p, e) : add_one_tag(p, name, destination, e);
}

/* ---- pushing ---- */

static int push_tag(struct pushing *p, struct image_registry *registry, const struct tag *tag,
		    struct err *e)
{
	const struct image_push *push = p->push;
	own_free char *name = image_reference_name(&p->place.ref);
	own_free char *full = mem_format("%s:%s", name, tag->tag);
	int64_t size = 0;
	int r = image_send_run(&tag->send, push->store, registry, push->report, tag->tag, &size, e);

	if (r < 0)
		return err_add(e, "%s", image_reference_familiar(full));
	image_report_pushed(push->report, tag->send.image.digest, full, size);
	return 0;
}

static int push_all(struct pushing *p, struct err *e)
{
	own(image_registry_free) struct image_registry *registry = image_place_registry(&p->place);
	own_free char *name = image_reference_name(&p->place.ref);
	int r = 0;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not start");
	image_report_note(p->push->report, "The push refers to repository [%s]", name);
	for (size_t i = 0; r == 0 && i < p->tags.count; i++)
		r = push_tag(p, registry, &p->tags.items[i], e);
	curl_global_cleanup();
	return r;
}

int image_push(const struct image_push *push, const char *name, const char *destination,
	       struct err *e)
{
	own_clear(clear_pushing) struct pushing p = { .push = push };

	/* nothing of it may be collected meanwhile */
	own_fd int lock = store_lock_layers_shared(push->store, e);
	if (lock < 0)
		return lock;
	int r = prepare(&p, name, destination, e);
	if (r == 0)
		r = image_jail_enter(push->store, e);
	return r < 0 ? r : push_all(&p, e);
}

/* ---- the verb ---- */

static int save_instead(const struct image_invocation *invocation, const struct image_source *to,
			struct err *e)
{
	static const enum image_save_format formats[] = {
		[IMAGE_FROM_OCI] = IMAGE_SAVE_OCI_FOLDER,
		[IMAGE_FROM_OCI_ARCHIVE] = IMAGE_SAVE_OCI_ARCHIVE,
		[IMAGE_FROM_DOCKER_ARCHIVE] = IMAGE_SAVE_DOCKER_ARCHIVE,
		[IMAGE_FROM_DIR] = IMAGE_SAVE_FOLDER,
	};
	struct image_save save = {
		.store = invocation->store,
		.format = formats[to->transport],
		.path = to->path,
		.names = invocation->operands,
		.count = 1,
		.as = to->name,
		.platform = &invocation->platform,
	};

	return image_save(&save, e);
}

/* Of a name that an image has, too, the image is meant. */
static bool is_list(const struct image_invocation *invocation)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	const char *name = invocation->operands[0];
	const struct storage_entry *entry;
	struct err ignored;

	if (image_reference_parse(&ref, name, &ignored) < 0)
		return false;
	own_free char *full = image_reference_format(&ref);
	return storage_list_exists(invocation->store, full) &&
	       storage_index_read(&index, invocation->store, &ignored) == 0 &&
	       image_find(&index, name, &entry, &ignored) < 0;
}

static int push_list(const struct image_invocation *invocation, struct err *e)
{
	char *operands[] = { (char *)"push", invocation->operands[0], NULL, NULL };
	struct image_invocation list = *invocation;

	list.operands = operands;
	list.count = invocation->count + 1;
	if (invocation->count == 2)
		operands[2] = invocation->operands[1];
	return image_list_verb(&list, e);
}

int image_push_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_source_clear) struct image_source to = { 0 };
	const char *destination = invocation->count == 2 ? invocation->operands[1] : NULL;
	struct image_push push = { invocation->store, invocation->report, &invocation->access,
				   invocation->all_tags, invocation->chunk };

	if (invocation->count < 1 || invocation->count > 2)
		return err_set(e, ERR_INVALID, "expected an image, and perhaps a destination");
	int r = destination ? image_source_parse(&to, destination, e) : 0;
	if (r < 0)
		return r;
	switch (to.transport) {
	case IMAGE_FROM_REGISTRY:
		if (!invocation->all_tags && is_list(invocation))
			return push_list(invocation, e);
		return image_push(&push, invocation->operands[0], destination, e);
	case IMAGE_FROM_OCI:
	case IMAGE_FROM_OCI_ARCHIVE:
	case IMAGE_FROM_DOCKER_ARCHIVE:
	case IMAGE_FROM_DIR:
		return save_instead(invocation, &to, e);
	default:
		err_set(e, ERR_UNSUPPORTED, "%s: nothing is pushed there", destination);
		return err_hint(e, "to a registry, oci:, oci-archive:, docker-archive: or dir:");
	}
}
