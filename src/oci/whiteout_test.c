#include "oci/whiteout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

static const struct {
	const char *name, *hidden;
} rows[] = {
	{ ".wh.passwd", "passwd" },
	{ ".wh..hidden", ".hidden" },
	{ ".wh..wh..opq", ".wh..opq" },
	{ ".wh....", "..." },
	/* these would be other folders */
	{ ".wh.", NULL },
	{ ".wh..", NULL },
	{ ".wh...", NULL },
	{ ".wh", NULL },
	{ "passwd", NULL },
	{ "a.wh.b", NULL },
};

START_TEST(a_name_hides_what_it_says_and_never_a_folder_above)
{
	const char *hidden = oci_whiteout_hidden(rows[_i].name);

	ck_assert_int_eq(hidden == NULL, rows[_i].hidden == NULL);
	ck_assert(!hidden || strcmp(hidden, rows[_i].hidden) == 0);
}
END_TEST

START_TEST(names_count_where_the_root_is_marked_alone)
{
	char path[] = "/var/tmp/holm-whiteout-test.XXXXXX";
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(path));
	own_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(mkdirat(fd, "d", 0755), 0);
	ck_assert_int_eq(fd_write_file_at(fd, "d/" OCI_WHITEOUT_OPAQUE, "", 0, 0600, &e), 0);
	own_fd int d = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool before = oci_whiteout_is_by_names(fd);
	bool marked = oci_whiteout_mark_by_names(fd, &e) == 0;
	bool after = oci_whiteout_is_by_names(fd);
	own_fd int root = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	after = after && oci_whiteout_is_by_names(root);
	bool root_hides = oci_whiteout_is_opaque(root, true);
	bool by_name = oci_whiteout_is_opaque(d, true), plain = oci_whiteout_is_opaque(d, false);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, path, &e), 0);
	if (!marked)
		unit_skip("no attributes user.* here");
	ck_assert(!before && after && !root_hides && by_name && !plain);
}
END_TEST

UNIT_MAIN("oci/whiteout",
	  UNIT_LOOP(a_name_hides_what_it_says_and_never_a_folder_above, COUNT_OF(rows)),
	  UNIT(names_count_where_the_root_is_marked_alone))
