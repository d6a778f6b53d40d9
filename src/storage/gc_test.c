#include "storage/gc.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"
#include "oci/digest.h"
#include "storage/blob.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/scratch.h"
#include "storage/volume.h"

/* One image with one layer, whose digests follow from its name. */
struct image {
	char layer[DIGEST_TEXT_SIZE], config[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];
	char diff_id[DIGEST_TEXT_SIZE];
};

static void put_layer(const struct scratch_store *s, const char *diff_id)
{
	own_clear(storage_layer_end) struct layer_writer writer = { 0 };
	struct layer_facts facts = { .diff_id = (char *)diff_id, .size = 8192, .tar_size = 1 };
	static const char bytes[8192];
	struct err e = { 0 };

	ck_assert_msg(storage_layer_begin(&writer, s->store, diff_id, false, &e) == 0, "%s",
		      e.text);
	ck_assert_int_eq(fd_write_file_at(writer.fs_fd, "file", bytes, sizeof(bytes), 0644, &e), 0);
	ck_assert_msg(storage_layer_commit(&writer, &facts, &e) == 0, "%s", e.text);
}

static void put_image(const struct scratch_store *s, struct image *image, const char *name)
{
	struct err e = { 0 };
	own_free char *layer = mem_format("layer of %s", name);
	storage_blob_put(s->store, layer, strlen(layer), image->layer, &e);
	memcpy(image->diff_id, image->layer, sizeof(image->diff_id));
	put_layer(s, image->diff_id);
	own_free char *config = mem_format(
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}", image->diff_id);
	storage_blob_put(s->store, config, strlen(config), image->config, &e);
	own_free char *manifest = mem_format(
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"c\",\"digest\":\"%s\",\"size\":1}"
		",\"layers\":[{\"mediaType\":\"l\",\"digest\":\"%s\",\"size\":1}]}",
		image->config, image->layer);
	storage_blob_put(s->store, manifest, strlen(manifest), image->manifest, &e);
	const struct storage_entry entry = { .reference = (char *)name,
					     .digest = image->manifest,
					     .id = image->config };
	ck_assert_msg(storage_index_add(s->store, &entry, &e) == 0, "%s", e.text);
}

static void collect(const struct scratch_store *s, struct gc_result *result)
{
	struct err e = { 0 };
	ck_assert_msg(storage_gc(s->store, false, false, result, &e) == 0, "%s", e.text);
}

static void write_record(const struct scratch_store *s, const char *text)
{
	struct err e;

	mkdirat(s->store->root_fd, "containers/c1", 0700);
	ck_assert_int_eq(fd_write_file_at(s->store->root_fd, "containers/c1/config.json", text,
					  strlen(text), 0600, &e),
			 0);
}

START_TEST(what_has_a_name_stays_and_the_rest_goes)
{
	struct image kept, gone;
	struct scratch_store s;
	struct gc_result result;
	size_t left;
	struct err e;

	scratch_store_open(&s);
	put_image(&s, &kept, "d/kept:1");
	put_image(&s, &gone, "d/gone:1");
	collect(&s, &result);
	ck_assert_uint_eq(result.blobs + result.layers + result.bytes, 0);
	ck_assert_int_eq(storage_index_untag(s.store, "d/gone:1", false, &left, &e), 0);
	collect(&s, &result);
	ck_assert_uint_eq(result.blobs, 3);
	ck_assert_uint_eq(result.layers, 1);
	ck_assert_uint_ge(result.bytes, 8192);
	ck_assert(storage_layer_exists(s.store, kept.diff_id));
	ck_assert(storage_blob_exists(s.store, kept.layer, -1));
	ck_assert(!storage_layer_exists(s.store, gone.diff_id));
	ck_assert(!storage_blob_exists(s.store, gone.manifest, -1));
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_container_keeps_its_layers_and_documents)
{
	struct image image;
	struct scratch_store s;
	struct gc_result result;
	struct err e;

	scratch_store_open(&s);
	put_image(&s, &image, "d/x:1");
	own_free char *record = mem_format("{\"image\":{\"digest\":\"%s\",\"layers\":[\"%s\"]}}",
					   image.manifest, oci_digest_hex(image.diff_id));
	write_record(&s, record);
	ck_assert_int_eq(storage_index_remove(s.store, image.manifest, &e), 0);
	collect(&s, &result);
	ck_assert(storage_layer_exists(s.store, image.diff_id));
	ck_assert(storage_blob_exists(s.store, image.config, -1));
	ck_assert(!storage_blob_exists(s.store, image.layer, -1));
	ck_assert_int_eq(fd_remove_tree_at(s.store->root_fd, "containers/c1", &e), 0);
	collect(&s, &result);
	ck_assert(!storage_layer_exists(s.store, image.diff_id));
	ck_assert_uint_eq(result.blobs, 2);
	scratch_store_close(&s);
}
END_TEST

START_TEST(layers_of_an_image_mounted_into_a_container_stay)
{
	struct image image;
	struct scratch_store s;
	struct gc_result result;
	struct err e;

	scratch_store_open(&s);
	put_image(&s, &image, "d/x:1");
	own_free char *record = mem_format("{\"storage\":{\"mounts\":[{\"layers\":[\"%s\"]}]}}",
					   oci_digest_hex(image.diff_id));
	write_record(&s, record);
	ck_assert_int_eq(storage_index_remove(s.store, image.manifest, &e), 0);
	collect(&s, &result);
	ck_assert(storage_layer_exists(s.store, image.diff_id));
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_record_that_cannot_be_read_stops_it)
{
	struct image image;
	struct scratch_store s;
	struct gc_result result;
	struct err e;

	scratch_store_open(&s);
	put_image(&s, &image, "d/x:1");
	write_record(&s, "{\"image\":");
	ck_assert_int_eq(storage_index_remove(s.store, image.manifest, &e), 0);
	ck_assert_int_lt(storage_gc(s.store, false, false, &result, &e), 0);
	ck_assert(storage_layer_exists(s.store, image.diff_id));
	scratch_store_close(&s);
}
END_TEST

