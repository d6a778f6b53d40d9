#include "storage/shifted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/unit.h"
#include "storage/store.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static char *key_of(const char *below, const char *top, uint32_t host_id)
{
	struct oci_id_mapping lines[] = { { 0, host_id, 10 }, { 10, 500, 1 } };
	struct storage_shifted_part parts[] = {
		{ below, { { lines, 2 }, { lines, 1 } } },
		{ top, { { lines, 1 }, { lines, 2 } } },
	};
	const struct storage_shifted shifted = { { parts, 2 } };
	char key[SHIFTED_KEY_SIZE];

	storage_shifted_key(key, &shifted);
	ck_assert_uint_eq(strlen(key), SHIFTED_KEY_SIZE - 1);
	return mem_text(key);
}

START_TEST(the_key_tells_layers_and_ids)
{
	own_free char *key = key_of(ONE, TWO, 1), *same = key_of(ONE, TWO, 1);
	own_free char *turned = key_of(TWO, ONE, 1), *others = key_of(ONE, TWO, 2);

	ck_assert_str_eq(key, same);
	ck_assert_str_ne(key, turned);
	ck_assert_str_ne(key, others);
}
END_TEST

static void make_file(int root, const char *folder, const char *name)
{
	struct err e;

	own_fd int dir = path_make_dirs(root, folder, 0755, &e);
	ck_assert_int_eq(fd_write_file_at(dir, name, "text", 4, 0600, &e), 0);
}

static bool is_there(int root, const char *path)
{
	return faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Also behind one that was killed, after whom it was made again. */
START_TEST(all_that_is_not_kept_goes)
{
	char root[] = "/tmp/holm-shifted-XXXXXX";
	own_clear(strv_clear) struct strv kept = { 0 };
	uint64_t bytes = 0;
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(root));
	const struct store store = { .root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	make_file(store.root_fd, "layers/" ONE "/fs", "file");
	make_file(store.root_fd, "layers/" ONE "/ids-a/fs", "file");
	/* in both orders, since folders are read in either */
	make_file(store.root_fd, "layers/" ONE "/ids-b/fs", "file");
	make_file(store.root_fd, "layers/" ONE "/.ids-b.dead/fs", "file");
	make_file(store.root_fd, "layers/" ONE "/.ids-d.dead/fs", "file");
	make_file(store.root_fd, "layers/" ONE "/ids-d/fs", "file");
	make_file(store.root_fd, "layers/" ONE "/.ids-c/fs", "file");
	strv_add(&kept, "a");
	ck_assert_msg(storage_shifted_prune(&store, &kept, &bytes, &e) == 0, "%s", e.text);
	ck_assert(is_there(store.root_fd, "layers/" ONE "/fs/file"));
	ck_assert(is_there(store.root_fd, "layers/" ONE "/ids-a/fs/file"));
	ck_assert(!is_there(store.root_fd, "layers/" ONE "/ids-b"));
	ck_assert(!is_there(store.root_fd, "layers/" ONE "/.ids-b.dead"));
	ck_assert(!is_there(store.root_fd, "layers/" ONE "/.ids-c"));
	ck_assert(!is_there(store.root_fd, "layers/" ONE "/ids-d"));
	ck_assert(!is_there(store.root_fd, "layers/" ONE "/.ids-d.dead"));
	ck_assert_uint_gt(bytes, 0);
	close(store.root_fd);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, root, &e), 0);
}
END_TEST

UNIT_MAIN("storage/shifted", UNIT(the_key_tells_layers_and_ids), UNIT(all_that_is_not_kept_goes))
