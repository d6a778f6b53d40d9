#include "storage/index.h"

#include <errno.h>
#include <fcntl.h>

#include "base/str.h"
#include "storage/scratch.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "sha256:aaaadddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

static void add(const struct scratch_store *s, const char *name, const char *digest, const char *id)
{
	struct err e = { 0 };
	const struct storage_entry entry = {
		.reference = (char *)name,
		.digest = (char *)digest,
		.id = (char *)id,
		.size = 100,
	};
	ck_assert_msg(storage_index_add(s->store, &entry, &e) == 0, "%s", e.text);
}

/* "name=digest's first letter ..." of all entries, sorted as they are. */
static char *show(const struct scratch_store *s)
{
	struct storage_index index = { 0 };
	struct str text = { 0 };
	struct err e = { 0 };

	ck_assert_msg(storage_index_read(&index, s->store, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < index.entries.count; i++) {
		const struct storage_entry *entry = &index.entries.items[i];
		str_addf(&text, "%s%s=%c", i ? " " : "", entry->reference ? entry->reference : "-",
			 entry->digest[7]);
	}
	storage_index_clear(&index);
	return str_take(&text);
}

static void check(const struct scratch_store *s, const char *want)
{
	own_free char *got = show(s);
	ck_assert_str_eq(got, want);
}

START_TEST(a_store_without_index_has_no_images)
{
	struct scratch_store s;

	scratch_store_open(&s);
	check(&s, "");
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_name_moves_and_the_image_that_lost_it_dangles)
{
	struct scratch_store s;

	scratch_store_open(&s);
	add(&s, "d/x:1", A, C);
	add(&s, "d/x:1", A, C);
	check(&s, "d/x:1=a");
	add(&s, "d/x:1", B, D);
	check(&s, "-=a d/x:1=b");
	/* the dangling one gets a name again */
	add(&s, "d/y:1", A, C);
	check(&s, "d/x:1=b d/y:1=a");
	add(&s, NULL, A, C);
	check(&s, "d/x:1=b d/y:1=a");
	scratch_store_close(&s);
}
END_TEST

START_TEST(names_are_added_and_taken_away)
{
	struct scratch_store s;
	size_t left = 9;
	struct err e;

	scratch_store_open(&s);
	add(&s, "d/x:1", A, C);
	ck_assert_int_eq(storage_index_tag(s.store, A, "d/z:2", &e), 0);
	check(&s, "d/x:1=a d/z:2=a");
	ck_assert_int_eq(storage_index_untag(s.store, "d/x:1", false, &left, &e), 0);
	ck_assert_uint_eq(left, 1);
	ck_assert_int_lt(storage_index_untag(s.store, "d/x:1", false, &left, &e), 0);
	ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
	ck_assert_int_eq(storage_index_untag(s.store, "d/z:2", false, &left, &e), 0);
	ck_assert_uint_eq(left, 0);
	check(&s, "");
	ck_assert_int_lt(storage_index_tag(s.store, A, "d/z:2", &e), 0);
	ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
	scratch_store_close(&s);
}
END_TEST

START_TEST(removing_takes_every_name)
{
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	add(&s, "d/x:1", A, C);
	add(&s, "d/x:2", A, C);
	add(&s, "d/x:3", B, D);
	ck_assert_int_eq(storage_index_remove(s.store, A, &e), 0);
	check(&s, "d/x:3=b");
	ck_assert_int_lt(storage_index_remove(s.store, A, &e), 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(images_are_found_by_name_digest_and_id)
{
	struct scratch_store s;
	struct storage_index index = { 0 };
	const struct storage_entry *found;
	struct err e;

	scratch_store_open(&s);
	add(&s, "d/x:1", A, C);
	add(&s, "d/y:1", B, D);
	ck_assert_int_eq(storage_index_read(&index, s.store, &e), 0);
	ck_assert_ptr_nonnull(storage_index_find(&index, "d/x:1"));
	ck_assert_ptr_null(storage_index_find(&index, "d/x:2"));
	ck_assert_ptr_nonnull(storage_index_find(&index, "d/x@" A));
	ck_assert_ptr_null(storage_index_find(&index, "d/x@" B));
	ck_assert_ptr_null(storage_index_find(&index, "d/@" A));
	ck_assert_int_eq(storage_index_find_id(&index, "ccc", &found, &e), 0);
	ck_assert_str_eq(found->reference, "d/x:1");
	ck_assert_int_eq(storage_index_find_id(&index, "sha256:bb", &found, &e), 0);
	ck_assert_str_eq(found->reference, "d/y:1");
	/* the digest of one, the id of the other */
	ck_assert_int_lt(storage_index_find_id(&index, "aaaa", &found, &e), 0);
	ck_assert_int_eq(storage_index_find_id(&index, "", &found, &e), 0);
	ck_assert_ptr_null(found);
	ck_assert_int_eq(storage_index_find_id(&index, "xyz", &found, &e), 0);
	ck_assert_ptr_null(found);
	storage_index_clear(&index);
	scratch_store_close(&s);
}
END_TEST

static const char *const broken[] = {
	"",
	"{",
	"[]",
	"{\"schemaVersion\":2}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"size\":1,"
	"\"digest\":\"sha256:../../../etc\"}]}",
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"x\",\"size\":-1,\"digest\":\"" A
	"\"}]}",
};

START_TEST(a_broken_index_is_an_error_and_stays_as_it_is)
{
	struct storage_index index = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	const struct storage_entry entry = { .digest = (char *)A };
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_eq(fd_write_file_at(s.store->root_fd, "images/index.json", broken[_i],
					  strlen(broken[_i]), 0644, &e),
			 0);
	ck_assert_int_lt(storage_index_read(&index, s.store, &e), 0);
	ck_assert_msg(strstr(e.text, "images/index.json"), "%s", e.text);
	ck_assert_int_lt(storage_index_add(s.store, &entry, &e), 0);
	ck_assert_int_eq(fd_read_file_at(s.store->root_fd, "images/index.json", 1000, &text, &e),
			 0);
	ck_assert_str_eq(text.text ? text.text : "", broken[_i]);
	scratch_store_close(&s);
}
END_TEST

UNIT_MAIN("storage/index", UNIT(a_store_without_index_has_no_images),
	  UNIT(a_name_moves_and_the_image_that_lost_it_dangles),
	  UNIT(names_are_added_and_taken_away), UNIT(removing_takes_every_name),
	  UNIT(images_are_found_by_name_digest_and_id),
	  UNIT_LOOP(a_broken_index_is_an_error_and_stays_as_it_is, COUNT_OF(broken)))
