#include "runtime/cgroup_undo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

/* What a file held, what is written over it, and what undoing writes. */
static const struct {
	const char *file;
	const char *held;
	const char *value;
	const char *again;
} cases[] = {
	{ "memory.max", "max\n", "100", "max" },
	{ "cpu.max", "max 100000\n", "1 2", "max 100000" },
	{ "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", "0", "1" },
	{ "io.max", "8:0 rbps=5 wbps=max\n8:16 rbps=7\n", "8:16 rbps=1", "8:16 rbps=7" },
	{ "io.max", "8:160 rbps=7\n", "8:16 wbps=1", "8:16 rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default 100\n8:0 50\n", "default 7", "default 100" },
	{ "io.bfq.weight", "100\n", "50", "100" },
	{ "blkio.throttle.read_bps_device", "", "8:0 1", "8:0 0" },
	{ "net_prio.ifpriomap", "lo 0\neth0 5\n", "eth0 9", "eth0 5" },
};

START_TEST(what_was_there_comes_back)
{
	char name[] = "/tmp/holm-undo-XXXXXX";
	struct runtime_cgroup_undo undo = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(name));
	own_fd int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(fd_write_file_at(folder, cases[_i].file, cases[_i].held,
					  strlen(cases[_i].held), 0644, &e),
			 0);
	runtime_cgroup_undo_add(&undo, folder, cases[_i].file, cases[_i].value);
	runtime_cgroup_undo_add(&undo, folder, "not.there", "1");
	ck_assert_uint_eq(undo.count, 1);
	ck_assert_int_eq(fd_write_file_at(folder, cases[_i].file, "", 0, 0644, &e), 0);
	runtime_cgroup_undo_run(&undo);
	runtime_cgroup_undo_clear(&undo);
	ck_assert_int_eq(fd_read_file_at(folder, cases[_i].file, 4096, &text, &e), 0);
	ck_assert_str_eq(text.text, cases[_i].again);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, name, &e), 0);
}
END_TEST

UNIT_MAIN("runtime/cgroup_undo", UNIT_LOOP(what_was_there_comes_back, COUNT_OF(cases)))
