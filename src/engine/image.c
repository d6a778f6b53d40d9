#include "engine/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image_step.h"
#include "engine/lists.h"
#include "image/command.h"
#include "image/reference.h"
#include "image/registries.h"
#include "image/source.h"
#include "oci/digest.h"
#include "runtime/disk.h"
#include "storage/index.h"
#include "storage/store.h"

#define EMBEDDED_REFERENCE "docker.io/library/busybox:latest"
#define EMBEDDED_ARCHIVE   "busybox.tar"

static int not_found(struct err *e, const char *name)
{
	err_set(e, ERR_NOT_FOUND, "no such image: %s", name);
	return err_hint(e, "get it with: holm pull %s", name);
}

/* A short name was pulled as what registries.conf makes of it. Read only where docker.io has
 * nothing of the name, as these files are none of the hot path's. */
static const struct storage_entry *find_short(const struct storage_index *index, const char *name)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_references) struct image_references meant = { 0 };
	own(image_registries_free) struct image_registries *registries = NULL;
	struct err ignored;

	if (image_reference_parse(&ref, name, &ignored) < 0 || ref.domain_given ||
	    image_registries_load(&registries, &ignored) < 0 ||
	    image_registries_expand(registries, &ref, &meant, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < meant.items.count; i++) {
		own_free char *full = image_reference_format(&meant.items.items[i]);
		const struct storage_entry *entry = storage_index_find(index, full);
		if (entry)
			return entry;
	}
	return NULL;
}

/* The entry of the index that name means, or *ret NULL. A name goes before an id. */
static int find_entry(const struct storage_index *index, const char *name,
		      const struct storage_entry **ret, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	struct err ignored;

	*ret = NULL;
	if (image_source_parse(&source, name, &ignored) == 0) {
		own_free char *stored = image_source_stored_name(&source);
		*ret = stored ? storage_index_find(index, stored) : NULL;
		if (!*ret && source.transport == IMAGE_FROM_REGISTRY)
			*ret = find_short(index, source.name);
		if (*ret || source.transport != IMAGE_FROM_REGISTRY)
			return 0;
	}
	const char *hex = str_starts(name, "sha256:") ? name + strlen("sha256:") : name;
	size_t digits = strspn(hex, "0123456789abcdef");
	if (digits == 0 || hex[digits])
		return 0;
	return storage_index_find_id(index, name, ret, e);
}

/* The image of a list that is for the platform (NULL: this machine's), or *ret NULL: there is no
 * such list. */
static int find_listed(struct engine *engine, const struct storage_index *index, const char *name,
		       const char *platform, const struct storage_entry **ret, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };
	own_clear(oci_platform_clear) struct oci_platform want = { 0 };
	struct err none;

	if (image_source_parse(&source, name, &none) < 0 || source.transport != IMAGE_FROM_REGISTRY)
		return 0;
	if (engine_lists_find(engine, source.name, &list, &none) < 0)
		return 0;
	int r = oci_platform_parse(&want, platform, e);
	if (r == 0)
		r = oci_index_choose(&list.index, &want, e);
	if (r < 0) {
		e->kind = ERR_UNSUPPORTED; /* nobody else has it */
		return err_add(e, "%s", name);
	}
	return storage_index_find_id(index, list.index.manifests.items[r].digest, ret, e);
}

static int find_for(struct engine *engine, const char *name, const char *platform,
		    struct storage_image *ret_image, char **ret_reference, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct storage_entry *entry;
	int r = storage_index_read(&index, engine->store, e);
	if (r < 0)
		return r;
	r = find_entry(&index, name, &entry, e);
	if (r == 0 && !entry)
		r = find_listed(engine, &index, name, platform, &entry, e);
	if (r < 0)
		return r;
	if (!entry && engine_image_step_is(name))
		return engine_image_step_find(engine, name, ret_image, e);
	if (!entry)
		return not_found(e, name);
	r = storage_image_read(ret_image, engine->store, entry->digest, e);
	if (r == 0 && ret_reference)
		*ret_reference = mem_text(entry->reference);
	return r;
}

int engine_image_find(struct engine *engine, const char *name, struct storage_image *ret_image,
		      char **ret_reference, struct err *e)
{
	return find_for(engine, name, NULL, ret_image, ret_reference, e);
}

/* overlayfs takes a folder once. Of a layer that is there twice the upper one hides all of the
 * lower one, which is left out. */
static void add_layer(struct strv *layers, const char *hex)
{
	for (size_t i = 0; i < layers->count; i++)
		if (strcmp(layers->items[i], hex) == 0) {
			strv_remove(layers, i);
			break;
		}
	strv_add(layers, hex);
}

