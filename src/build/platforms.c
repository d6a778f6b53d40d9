#include "build/platforms.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/build.h"
#include "build/output.h"
#include "build/publish.h"
#include "engine/engine.h"
#include "image/command.h"
#include "storage/hash.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/store.h"

enum { PLATFORMS_MAX = 64 };

struct platforms {
	struct engine *engine;
	const struct build_options *o;
	const char *context;
	struct strv names; /* as given */
	struct strv ids;   /* of their images, in this order */
	int input;         /* a copy of standard input, to be read more than once; -1: none */
};

static void platforms_clear(struct platforms *all)
{
	strv_clear(&all->names);
	strv_clear(&all->ids);
	own_fd_call(&all->input);
}

bool build_platforms_are_several(const struct build_options *o)
{
	return o->platform && strchr(o->platform, ',');
}

/* ---- before the first ---- */

static int read_names(struct platforms *all, struct err *e)
{
	strv_split(&all->names, all->o->platform, ',');
	if (all->names.count > PLATFORMS_MAX)
		return err_set(e, ERR_INVALID, "--platform: more than %d", PLATFORMS_MAX);
	for (size_t i = 0; i < all->names.count; i++) {
		own_clear(oci_platform_clear) struct oci_platform parsed = { 0 };
		if (oci_platform_parse(&parsed, all->names.items[i], e) < 0)
			return err_add(e, "--platform");
		for (size_t k = 0; k < i; k++)
			if (str_equal(all->names.items[i], all->names.items[k]))
				return err_set(e, ERR_INVALID, "--platform: %s twice",
					       all->names.items[i]);
	}
	return 0;
}

static int check(const struct platforms *all, struct err *e)
{
	const struct build_options *o = all->o;
	own_clear(strv_clear) struct strv names = { 0 };

	int r = build_publish_names(&names, o, e);
	if (r == 0)
		r = build_output_check_several(&o->output, names.count > 0, e);
	if (r < 0)
		return r;
	if (o->cache_to.count)
		return err_set(e, ERR_UNSUPPORTED, "--cache-to: of one platform at a time");
	if (names.count || o->output.count)
		return 0;
	err_set(e, ERR_INVALID, "--platform: an index of images needs a name");
	return err_hint(e, "--tag NAME, or --output type=oci,dest=FILE");
}

/* Each build reads it from the beginning. */
static int keep_input(struct platforms *all, struct err *e)
{
	bool used = strcmp(all->context, "-") == 0 || str_equal(all->o->file, "-");

	if (!used)
		return 0;
	all->input = openat(all->engine->store->root_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (all->input < 0)
		return err_sys(e, "make a file for standard input");
	char bytes[65536];
	for (ssize_t n; (n = read(STDIN_FILENO, bytes, sizeof(bytes))) != 0;) {
		int r = n < 0 ? -1 : fd_write_all(all->input, bytes, (size_t)n);
		if (r < 0)
			return n < 0 ? err_sys(e, "read standard input")
				     : err_number(e, -r, "keep standard input");
	}
	return dup2(all->input, STDIN_FILENO) < 0 ? err_sys(e, "standard input") : 0;
}

/* ---- each ---- */

/* What is of the index is not of its parts. */
static int build_one(struct platforms *all, size_t number, struct err *e)
{
	struct build_options one = *all->o;
	char id[IMAGE_DIGEST_SIZE];

	one.platform = all->names.items[number];
	one.one_of_several = true;
	one.tag = (struct strv){ 0 };
	one.output = (struct strv){ 0 };
	one.metadata_file = NULL;
	if (all->input >= 0 && lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind standard input");
	int r = build_image(all->engine, &one, all->context, id, e);
	if (r < 0)
		return err_add(e, "%s", one.platform);
	free(all->ids.items[number]);
	all->ids.items[number] = mem_text(id);
	return 0;
}

/* This machine's last: the names of base images then lead to its images, as before. */
static int build_each(struct platforms *all, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < all->names.count; i++)
		strv_add(&all->ids, "");
	for (int host = 0; host <= 1; host++)
		for (size_t i = 0; r == 0 && i < all->names.count; i++)
			if (oci_platform_is_host(all->names.items[i]) == (host == 1))
				r = build_one(all, i, e);
	return r;
}

/* ---- the index ---- */

/* Under the full name, in the place of what had it. */
static int make_list(const struct platforms *all, const char *name, struct err *e)
{
	const struct store *store = all->engine->store;
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct err none;
	size_t left;

	image_command_begin(&arguments, "list", store);
	strv_add(&arguments, "--purge");
	strv_add(&arguments, "--");
	strv_add(&arguments, "create");
	strv_add(&arguments, name);
	strv_add_all(&arguments, &all->ids);
	int r = image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r == 0)
		storage_index_untag(store, name, &left, &none);
	return r;
}

static int digest_of(char ret[IMAGE_DIGEST_SIZE], const struct store *store, const char *name,
		     struct err *e)
{
	own_clear(oci_index_clear) struct oci_index index = { 0 };

	int r = storage_list_read(&index, store, name, e);
	if (r < 0)
		return r;
	own_json struct json_object *object = shape_write(&oci_index_shape, &index);
	const char *text = json_text(object);
	storage_hash_bytes(text, strlen(text), ret);
	return 0;
}

static int make_lists(const struct platforms *all, char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	snprintf(ret_id, IMAGE_DIGEST_SIZE, "%s", all->ids.items[0]);
	int r = build_publish_names(&names, all->o, e);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = make_list(all, names.items[i], e);
	return r < 0 || !names.count ? r : digest_of(ret_id, all->engine->store, names.items[0], e);
}

int build_platforms(struct engine *engine, const struct build_options *o, const char *context,
		    char ret_id[IMAGE_DIGEST_SIZE], struct err *e)
{
	own_clear(platforms_clear) struct platforms all = {
		.engine = engine,
		.o = o,
		.context = context,
		.input = -1,
	};
	int r = read_names(&all, e);

	if (r == 0)
		r = check(&all, e);
	if (r == 0)
		r = keep_input(&all, e);
	if (r == 0)
		r = build_each(&all, e);
	if (r == 0)
		r = make_lists(&all, ret_id, e);
	if (r == 0)
		r = build_output_write_several(engine, o, &all.ids, e);
	if (r == 0 && o->metadata_file)
		r = build_output_metadata(o, ret_id, o->metadata_file, e);
	return r;
}
