#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/str.h"
#include "storage/scratch.h"

START_TEST(a_new_store_has_its_folders_and_is_private)
{
	static const char *const paths[] = { "images/oci-layout",
					     "images/blobs/sha256",
					     "layers",
					     "containers",
					     "names",
					     "volumes",
					     "version" };
	struct scratch_store s;
	struct stat st;

	scratch_store_open(&s);
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		ck_assert_msg(faccessat(s.store->root_fd, paths[i], F_OK, 0) == 0, "%s", paths[i]);
	ck_assert_int_eq(fstat(s.store->root_fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(faccessat(s.store->run_fd, "containers", F_OK, 0), 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_half_made_store_is_completed)
{
	struct scratch_store s;
	struct store *again = NULL;
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_eq(unlinkat(s.store->root_fd, "version", 0), 0);
	ck_assert_int_eq(unlinkat(s.store->root_fd, "layers", AT_REMOVEDIR), 0);
	ck_assert_int_eq(store_open(&again, s.store->root, s.store->run, &e), 0);
	ck_assert_int_eq(faccessat(again->root_fd, "layers", F_OK, 0), 0);
	store_close(again);
	scratch_store_close(&s);
}
END_TEST

static const struct {
	const char *version;
	enum err_kind kind;
} refused[] = { { "2\n", ERR_UNSUPPORTED },
		{ "99999999", ERR_UNSUPPORTED },
		{ "x", ERR_CORRUPT },
		{ "", ERR_CORRUPT },
		{ "-1", ERR_CORRUPT } };

START_TEST(a_store_of_another_version_is_refused_untouched)
{
	struct scratch_store s;
	struct store *again = NULL;
	struct err e;

	scratch_store_open(&s);
	ck_assert_int_eq(fd_write_file_at(s.store->root_fd, "version", refused[_i].version,
					  strlen(refused[_i].version), 0644, &e),
			 0);
	ck_assert_int_eq(unlinkat(s.store->root_fd, "layers", AT_REMOVEDIR), 0);
	ck_assert_int_lt(store_open(&again, s.store->root, s.store->run, &e), 0);
	ck_assert_int_eq(e.kind, refused[_i].kind);
	ck_assert_int_ne(faccessat(s.store->root_fd, "layers", F_OK, 0), 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(the_layers_lock_is_shared_or_exclusive)
{
	struct scratch_store s;
	struct err e;

	scratch_store_open(&s);
	own_fd int one = store_lock_layers_shared(s.store, &e);
	int two = store_lock_layers_shared(s.store, &e);
	ck_assert_int_ge(one, 0);
	ck_assert_int_ge(two, 0);
	ck_assert_int_lt(store_lock_layers_exclusive(s.store, false, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	close(two);
	close(take_fd(&one));
	own_fd int all = store_lock_layers_exclusive(s.store, false, &e);
	ck_assert_int_ge(all, 0);
	scratch_store_close(&s);
}
END_TEST

START_TEST(a_file_in_place_of_the_root_is_an_error)
{
	struct store *store = NULL;
	struct err e;

	ck_assert_int_lt(store_open(&store, "/dev/null", "/tmp", &e), 0);
	ck_assert_msg(strstr(e.text, "/dev/null"), "%s", e.text);
}
END_TEST

UNIT_MAIN("storage/store", UNIT(a_new_store_has_its_folders_and_is_private),
	  UNIT(a_half_made_store_is_completed),
	  UNIT_LOOP(a_store_of_another_version_is_refused_untouched, COUNT_OF(refused)),
	  UNIT(the_layers_lock_is_shared_or_exclusive),
	  UNIT(a_file_in_place_of_the_root_is_an_error))
