#include "runtime/overlay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"
#include "runtime/user_namespace.h"

static char folder[64];

/* Layer N holds the files N and "top"; the highest N is on top. */
static void make_layers(struct runtime_overlay *overlay, int count)
{
	struct err e;

	strcpy(folder, "/tmp/holm-overlay-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (int i = count - 1; i >= 0; i--) {
		char name[16];
		own_free char *path = mem_format("%s/l%d", folder, i);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		own_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int length = snprintf(name, sizeof(name), "%d", i);
		ck_assert_int_eq(fd_write_file_at(fd, name, "x", 1, 0644, &e), 0);
		ck_assert_int_eq(fd_write_file_at(fd, "top", name, (size_t)length, 0644, &e), 0);
		strv_add(&overlay->lower, path);
	}
}

static void add_upper(struct runtime_overlay *overlay)
{
	overlay->upper = mem_format("%s/upper", folder);
	overlay->work = mem_format("%s/work", folder);
	overlay->is_volatile = true;
	ck_assert_int_eq(mkdir(overlay->upper, 0755), 0);
	ck_assert_int_eq(mkdir(overlay->work, 0755), 0);
}

static void remove_layers(void)
{
	struct err e;
	own_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(fd_remove_tree_at(tmp, strrchr(folder, '/') + 1, &e), 0);
}

static void check(int fd, int count, bool writable)
{
	char text[8] = "", last[8];

	ck_assert_int_eq(faccessat(fd, "0", F_OK, 0), 0);
	own_fd int top = openat(fd, "top", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(read(top, text, sizeof(text) - 1), 0);
	snprintf(last, sizeof(last), "%d", count - 1);
	ck_assert_str_eq(text, last);
	own_fd int new = openat(fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(new >= 0, writable);
}

typedef int mount_function(const struct runtime_overlay *, const char *, struct err *);

static const struct {
	int layers;
	bool upper;
	mount_function *mount;
} rows[] = {
	{ 1, false, runtime_overlay_mount_in_parent },
	{ 1, true, runtime_overlay_mount_in_parent },
	{ 2, false, runtime_overlay_mount_in_parent },
	{ 120, true, runtime_overlay_mount_in_parent },
	{ 120, false, runtime_overlay_mount_in_parent },
	{ 2, false, runtime_overlay_mount_by_option_string },
	{ 120, true, runtime_overlay_mount_by_option_string },
};

START_TEST(layers_become_one_tree_that_is_mounted_nowhere)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	struct err e;

	make_layers(&overlay, rows[_i].layers);
	if (rows[_i].upper)
		add_upper(&overlay);
	int fd = rows[_i].mount(&overlay, folder, &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	check(fd, rows[_i].layers, rows[_i].upper);
	close(fd);
	remove_layers();
}
END_TEST

START_TEST(a_layer_that_is_gone_is_named)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	struct err e;

	make_layers(&overlay, 2);
	strv_add(&overlay.lower, "/nowhere/at/all");
	ck_assert_int_lt(runtime_overlay_mount_in_parent(&overlay, folder, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "/nowhere/at/all"));
	remove_layers();
}
END_TEST

static const struct {
	const char *lower, *upper, *error;
} bad[] = {
	{ "x", NULL, "not JSON" },
	{ "{}", NULL, "not an array" },
	{ "[]", NULL, "0 layers" },
	{ "[\"a\"]", NULL, "not an absolute path" },
	{ "[\"/a\"]", "/u", "without the other" },
};

START_TEST(wrong_annotations_are_named)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	own_clear(shape_map_clear) struct shape_map map = { 0 };
	struct err e;

	shape_map_set(&map, "org.holm.rootfs.lower", bad[_i].lower);
	if (bad[_i].upper)
		shape_map_set(&map, "org.holm.rootfs.upper", bad[_i].upper);
	ck_assert_int_lt(runtime_overlay_read(&overlay, &map, &e), 0);
	ck_assert_msg(strstr(e.text, bad[_i].error), "%s", e.text);
}
END_TEST

/* One copy of the layers, owned by root; what is seen and made belongs to the container's ids. */
static const struct {
	int layers;
	bool upper;
	int (*mount)(const struct runtime_overlay *, const char *, struct err *);
} mapped[] = {
	{ 1, false, runtime_overlay_mount_in_parent },
	{ 2, true, runtime_overlay_mount_in_parent },
	{ 60, true, runtime_overlay_mount_in_parent },
	{ 3, true, runtime_overlay_mount_by_option_string },
};

START_TEST(layers_show_the_ids_of_the_container)
{
	struct runtime_user_namespace user = RUNTIME_USER_NAMESPACE_INIT;
	struct runtime_overlay overlay = { 0 };
	struct stat st;
	struct err e;

	make_layers(&overlay, mapped[_i].layers);
	if (mapped[_i].upper)
		add_upper(&overlay);
	runtime_idmap_add(&user.ids.uids, 0, 100000, 65536);
	runtime_idmap_add(&user.ids.gids, 0, 200000, 65536);
	overlay.user = &user;
	int fd = mapped[_i].mount(&overlay, folder, &e);
	ck_assert_msg(fd >= 0, "%s", e.text);
	ck_assert_int_eq(fstatat(fd, "top", &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 100000);
	ck_assert_uint_eq(st.st_gid, 200000);
	if (mapped[_i].upper) {
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_uint_eq(st.st_uid, 100000);
		ck_assert_int_eq(stat(overlay.upper, &st), 0);
		ck_assert_uint_eq(st.st_gid, 200000);
	}
	own_free char *below = mem_format("%s/l0/top", folder);
	ck_assert_int_eq(stat(below, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	close(fd);
	runtime_overlay_clear(&overlay);
	runtime_user_namespace_clear(&user);
	remove_layers();
}
END_TEST

int main(void)
{
	const struct unit_test tests[] = {
		UNIT_LOOP(layers_become_one_tree_that_is_mounted_nowhere, COUNT_OF(rows)),
		UNIT(a_layer_that_is_gone_is_named),
		UNIT_LOOP(wrong_annotations_are_named, COUNT_OF(bad)),
		UNIT_LOOP(layers_show_the_ids_of_the_container, COUNT_OF(mapped)),
	};

	if (geteuid() != 0) {
		puts("skipped: mounts take root");
		return 77;
	}
	return unit_run("runtime/overlay", tests, COUNT_OF(tests));
}