static int fill(struct container_image *to, const char *name, const struct storage_image *image,
		char **reference)
{
	to->name = mem_text(name);
	to->reference = take_ptr(reference);
	to->id = mem_text(image->manifest.config.digest);
	to->digest = mem_text(image->digest);
	for (size_t i = 0; i < image->config.rootfs.diff_ids.count; i++)
		add_layer(&to->layers, oci_digest_hex(image->config.rootfs.diff_ids.items[i]));
	return 0;
}

/* The folder of "dir:FOLDER" is the root filesystem itself: nothing is copied, and what the
 * container writes goes to its own upper folder. */
static int use_folder(struct container_image *to, const char *name, const char *path, struct err *e)
{
	struct stat st;
	own_free char *real = realpath(path, NULL);

	if (!real || stat(real, &st) < 0)
		return err_sys(e, "%s", name);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: not a folder", name);
	to->name = mem_text(name);
	to->rootfs = take_ptr(&real);
	return 0;
}

/* What the kernel makes of a disk image is not holm's to check: SECURITY.md. */
static int use_disk(struct container_image *to, const char *name, const char *path, struct err *e)
{
	own_free char *real = realpath(path, NULL);

	if (!real)
		return err_sys(e, "%s", name);
	if (user_ids_are_mapped()) {
		err_set(e, ERR_UNSUPPORTED,
			"%s: the kernel mounts disk images for root alone, since it trusts what "
			"it reads there",
			name);
		return err_hint(e, "copy its files into a folder, and take that: dir:FOLDER");
	}
	int r = runtime_disk_check(real, e);
	if (r < 0)
		return err_add(e, "%s", name);
	to->name = mem_text(name);
	to->rootfs = take_ptr(&real);
	to->disk = true;
	return 0;
}

/* Is the stored image made for the platform that was asked for? */
static int has_platform(const struct storage_image *image, const char *platform, struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform want = { 0 };

	if (!platform)
		return 1;
	int r = oci_platform_parse(&want, platform, e);
	if (r < 0)
		return err_add(e, "--platform");
	return str_equal(want.os, image->config.os) &&
	       str_equal(want.architecture, image->config.architecture) &&
	       (!want.variant || str_equal(want.variant, image->config.variant));
}

int engine_image_find_for(struct engine *engine, const char *name, const char *platform,
			  struct storage_image *ret_image, char **ret_reference, struct err *e)
{
	int r = find_for(engine, name, platform, ret_image, ret_reference, e);

	if (r == 0)
		r = has_platform(ret_image, platform, e);
	if (r != 0)
		return r < 0 ? r : 0;
	const struct oci_image_config *config = &ret_image->config;
	err_set(e, ERR_NOT_FOUND, "%s is for %s/%s%s%s, not for %s", name, config->os,
		config->architecture, config->variant ? "/" : "",
		config->variant ? config->variant : "", platform);
	return err_hint(e, "get it with: holm pull --platform %s %s", platform, name);
}

/* The shipped archive, if it is what the name means and is there. */
static char *embedded_archive(const char *name)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	struct err ignored;

	if (image_source_parse(&source, name, &ignored) < 0)
		return NULL;
	own_free char *stored = image_source_stored_name(&source);
	if (!str_equal(stored, EMBEDDED_REFERENCE))
		return NULL;
	const char *libexec = getenv("HOLM_LIBEXEC");
	own_free char *path = mem_format("%s/" EMBEDDED_ARCHIVE, libexec ? libexec : HOLM_LIBEXEC);
	return access(path, R_OK) == 0 ? mem_format("oci-archive:%s", path) : NULL;
}

static void begin_pull(struct engine *engine, struct strv *arguments, const char *platform)
{
	image_command_begin(arguments, "pull", engine->store);
	if (platform)
		strv_addf(arguments, "--platform=%s", platform);
}

