#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/unit.h"
#include "runtime/lsm.h"
#include "runtime/procfs.h"
#include "runtime/sysctl.h"

#define ALL (CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWUSER)

static const struct {
	const char *key;
	unsigned long own;
	const char *path; /* NULL: refused */
} keys[] = {
	{ "net.ipv4.ip_forward", ALL, "net/ipv4/ip_forward" },
	{ "net/ipv4/ip_forward", CLONE_NEWNET, "net/ipv4/ip_forward" },
	{ "net.ipv4.conf.eth0/1.mtu", ALL, "net/ipv4/conf/eth0.1/mtu" },
	{ "net/ipv4/conf/eth0.1/mtu", ALL, "net/ipv4/conf/eth0.1/mtu" },
	{ "kernel.msgmax", CLONE_NEWIPC, "kernel/msgmax" },
	{ "kernel.shm_rmid_forced", ALL, "kernel/shm_rmid_forced" },
	{ "kernel.sem", ALL, "kernel/sem" },
	{ "fs.mqueue.msg_max", ALL, "fs/mqueue/msg_max" },
	{ "user.max_user_namespaces", ALL, "user/max_user_namespaces" },
	{ "net.ipv4.ip_forward", CLONE_NEWIPC, NULL },
	{ "kernel.msgmax", CLONE_NEWNET, NULL },
	{ "user.max_user_namespaces", CLONE_NEWNET | CLONE_NEWIPC, NULL },
	{ "kernel.core_pattern", ALL, NULL },
	{ "kernel.hostname", ALL, NULL },
	{ "kernel.msgmax.x", ALL, NULL },
	{ "vm.overcommit_memory", ALL, NULL },
	{ "fs.file-max", ALL, NULL },
	{ "net", ALL, NULL },
	{ "net.", ALL, NULL },
	{ "", ALL, NULL },
	{ "net/../kernel/core_pattern", ALL, NULL },
	{ "net.//.kernel.core_pattern", ALL, NULL },
	{ "net/./ipv4/ip_forward", ALL, NULL },
	{ "net//ipv4/ip_forward", ALL, NULL },
	{ "/net/ipv4/ip_forward", ALL, NULL },
	{ ".net.ipv4.ip_forward", ALL, NULL },
	{ "net.ipv4.ip_forward\n", ALL, NULL },
	{ "kernel", ALL, NULL },
};

START_TEST(only_keys_of_own_namespaces_pass_in_either_spelling)
{
	char path[RUNTIME_SYSCTL_PATH_MAX] = "untouched";
	struct err e;

	int r = runtime_sysctl_check(path, keys[_i].key, keys[_i].own, &e);
	if (keys[_i].path) {
		ck_assert_msg(r == 0, "%s", e.text);
		ck_assert_str_eq(path, keys[_i].path);
	} else {
		ck_assert_msg(r < 0, "%s was taken", keys[_i].key);
		ck_assert_str_eq(path, "untouched");
	}
}
END_TEST

START_TEST(a_key_longer_than_any_is_refused)
{
	char key[2 * RUNTIME_SYSCTL_PATH_MAX];
	char path[RUNTIME_SYSCTL_PATH_MAX];
	struct err e;

	memset(key, 'a', sizeof(key));
	memcpy(key, "net.", 4);
	key[sizeof(key) - 1] = '\0';
	ck_assert_int_eq(runtime_sysctl_check(path, key, ALL, &e), -EINVAL);
}
END_TEST

static int set_in_own_namespace(void)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	if (unshare(CLONE_NEWIPC | CLONE_NEWNS) < 0)
		return 77;
	own_fd int proc = runtime_procfs_open(&e);
	if (proc < 0 || runtime_procfs_check(proc, &e) < 0)
		return 1;
	if (runtime_sysctl_write_in_child(proc, "kernel.msgmax", "4242", CLONE_NEWIPC, &e) < 0)
		return 2;
	if (fd_read_file_at(proc, "sys/kernel/msgmax", 100, &text, &e) < 0 ||
	    !str_equal(text.text, "4242\n"))
		return 3;
	if (runtime_procfs_write(proc, "../etc/passwd", "x", &e) >= 0 ||
	    runtime_procfs_write(proc, "self/root/dev/null", "x", &e) >= 0)
		return 4;
	if (runtime_sysctl_write_in_child(proc, "kernel.core_pattern", "x", CLONE_NEWIPC, &e) >= 0)
		return 5;
	return 0;
}

START_TEST(a_key_is_written_into_the_own_namespace)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(set_in_own_namespace());
	int code = process_exit_code(process_wait(pid));
	if (code == 77)
		fprintf(stderr, "skipped: no right to make namespaces\n");
	else
		ck_assert_int_eq(code, 0);
}
END_TEST

/* The classic trick: something else mounted where /proc should be. */
static int deceive(void)
{
	char folder[] = "/tmp/holm-test-XXXXXX";
	struct err e;

	if (!mkdtemp(folder) || unshare(CLONE_NEWNS) < 0)
		return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, NULL) < 0)
		return 77;
	own_fd int tmpfs = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = runtime_procfs_check(tmpfs, &e) < 0 ? 0 : 1;
	own_fd int below = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && runtime_procfs_check(below, &e) >= 0)
		r = 2;
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return r;
}

START_TEST(what_is_no_root_of_a_procfs_is_not_taken_for_one)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(deceive());
	int code = process_exit_code(process_wait(pid));
	if (code == 77)
		fprintf(stderr, "skipped: no right to mount\n");
	else
		ck_assert_int_eq(code, 0);
}
END_TEST

START_TEST(a_profile_without_its_lsm_is_unsupported)
{
	struct err e;
	own_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(runtime_lsm_set_apparmor_in_child(proc, NULL, &e), 0);
	ck_assert_int_eq(runtime_lsm_set_selinux_in_child(proc, "", &e), 0);
	const char *unconfined = "unconfined", *profile = "docker-default";
	if (runtime_lsm_has_apparmor()) {
		ck_assert_int_lt(
			runtime_lsm_set_apparmor_in_child(proc, "holm-no-such-profile", &e), 0);
	} else {
		ck_assert_int_eq(runtime_lsm_check_in_parent(&unconfined, NULL, &e), 0);
		ck_assert_ptr_null(unconfined);
		ck_assert_int_lt(runtime_lsm_check_in_parent(&profile, NULL, &e), 0);
		ck_assert_int_eq(e.kind, ERR_UNSUPPORTED);
	}
	if (!runtime_lsm_has_selinux()) {
		unconfined = NULL;
		ck_assert_int_lt(runtime_lsm_check_in_parent(&unconfined, "a:b:c:s0", &e), 0);
		ck_assert_int_eq(e.kind, ERR_UNSUPPORTED);
	}
}
END_TEST

UNIT_MAIN("runtime/sysctl",
	  UNIT_LOOP(only_keys_of_own_namespaces_pass_in_either_spelling, COUNT_OF(keys)),
	  UNIT(a_key_longer_than_any_is_refused), UNIT(a_key_is_written_into_the_own_namespace),
	  UNIT(what_is_no_root_of_a_procfs_is_not_taken_for_one),
	  UNIT(a_profile_without_its_lsm_is_unsupported))
