#include "storage/secret.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/str.h"
#include "storage/scratch.h"

static int create(const struct scratch_store *s, const char *name, const char *text, bool replace,
		  char **ret_id, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	const struct shape_map labels = { 0 };

	str_add(&bytes, text);
	return storage_secret_create(ret_id, s->store, name, &labels, &bytes, replace, e);
}

static void expect_text(const struct scratch_store *s, const char *name, const char *text)
{
	own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
	own_clear(str_clear) struct str bytes = { 0 };
	struct err e = { 0 };

	ck_assert_msg(storage_secret_find(&secret, s->store, name, &e) == 0, "%s", e.text);
	ck_assert_msg(storage_secret_read(&bytes, s->store, &secret, &e) == 0, "%s", e.text);
	ck_assert_str_eq(bytes.text, text);
}

START_TEST(a_secret_is_found_by_name_by_id_and_by_its_beginning)
{
	own_free char *id = NULL, *other = NULL;
	struct scratch_store s;
	struct err e = { 0 };

	scratch_store_open(&s);
	ck_assert_msg(create(&s, "one", "first", false, &id, &e) == 0, "%s", e.text);
	ck_assert_int_eq(create(&s, "two", "second", false, &other, &e), 0);
	ck_assert_uint_eq(strlen(id), 25);
	expect_text(&s, "one", "first");
	expect_text(&s, id, "first");
	id[10] = '\0';
	expect_text(&s, id, "first");
	expect_text(&s, other, "second");
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_name_is_taken_once_unless_it_is_to_be_replaced)
{
	own_free char *id = NULL, *other = NULL;
	struct scratch_store s;
	struct err e = { 0 };

	scratch_store_open(&s);
	ck_assert_int_eq(create(&s, "one", "first", false, &id, &e), 0);
	ck_assert_int_lt(create(&s, "one", "second", false, &other, &e), 0);
	ck_assert_int_eq(e.kind, ERR_EXISTS);
	expect_text(&s, "one", "first");
	ck_assert_int_eq(create(&s, "one", "second", true, &other, &e), 0);
	ck_assert_str_ne(id, other);
	expect_text(&s, "one", "second");
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_link_to_one_that_was_replaced_is_refused)
{
	own_clear(storage_secret_clear) struct storage_secret old = { 0 };
	own_free char *id = NULL, *other = NULL;
	struct scratch_store s;
	struct err e = { 0 };

	scratch_store_open(&s);
	ck_assert_int_eq(create(&s, "one", "first", false, &id, &e), 0);
	ck_assert_int_eq(storage_secret_find(&old, s.store, "one", &e), 0);
	ck_assert_int_eq(storage_secret_link(s.store, &old, s.store->root_fd, "kept", &e), 0);
	ck_assert_int_eq(create(&s, "one", "second", true, &other, &e), 0);
	ck_assert_int_lt(storage_secret_link(s.store, &old, s.store->root_fd, "late", &e), 0);
	ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
	ck_assert_int_eq(storage_secret_remove(s.store, "one", &e), 0);
	ck_assert_int_eq(faccessat(s.store->root_fd, "kept", F_OK, 0), 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_record_without_an_id_is_no_secret)
{
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };
	own_clear(storage_secret_clear) struct storage_secret secret = { 0 };
	own_free char *id = NULL;
	struct scratch_store s;
	struct err e = { 0 };

	scratch_store_open(&s);
	ck_assert_int_eq(create(&s, "one", "first", false, &id, &e), 0);
	ck_assert_int_eq(fd_write_file_at(s.store->root_fd, "secrets/one/secret.json",
					  "{\"id\":\"../../version\"}", 22, 0600, &e),
			 0);
	ck_assert_int_lt(storage_secret_find(&secret, s.store, "one", &e), 0);
	ck_assert_int_eq(e.kind, ERR_CORRUPT);
	ck_assert_int_eq(storage_secret_list(&all, s.store, &e), 0);
	ck_assert_uint_eq(all.items.count, 0);
	scratch_store_close(&s);
}
END_TEST

UNIT_MAIN("storage/secret", UNIT(a_secret_is_found_by_name_by_id_and_by_its_beginning),
	  UNIT(a_name_is_taken_once_unless_it_is_to_be_replaced),
	  UNIT(a_link_to_one_that_was_replaced_is_refused),
	  UNIT(a_record_without_an_id_is_no_secret))