static int bring(struct engine *engine, const struct image_request *request, const char *source,
		 struct image_progress *ret, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	begin_pull(engine, &arguments, request->platform);
	if (request->mirror)
		strv_addf(&arguments, "--mirror=%s", request->mirror);
	strv_add(&arguments, source);
	return image_command_run(ret, &arguments,
				 request->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
}

static int bring_and_find(struct engine *engine, const struct image_request *request,
			  const char *source, bool quiet, struct storage_image *ret_image,
			  char **ret_reference, struct err *e)
{
	struct image_request asked = *request;
	struct image_progress got = { 0 };

	asked.quiet = quiet;
	int r = request->check ? request->check(request->arg, e) : 0;
	if (r < 0)
		return r;
	r = bring(engine, &asked, source, &got, e);
	if (r < 0)
		return r;
	engine_event_image(engine, "pull", *got.text ? NULL : got.digest, got.text);
	return engine_image_find(engine, *got.text ? got.text : got.digest, ret_image,
				 ret_reference, e);
}

static int resolve(struct engine *engine, const struct image_request *request,
		   struct storage_image *image, char **reference, struct err *e)
{
	if (request->pull != ENGINE_PULL_ALWAYS) {
		int r = find_for(engine, request->name, request->platform, image, reference, e);
		if (r < 0 && (e->kind != ERR_NOT_FOUND || engine_image_step_is(request->name)))
			return r;
		if (r == 0)
			r = has_platform(image, request->platform, e);
		if (r == 1 || (r < 0 && e->kind != ERR_NOT_FOUND))
			return r == 1 ? 0 : r;
		if (r == 0)
			not_found(e, request->name);
		storage_image_clear(image);
		free(take_ptr(reference));
	}
	if (request->pull == ENGINE_PULL_NEVER)
		return -e->number;
	bool here = request->pull == ENGINE_PULL_MISSING && oci_platform_is_host(request->platform);
	own_free char *embedded = here ? embedded_archive(request->name) : NULL;
	return bring_and_find(engine, request, embedded ? embedded : request->name,
			      embedded ? true : request->quiet, image, reference, e);
}

/* A layer that commit made is unpacked by the first who needs it, and one that was lost as well. */
static int restore_layers(struct engine *engine, const struct storage_image *image, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = storage_image_check_layers(image, engine->store, e);
	if (r == 0 || e->kind != ERR_NOT_FOUND)
		return r;
	image_command_begin(&arguments, "restore", engine->store);
	strv_add(&arguments, "--");
	strv_add(&arguments, image->digest);
	r = image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	return r < 0 ? r : storage_image_check_layers(image, engine->store, e);
}

int engine_image_resolve(struct engine *engine, const struct image_request *request,
			 struct container_image *ret, struct storage_image *ret_image,
			 struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	own_free char *reference = NULL;
	struct err ignored;

	if (str_empty(request->name))
		return err_set(e, ERR_INVALID, "an empty image name");
	int parsed = image_source_parse(&source, request->name, &ignored);
	if (parsed == 0 && source.transport == IMAGE_FROM_DIR)
		return use_folder(ret, request->name, source.path, e);
	if (parsed == 0 && source.transport == IMAGE_FROM_DISK)
		return use_disk(ret, request->name, source.path, e);
	int r = resolve(engine, request, ret_image, &reference, e);
	if (r < 0)
		return r;
	r = restore_layers(engine, ret_image, e);
	if (r < 0)
		return r;
	storage_image_touch(engine->store, ret_image->digest);
	return fill(ret, request->name, ret_image, &reference);
}

/* "docker.io/library/nginx@sha256:..." of an image that came from a registry. */
static char *exact_source(const struct storage_entry *entry)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err ignored;

	if (!entry->reference || !entry->source ||
	    image_reference_parse(&ref, entry->reference, &ignored) < 0)
		return NULL;
	own_free char *name = image_reference_name(&ref);
	return mem_format("%s@%s", name, entry->source);
}

/* Pulling by digest makes an entry of that name, which nobody asked for. */
static int pull_exactly(struct engine *engine, const char *source, const char *platform,
			struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct err ignored;
	size_t left;

	int r = storage_index_read(&index, engine->store, e);
	if (r < 0)
		return r;
	bool named = false;
	for (size_t i = 0; i < index.entries.count; i++)
		named = named || str_equal(index.entries.items[i].reference, source);
	begin_pull(engine, &arguments, platform);
	strv_add(&arguments, "--whole");
	strv_add(&arguments, source);
	r = image_command_run(NULL, &arguments, IMAGE_SHOW_PROGRESS, e);
	if (r == 0 && !named)
		storage_index_untag(engine->store, source, false, &left, &ignored);
	return r;
}

int engine_image_fetch_again(struct engine *engine, const struct storage_entry *entry,
			     const char *platform, struct err *e)
{
	own_free char *source = exact_source(entry);
	own_free char *embedded =
		!source && entry->reference ? embedded_archive(entry->reference) : NULL;
	own_clear(strv_clear) struct strv arguments = { 0 };

	if (source)
		return pull_exactly(engine, source, platform, e);
	if (!embedded)
		return err_set(e, ERR_NOT_FOUND, "it did not come from a registry");
	begin_pull(engine, &arguments, NULL);
	strv_add(&arguments, embedded);
	return image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}
