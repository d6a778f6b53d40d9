#include "storage/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "storage/hash.h"
#include "storage/scratch.h"

/* printf hello | sha256sum */
#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define OTHER "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool partial_exists(const struct scratch_store *s, const char *digest)
{
	own_free char *path = mem_format("partial/%s", digest + 7);
	return faccessat(s->store->root_fd, path, F_OK, 0) == 0;
}

START_TEST(what_is_written_is_read_back)
{
	own_clear(str_clear) struct str text = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	struct scratch_store s;
	int64_t size = 0;
	struct err e;

	scratch_store_open(&s);
	ck_assert(!storage_blob_exists(s.store, HELLO, -1));
	ck_assert_int_eq(storage_blob_put(s.store, "hello", 5, digest, &e), 0);
	ck_assert_str_eq(digest, HELLO);
	ck_assert(storage_blob_exists(s.store, HELLO, 5));
	ck_assert(!storage_blob_exists(s.store, HELLO, 6));
	ck_assert_int_eq(storage_blob_put(s.store, "hello", 5, digest, &e), 0);
	ck_assert_int_eq(storage_blob_read_verified(s.store, HELLO, 5, &text, &e), 0);
	ck_assert_str_eq(text.text, "hello");
	ck_assert_int_lt(storage_blob_read(s.store, HELLO, 4, &text, &e), 0);
	own_fd int fd = storage_blob_open(s.store, HELLO, &size, &e);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(size, 5);
	scratch_store_close(&s);
}
END_TEST

static struct blob_writer *begin(const struct scratch_store *s, const char *digest, int64_t size)
{
	struct blob_writer *writer = NULL;
	struct err e = { 0 };

	ck_assert_msg(storage_blob_begin(&writer, s->store, digest, size, 100, false, &e) == 0,
		      "%s", e.text);
	return writer;
}

START_TEST(a_broken_download_goes_on_where_it_was)
{
	char digest[DIGEST_TEXT_SIZE];
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	struct blob_writer *writer = begin(&s, HELLO, 5);
	ck_assert_int_eq(storage_blob_write(writer, "hel", 3, &e), 0);
	storage_blob_keep(writer);
	storage_blob_end(writer);
	ck_assert(partial_exists(&s, HELLO));

	writer = begin(&s, HELLO, 5);
	ck_assert_int_eq(storage_blob_offset(writer), 3);
	ck_assert_int_eq(storage_blob_write(writer, "lo", 2, &e), 0);
	ck_assert_int_eq(storage_blob_commit(writer, digest, NULL, &e), 0);
	storage_blob_end(writer);
	ck_assert_str_eq(digest, HELLO);
	ck_assert(!partial_exists(&s, HELLO));
	ck_assert(storage_blob_exists(s.store, HELLO, 5));
	scratch_store_close(&s);
}
END_TEST

START_TEST(wrong_bytes_are_refused_and_gone)
{
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	struct blob_writer *writer = begin(&s, OTHER, 5);
	ck_assert_int_eq(storage_blob_write(writer, "hello", 5, &e), 0);
	storage_blob_keep(writer);
	ck_assert_int_lt(storage_blob_commit(writer, NULL, NULL, &e), 0);
	ck_assert_int_eq(e.kind, ERR_CORRUPT);
	storage_blob_end(writer);
	ck_assert(!partial_exists(&s, OTHER));
	ck_assert(!storage_blob_exists(s.store, OTHER, -1));

	writer = begin(&s, HELLO, 4);
	ck_assert_int_lt(storage_blob_write(writer, "hello", 5, &e), 0);
	ck_assert_msg(strstr(e.text, "more than the 4 bytes"), "%s", e.text);
	storage_blob_end(writer);
	writer = begin(&s, HELLO, 6);
	ck_assert_int_eq(storage_blob_write(writer, "hello", 5, &e), 0);
	ck_assert_int_lt(storage_blob_commit(writer, NULL, NULL, &e), 0);
	ck_assert_msg(strstr(e.text, "5 bytes instead of the 6"), "%s", e.text);
	storage_blob_end(writer);
	scratch_store_close(&s);
}
END_TEST

START_TEST(one_blob_has_one_writer)
{
	struct blob_writer *second = NULL;
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	struct blob_writer *writer = begin(&s, HELLO, 5);
	ck_assert_int_lt(storage_blob_begin(&second, s.store, HELLO, 5, 5, false, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	ck_assert_int_eq(storage_blob_write(writer, "hello", 5, &e), 0);
	ck_assert_int_eq(storage_blob_commit(writer, NULL, NULL, &e), 0);
	storage_blob_end(writer);
	ck_assert_int_eq(storage_blob_begin(&second, s.store, HELLO, 5, 5, false, &e), 1);
	ck_assert_ptr_null(second);
	scratch_store_close(&s);
}
END_TEST

static const char *const no_digests[] = {
	NULL,
	"",
	"sha256:",
	"sha256:../../../../etc/passwd",
	"sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
	HELLO "0",
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	"sha512:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
};

START_TEST(what_is_no_digest_opens_nothing)
{
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_lt(storage_blob_open(s.store, no_digests[_i], NULL, &e), 0);
	ck_assert(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
	ck_assert(!storage_blob_exists(s.store, no_digests[_i], -1));
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_damaged_blob_is_found_when_verified)
{
	own_clear(str_clear) struct str text = { 0 };
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_eq(storage_blob_put(s.store, "hello", 5, NULL, &e), 0);
	own_fd int fd = openat(s.store->root_fd,
			       "images/blobs/sha256/"
			       "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
			       O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "J", 1, 0), 1);
	ck_assert_int_lt(storage_blob_read_verified(s.store, HELLO, 5, &text, &e), 0);
	ck_assert_msg(strstr(e.text, "damaged"), "%s", e.text);
	scratch_store_close(&s);
}
END_TEST

UNIT_MAIN("storage/blob", UNIT(what_is_written_is_read_back),
	  UNIT(a_broken_download_goes_on_where_it_was), UNIT(wrong_bytes_are_refused_and_gone),
	  UNIT(one_blob_has_one_writer),
	  UNIT_LOOP(what_is_no_digest_opens_nothing, COUNT_OF(no_digests)),
	  UNIT(a_damaged_blob_is_found_when_verified))