START_TEST(it_waits_for_nobody)
{
	struct scratch_store s;
	struct gc_result result;
	struct err e;

	scratch_store_open(&s);
	own_fd int lock = store_lock_layers_shared(s.store, &e);
	collect(&s, &result);
	ck_assert(result.busy);
	scratch_store_close(&s);
}
END_TEST

static bool is_there(const struct scratch_store *s, const char *path)
{
	return faccessat(s->store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(debris_goes_and_young_partials_stay)
{
	static const char young[] =
		"partial/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char old[] =
		"partial/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	const struct timespec times[2] = { { time(NULL) - GC_PARTIAL_SECONDS - 60, 0 },
					   { time(NULL) - GC_PARTIAL_SECONDS - 60, 0 } };
	struct scratch_store s;
	struct gc_result result;
	struct err e;

	scratch_store_open(&s);
	int root = s.store->root_fd;
	ck_assert_int_eq(mkdirat(root, "layers/.new-x", 0700), 0);
	ck_assert_int_eq(mkdirat(root, "layers/.new-x/fs", 0700), 0);
	ck_assert_int_eq(mkdirat(root, "partial/.load-x", 0700), 0);
	ck_assert_int_eq(fd_write_file_at(root, "partial/.load-x/1", "x", 1, 0600, &e), 0);
	ck_assert_int_eq(fd_write_file_at(root, "images/blobs/sha256/odd", "x", 1, 0600, &e), 0);
	ck_assert_int_eq(fd_write_file_at(root, young, "x", 1, 0600, &e), 0);
	ck_assert_int_eq(fd_write_file_at(root, old, "x", 1, 0600, &e), 0);
	ck_assert_int_eq(utimensat(root, old, times, 0), 0);
	collect(&s, &result);
	ck_assert(!is_there(&s, "layers/.new-x"));
	ck_assert(!is_there(&s, "partial/.load-x"));
	ck_assert(!is_there(&s, "images/blobs/sha256/odd"));
	ck_assert(!is_there(&s, old));
	ck_assert(is_there(&s, young));
	ck_assert_int_eq(storage_gc(s.store, false, true, &result, &e), 0);
	ck_assert(!is_there(&s, young));
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_layer_is_not_there_before_it_is_committed)
{
	own_clear(storage_layer_end) struct layer_writer second = { 0 };
	struct layer_writer writer = { 0 };
	struct scratch_store s;
	static const char id[] =
		"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_eq(storage_layer_begin(&writer, s.store, id, false, &e), 0);
	ck_assert(!storage_layer_exists(s.store, id));
	ck_assert_int_lt(storage_layer_begin(&second, s.store, id, false, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	storage_layer_end(&writer);
	ck_assert(!storage_layer_exists(s.store, id));
	put_layer(&s, id);
	ck_assert_int_eq(storage_layer_begin(&second, s.store, id, false, &e), 1);
	own_fd int fd = storage_layer_open(s.store, id, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(storage_layer_open(s.store, "sha256:../..", &e), 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(volumes_are_made_listed_and_removed)
{
	own_clear(storage_volumes_clear) struct storage_volumes list = { 0 };
	own_clear(storage_volume_clear) struct storage_volume read = { 0 };
	struct storage_volume volume = { .name = (char *)"data.1" };
	struct scratch_store s;
	uint64_t bytes = 0;
	struct err e = { 0 };

	scratch_store_open(&s);
	ck_assert_msg(storage_volume_create(s.store, &volume, &e) == 0, "%s", e.text);
	ck_assert_int_eq(storage_volume_create(s.store, &volume, &e), 1);
	volume.name = (char *)"a";
	ck_assert_int_eq(storage_volume_create(s.store, &volume, &e), 0);
	ck_assert_int_eq(storage_volume_list(&list, s.store, &e), 0);
	ck_assert_uint_eq(list.items.count, 2);
	ck_assert_str_eq(list.items.items[0].name, "a");
	ck_assert_int_eq(storage_volume_read(&read, s.store, "data.1", &e), 0);
	ck_assert_str_eq(read.driver, "local");
	own_fd int fd = storage_volume_open(s.store, "data.1", &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(storage_volume_remove(s.store, "data.1", &bytes, &e), 0);
	ck_assert_uint_gt(bytes, 0);
	ck_assert_int_lt(storage_volume_remove(s.store, "data.1", NULL, &e), 0);
	ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
	scratch_store_close(&s);
}
END_TEST

static const char *const bad_names[] = { "", ".", "..", "../x", "a/b", "-x", "_x", "a b", "a\n" };

START_TEST(a_volume_has_a_plain_name)
{
	struct err e;
	ck_assert_int_lt(storage_volume_check_name(bad_names[_i], &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

UNIT_MAIN("storage/gc", UNIT(what_has_a_name_stays_and_the_rest_goes),
	  UNIT(a_container_keeps_its_layers_and_documents),
	  UNIT(layers_of_an_image_mounted_into_a_container_stay),
	  UNIT(a_record_that_cannot_be_read_stops_it), UNIT(it_waits_for_nobody),
	  UNIT(debris_goes_and_young_partials_stay),
	  UNIT(a_layer_is_not_there_before_it_is_committed),
	  UNIT(volumes_are_made_listed_and_removed),
	  UNIT_LOOP(a_volume_has_a_plain_name, COUNT_OF(bad_names)))
