/* The whole monitor, over its socket, on plain processes (runtime_fake.c). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
#include "monitor/client.h"
#include "monitor/config.h"
#include "monitor/exec_request.h"
#include "monitor/monitor.h"
#include "monitor/reap.h"
#include "monitor/state.h"
#include "oci/runtime_spec.h"

struct bed {
	char top[32];
	char run_path[80];
	int container_fd;
	struct monitor_config config;
	struct monitor_client client;
	pid_t monitor;
	struct oci_hooks *hooks;
	struct str out, err;
};

static int make_dir(const struct bed *bed, const char *name)
{
	own_free char *path = mem_format("%s/%s", bed->top, name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void bed_init(struct bed *bed)
{
	*bed = (struct bed){ .top = "/tmp/holm-mon-XXXXXX", .client = MONITOR_CLIENT_NONE };
	ck_assert_ptr_nonnull(mkdtemp(bed->top));
	for (const char *const *name =
		     (const char *const[]){ "root", "root/containers", "root/names", "root/volumes",
					    "run", "run/containers", "run/containers/c", NULL };
	     *name; name++)
		close(make_dir(bed, *name));
	bed->container_fd = make_dir(bed, "root/containers/c");
	snprintf(bed->run_path, sizeof(bed->run_path), "%s/run/containers/c", bed->top);
	bed->config.id = mem_text("c");
	bed->config.name = mem_text("web");
	bed->config.root = mem_format("%s/root", bed->top);
	own_free char *name = mem_format("%s/root/names/web", bed->top);
	ck_assert_int_eq(symlink("c", name), 0);
}

static void write_bundle(const struct bed *bed, const char *script, bool tty)
{
	static char *args[] = { "sh", "-c", NULL, NULL };
	static char *missing[] = { "no-such-command", NULL };
	static char *env[] = { "PATH=/usr/bin:/bin", NULL };
	struct oci_process process = {
		.terminal = tty, .args = { args, 3 }, .env = { env, 1 }, .cwd = "/"
	};
	struct oci_spec spec = { .oci_version = "1.1.0", .process = &process, .hooks = bed->hooks };
	struct err e;

	args[2] = (char *)script;
	if (strcmp(script, "missing") == 0)
		process.args = (struct strv){ missing, 1 };
	own_fd int run_fd = open(bed->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(oci_spec_write_at(&spec, run_fd, "config.json", &e), 0);
	ck_assert_int_eq(
		shape_write_at(&monitor_config_shape, run_fd, "monitor.json", &bed->config, &e), 0);
}

/* As monitor_spawn() does, with the program replaced by a fork of this one. */
static void bed_start(struct bed *bed, const char *script, bool tty, uint8_t attach)
{
	struct err e;
	int pair[2];

	write_bundle(bed, script, tty);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	bed->client.fd = pair[0];
	ck_assert_int_eq(monitor_client_attach(&bed->client, attach, &e), 0);
	ck_assert_int_eq(monitor_client_resize(&bed->client, 33, 77, &e), 0);
	bed->monitor = fork();
	if (bed->monitor == 0) {
		dup2(pair[1], 3);
		_exit(monitor_run(bed->run_path, 0, &e) < 0);
	}
	close(pair[1]);
}

static void bed_started(struct bed *bed)
{
	struct err e = { 0 };
	pid_t pid;

	int r = monitor_client_started(&bed->client, &pid, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_int_gt(pid, 0);
}

/* Gathers output until it holds this text. */
static void bed_said(struct bed *bed, const char *text)
{
	struct monitor_frame frame;
	struct err e;

	while (!bed->out.text || !strstr(bed->out.text, text)) {
		ck_assert_int_eq(monitor_client_read(&bed->client, &frame, &e), 1);
		ck_assert_int_ne(frame.type, MONITOR_EXIT);
		if (frame.type == MONITOR_STDOUT)
			str_add_n(&bed->out, frame.payload, frame.length);
	}
}

/* Gathers output until EXIT. */
static struct monitor_exit bed_finish(struct bed *bed)
{
	struct monitor_exit status = { .code = -1 };
	struct monitor_frame frame;
	struct err e;

	while (monitor_client_read(&bed->client, &frame, &e) == 1) {
		if (frame.type == MONITOR_STDOUT)
			str_add_n(&bed->out, frame.payload, frame.length);
		if (frame.type == MONITOR_STDERR)
			str_add_n(&bed->err, frame.payload, frame.length);
		if (frame.type == MONITOR_EXIT) {
			ck_assert_int_eq(monitor_get_exit(&status, &frame), 0);
			break;
		}
	}
	return status;
}

static void wait_gone(struct bed *bed)
{
	int status = process_wait(bed->monitor);

	ck_assert_int_eq(status, 0);
}

static bool exists(const struct bed *bed, const char *name)
{
	own_free char *path = mem_format("%s/%s", bed->top, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void bed_clear(struct bed *bed)
{
	struct err e;

	monitor_client_close(&bed->client);
	wait_gone(bed);
	/* nothing but the record is left of a run, and nothing at all of a run --rm */
	ck_assert(!exists(bed, "run/containers/c"));
	ck_assert(!exists(bed, "run/containers/.dead-c"));
	ck_assert_int_eq(exists(bed, "root/containers/c"), !bed->config.remove);
	ck_assert_int_eq(exists(bed, "root/names/web"), !bed->config.remove);
	ck_assert(!exists(bed, "root/containers/.dead-c"));
	close(bed->container_fd);
	str_clear(&bed->out);
	str_clear(&bed->err);
	shape_clear(&monitor_config_shape, &bed->config);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, bed->top, &e), 0);
}

static struct monitor_exit_record record_of(const struct bed *bed)
{
	struct monitor_exit_record record = { 0 };
	struct err e = { 0 };

	int r = monitor_exit_record_read_in(&record, bed->container_fd, ".", &e);
	ck_assert_msg(r == 0, "%s", e.text);
	return record;
}

enum {
	OUTPUT = MONITOR_ATTACH_STDOUT | MONITOR_ATTACH_STDERR,
	FOREGROUND = OUTPUT | MONITOR_ATTACH_STDIN | MONITOR_ATTACH_LOSSLESS,
};

/* ---- running ---- */

START_TEST(output_and_code_come_back)
{
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed, "echo out; echo err >&2; exit 7", false, OUTPUT);
	bed_started(&bed);
	ck_assert_int_eq(bed_finish(&bed).code, 7);
	ck_assert_str_eq(bed.out.text, "out\n");
	ck_assert_str_eq(bed.err.text, "err\n");
	struct monitor_exit_record record = record_of(&bed);
	ck_assert_int_eq(record.exit_code, 7);
	ck_assert(!record.stopped && !record.oom_killed && !record.error);
	ck_assert_ptr_nonnull(record.started_at);
	shape_clear(&monitor_exit_record_shape, &record);
	bed_clear(&bed);
}
END_TEST

START_TEST(a_signal_is_128_and_its_number)
{
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed, "kill -9 $$", false, 0);
	bed_started(&bed);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	bed_clear(&bed);
}
END_TEST

START_TEST(a_command_that_is_missing_is_told_and_recorded)
{
	struct bed bed;
	struct err e = { 0 };
	pid_t pid;

	bed_init(&bed);
	bed_start(&bed, "missing", false, OUTPUT);
	ck_assert_int_lt(monitor_client_started(&bed.client, &pid, &e), 0);
	ck_assert_int_eq(err_exit_status(&e), 127);
	wait_gone(&bed);
	struct monitor_exit_record record = record_of(&bed);
	ck_assert_int_eq(record.exit_code, 127);
	ck_assert_str_eq(record.error, e.text);
	shape_clear(&monitor_exit_record_shape, &record);
	bed.monitor = fork(); /* for bed_clear() to wait for */
	if (bed.monitor == 0)
		_exit(0);
	bed_clear(&bed);
}
END_TEST

START_TEST(rm_removes_the_name_before_exit_is_told)
{
	struct bed bed;

	bed_init(&bed);
	bed.config.remove = true;
	strv_add(&bed.config.volumes, "v");
	close(make_dir(&bed, "root/volumes/v"));
	close(make_dir(&bed, "root/containers/c/upper"));
	bed_start(&bed, "exit 3", false, 0);
	bed_started(&bed);
	ck_assert_int_eq(bed_finish(&bed).code, 3);
	ck_assert(!exists(&bed, "root/names/web"));
	ck_assert(!exists(&bed, "root/containers/c"));
	monitor_client_close(&bed.client);
	while (exists(&bed, "root/volumes/v"))
		usleep(1000);
	bed_clear(&bed);
}
END_TEST

START_TEST(a_name_that_another_has_taken_stays)
{
	struct bed bed;

	bed_init(&bed);
	bed.config.remove = true;
	own_free char *name = mem_format("%s/root/names/web", bed.top);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(symlink("other", name), 0);
	bed_start(&bed, "exit 0", false, 0);
	bed_started(&bed);
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert(exists(&bed, "root/names/web"));
	ck_assert_int_eq(unlink(name), 0);
	bed_clear(&bed);
}
END_TEST

/* ---- input ---- */

START_TEST(input_reaches_the_container_and_ends)
{
	struct bed bed;
	struct err e;
	char block[8192];

	bed_init(&bed);
	bed.config.stdin_open = bed.config.stdin_once = true;
	bed_start(&bed, "sleep 0.2; wc -c", false, FOREGROUND);
	bed_started(&bed);
	memset(block, 'x', sizeof(block));
	/* more than a pipe holds, while nobody reads */
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(
			monitor_client_send(&bed.client, MONITOR_STDIN, block, sizeof(block), &e),
			0);
	ck_assert_int_eq(monitor_client_send(&bed.client, MONITOR_STDIN_EOF, NULL, 0, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_int_eq(atoi(bed.out.text), 819200);
	bed_clear(&bed);
}
END_TEST

START_TEST(input_that_is_not_once_outlives_its_client)
{
	struct bed bed;
	struct err e;

	bed_init(&bed);
	bed.config.stdin_open = true;
	bed_start(&bed, "read a; read b; echo $a$b", false, OUTPUT);
	bed_started(&bed);
	for (int i = 0; i < 2; i++) {
		own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
		ck_assert_int_eq(monitor_connect(&other, bed.run_path, &e), 0);
		ck_assert_int_eq(monitor_client_attach(&other, MONITOR_ATTACH_STDIN, &e), 0);
		ck_assert_int_eq(monitor_client_send(&other, MONITOR_STDIN, "x\n", 2, &e), 0);
		ck_assert_int_eq(monitor_client_send(&other, MONITOR_STDIN_EOF, NULL, 0, &e), 0);
	}
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_str_eq(bed.out.text, "xx\n");
	bed_clear(&bed);
}
END_TEST

START_TEST(without_i_the_input_is_empty)
{
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed, "wc -c", false, OUTPUT);
	bed_started(&bed);
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_int_eq(atoi(bed.out.text), 0);
	bed_clear(&bed);
}
END_TEST

START_TEST(a_terminal_has_the_first_size_and_later_ones)
{
	struct bed bed;
	struct err e;

	bed_init(&bed);
	bed.config.stdin_open = true;
	bed_start(&bed, "stty size; read x; stty size; echo end", true, FOREGROUND);
	bed_started(&bed);
	bed_said(&bed, "33 77");
	ck_assert_int_eq(monitor_client_resize(&bed.client, 11, 22, &e), 0);
	ck_assert_int_eq(monitor_client_send(&bed.client, MONITOR_STDIN, "\n", 1, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_str_eq(bed.out.text, "33 77\r\n\r\n11 22\r\nend\r\n");
	bed_clear(&bed);
}
END_TEST

/* ---- back-pressure ---- */

START_TEST(a_lossless_reader_that_sleeps_loses_nothing)
{
	struct bed bed;

	bed_init(&bed);
	bed_start(&bed, "head -c 3000000 /dev/zero; echo end >&2", false, FOREGROUND);
	bed_started(&bed);
	usleep(300000);
	/* it cannot have come to its end: the pipe blocks it */
	ck_assert(!exists(&bed, "root/containers/c/exit.json"));
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_uint_eq(bed.out.length, 3000000);
	ck_assert_str_eq(bed.err.text, "end\n");
	bed_clear(&bed);
}
END_TEST

START_TEST(a_reader_that_sleeps_neither_blocks_nor_is_lied_to)
{
	struct bed bed;
	struct monitor_frame frame;
	uint64_t got = 0, dropped = 0;
	struct err e;

	bed_init(&bed);
	bed.config.log.driver = mem_text("none");
	bed_start(&bed, "head -c 3000000 /dev/zero", false, OUTPUT);
	bed_started(&bed);
	while (!exists(&bed, "root/containers/c/exit.json"))
		usleep(1000);
	while (monitor_client_read(&bed.client, &frame, &e) == 1) {
		if (frame.type == MONITOR_STDOUT)
			got += frame.length;
		if (frame.type == MONITOR_DROPPED)
			dropped += monitor_get_u64(frame.payload);
		if (frame.type == MONITOR_EXIT)
			break;
	}
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_eq(got + dropped, 3000000);
	bed_clear(&bed);
}
END_TEST

/* ---- requests ---- */

static void connect_to(struct bed *bed, struct monitor_client *client)
{
	struct err e = { 0 };

	int r = monitor_connect(client, bed->run_path, &e);
	ck_assert_msg(r == 0, "%s", e.text);
}

START_TEST(stop_asks_and_then_kills)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct monitor_stop stop = { .timeout_s = 1 };
	struct monitor_exit status;
	struct err e = { 0 };

	bed_init(&bed);
	mem_replace(&bed.config.restart.policy, "always");
	bed_start(&bed, "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done", false,
		  OUTPUT);
	bed_started(&bed);
	bed_said(&bed, "ready");
	connect_to(&bed, &other);
	ck_assert_int_eq(monitor_client_stop(&other, &stop, &status, &e), 0);
	ck_assert_int_eq(status.code, 137);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	ck_assert_str_eq(bed.out.text, "ready\nasked\n");
	struct monitor_exit_record record = record_of(&bed);
	ck_assert(record.stopped);
	shape_clear(&monitor_exit_record_shape, &record);
	bed_clear(&bed);
}
END_TEST

START_TEST(kill_sends_a_signal_and_refuses_what_is_none)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done", false,
		  OUTPUT);
	bed_started(&bed);
	bed_said(&bed, "ready");
	connect_to(&bed, &other);
	ck_assert_int_lt(monitor_client_kill(&other, 65, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_eq(monitor_client_kill(&other, SIGUSR1, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 9);
	bed_clear(&bed);
}
END_TEST

START_TEST(pause_is_seen_in_the_state)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct monitor_state state = { 0 };
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "exec sleep 100", false, 0);
	bed_started(&bed);
	connect_to(&bed, &other);
	own_fd int run_fd = open(bed.run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(monitor_state_alive(run_fd), bed.monitor);
	ck_assert_int_eq(monitor_client_pause(&other, true, &e), 0);
	ck_assert_int_eq(monitor_state_read_at(&state, run_fd, &e), 0);
	ck_assert_str_eq(state.status, MONITOR_STATE_PAUSED);
	monitor_state_clear(&state);
	ck_assert_int_lt(monitor_client_pause(&other, true, &e), 0);
	ck_assert_int_eq(e.kind, ERR_STATE);
	ck_assert_int_eq(monitor_client_pause(&other, false, &e), 0);
	ck_assert_int_eq(monitor_client_kill(&other, SIGKILL, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	bed_clear(&bed);
}
END_TEST

START_TEST(what_is_bound_to_a_connection_is_killed_with_it)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "exec sleep 100", false, 0);
	bed_started(&bed);
	connect_to(&bed, &other);
	ck_assert_int_eq(monitor_client_attach(&other, MONITOR_ATTACH_BOUND, &e), 0);
	monitor_client_close(&other);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	bed_clear(&bed);
}
END_TEST

START_TEST(a_held_pause_ends_with_its_connection)
{
	struct bed bed;
	own_monitor_client struct monitor_client holder = MONITOR_CLIENT_NONE;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "exec sleep 100", false, 0);
	bed_started(&bed);
	connect_to(&bed, &other);
	connect_to(&bed, &holder);
	ck_assert_int_eq(monitor_client_hold(&holder, &e), 0);
	ck_assert_int_lt(monitor_client_pause(&other, true, &e), 0);
	monitor_client_close(&holder);
	/* it may not have seen yet that the other one has gone */
	while (monitor_client_pause(&other, true, &e) < 0)
		ck_assert_int_eq(e.kind, ERR_STATE);
	ck_assert_int_eq(monitor_client_pause(&other, false, &e), 0);
	/* what a person did in between stays */
	connect_to(&bed, &holder);
	ck_assert_int_eq(monitor_client_hold(&holder, &e), 0);
	ck_assert_int_eq(monitor_client_pause(&other, false, &e), 0);
	ck_assert_int_eq(monitor_client_pause(&other, true, &e), 0);
	monitor_client_close(&holder);
	connect_to(&bed, &holder);
	ck_assert_int_eq(monitor_client_pause(&holder, false, &e), 0);
	/* what is being stored stands still by other means, and goes on by them */
	ck_assert_int_eq(monitor_client_checkpoint(&holder, &e), 0);
	ck_assert_int_lt(monitor_client_pause(&other, true, &e), 0);
	ck_assert_str_eq(e.text, "the container is being stored");
	ck_assert_int_eq(monitor_client_kill(&other, SIGKILL, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	bed_clear(&bed);
}
END_TEST

START_TEST(whoever_sends_nonsense_is_cut_off_alone)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct monitor_frame frame;
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "sleep 0.3; echo fine", false, OUTPUT);
	bed_started(&bed);
	connect_to(&bed, &other);
	ck_assert_int_eq(send(other.fd, "\xff\xff\xff\xff\xff\xff", 6, MSG_NOSIGNAL), 6);
	ck_assert_int_eq(monitor_client_read(&other, &frame, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 0);
	ck_assert_str_eq(bed.out.text, "fine\n");
	bed_clear(&bed);
}
END_TEST

/* ---- restarts ---- */

START_TEST(on_failure_restarts_so_many_times)
{
	struct bed bed;
	struct monitor_exit status;
	int exits = 0;

	bed_init(&bed);
	mem_replace(&bed.config.restart.policy, "on-failure");
	bed.config.restart.max_retries = 2;
	bed_start(&bed, "echo run; exit 4", false, OUTPUT);
	bed_started(&bed);
	do {
		status = bed_finish(&bed);
		ck_assert_int_eq(status.code, 4);
		exits++;
	} while (status.flags & MONITOR_EXIT_RESTARTING);
	ck_assert_int_eq(exits, 3);
	ck_assert_str_eq(bed.out.text, "run\nrun\nrun\n");
	struct monitor_exit_record record = record_of(&bed);
	ck_assert_int_eq(record.restart_count, 2);
	shape_clear(&monitor_exit_record_shape, &record);
	bed_clear(&bed);
}
END_TEST

/* What the hooks of a run have told: complete once the bed is cleared. */
static void check_told(int fd, const char *path, const char *expected)
{
	char text[100] = "";

	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, expected);
	unlink(path);
}

START_TEST(hooks_run_at_every_start_and_end)
{
	char path[] = "/tmp/holm-mon-told-XXXXXX";
	own_fd int told = mkostemp(path, O_CLOEXEC);
	struct oci_hook hook = { .path = path };
	struct oci_hooks hooks = { .poststart = { &hook, 1 }, .poststop = { &hook, 1 } };
	struct bed bed;

	bed_init(&bed);
	bed.hooks = &hooks;
	mem_replace(&bed.config.restart.policy, "on-failure");
	bed.config.restart.max_retries = 1;
	bed_start(&bed, "exit 4", false, OUTPUT);
	bed_started(&bed);
	while (bed_finish(&bed).flags & MONITOR_EXIT_RESTARTING)
		;
	bed_clear(&bed);
	check_told(told, path, "poststart poststop poststart poststop ");
}
END_TEST

START_TEST(a_poststart_hook_that_fails_fails_the_start)
{
	char path[] = "/tmp/holm-mon-told-XXXXXX";
	own_fd int told = mkostemp(path, O_CLOEXEC);
	struct oci_hook fails = { .path = (char *)"fail" }, tells = { .path = path };
	struct oci_hooks hooks = { .poststart = { &fails, 1 }, .poststop = { &tells, 1 } };
	struct bed bed;
	struct err e = { 0 };
	pid_t pid;

	bed_init(&bed);
	bed.hooks = &hooks;
	bed_start(&bed, "sleep 60", false, OUTPUT);
	ck_assert_int_lt(monitor_client_started(&bed.client, &pid, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "the hook failed"));
	bed_clear(&bed);
	check_told(told, path, "poststop ");
}
END_TEST

START_TEST(stop_ends_a_container_that_waits_for_its_restart)
{
	struct bed bed;
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	struct monitor_stop stop = { .timeout_s = MONITOR_STOP_OWN };
	struct monitor_exit status;
	struct err e = { 0 };

	bed_init(&bed);
	mem_replace(&bed.config.restart.policy, "always");
	bed_start(&bed, "exit 5", false, OUTPUT);
	bed_started(&bed);
	for (int i = 0; i < 3; i++) /* the next one comes after 400 ms */
		ck_assert_uint_eq(bed_finish(&bed).flags, MONITOR_EXIT_RESTARTING);
	connect_to(&bed, &other);
	ck_assert_int_eq(monitor_client_stop(&other, &stop, &status, &e), 0);
	ck_assert_int_eq(status.code, 5);
	ck_assert_uint_eq(status.flags, 0);
	bed_clear(&bed);
}
END_TEST

/* ---- exec ---- */

static pid_t exec_start(const struct bed *bed, struct monitor_client *client,
			const struct monitor_exec_request *request)
{
	own_json struct json_object *object = shape_write(&monitor_exec_request_shape, request);
	struct err e;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	client->fd = pair[0];
	pid_t pid = fork();
	if (pid == 0) {
		int text = memfd_create("request", 0);
		fd_write_all(text, json_text(object), strlen(json_text(object)));
		lseek(text, 0, SEEK_SET);
		dup2(text, 4);
		dup2(pair[1], 3);
		_exit(monitor_exec(bed->run_path, 0, &e) < 0);
	}
	close(pair[1]);
	return pid;
}

static const struct {
	const char *script;
	bool tty;
	int code;
	const char *output;
} execs[] = {
	{ "exit 6", false, 6, "" },
	{ "kill -15 $$", false, 143, "" },
	{ "read x; stty size; echo got $x; exit 5", true, 5, "hi\r\n44 55\r\ngot hi\r\n" },
};

START_TEST(exec_runs_one_more_process_beside)
{
	char *args[] = { "sh", "-c", (char *)execs[_i].script, NULL };
	char *env[] = { "PATH=/usr/bin:/bin", NULL };
	struct oci_console_size size = { .height = 44, .width = 55 };
	struct monitor_exec_request request = {
		.process = { .terminal = execs[_i].tty,
			     .console_size = execs[_i].tty ? &size : NULL,
			     .args = { args, 3 },
			     .env = { env, 1 },
			     .cwd = "/" },
		.stdin_open = true,
	};
	struct bed bed, exec = { .client = MONITOR_CLIENT_NONE };
	struct err e = { 0 };

	bed_init(&bed);
	bed_start(&bed, "exec sleep 100", false, 0);
	bed_started(&bed);
	exec.monitor = exec_start(&bed, &exec.client, &request);
	bed_started(&exec);
	/* one that is over already does not take it */
	monitor_client_send(&exec.client, MONITOR_STDIN, "hi\n", 3, &e);
	ck_assert_int_eq(bed_finish(&exec).code, execs[_i].code);
	ck_assert_str_eq(exec.out.text ? exec.out.text : "", execs[_i].output);
	monitor_client_close(&exec.client);
	wait_gone(&exec);
	str_clear(&exec.out);

	/* the container itself goes on */
	own_monitor_client struct monitor_client other = MONITOR_CLIENT_NONE;
	connect_to(&bed, &other);
	ck_assert_int_eq(monitor_client_kill(&other, SIGKILL, &e), 0);
	ck_assert_int_eq(bed_finish(&bed).code, 137);
	bed_clear(&bed);
}
END_TEST

/* ---- kill -9 of the monitor ---- */

START_TEST(behind_a_killed_monitor_is_cleared_up)
{
	struct bed bed;
	struct err e = { 0 };
	bool removed;

	bed_init(&bed);
	bed.config.remove = _i == 1;
	bed_start(&bed, "exec sleep 100", false, 0);
	bed_started(&bed);
	own_fd int run_fd = open(bed.run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	kill(bed.monitor, SIGKILL);
	ck_assert_int_eq(process_wait(bed.monitor), SIGKILL);
	ck_assert_int_eq(monitor_state_alive(run_fd), 0);
	int r = monitor_reap(&removed, bed.run_path, bed.container_fd, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_int_eq(removed, bed.config.remove);
	if (!bed.config.remove) {
		struct monitor_exit_record record = record_of(&bed);
		ck_assert_int_eq(record.exit_code, 137);
		shape_clear(&monitor_exit_record_shape, &record);
	}
	/* a second time there is nothing to do */
	ck_assert_int_eq(monitor_reap(&removed, bed.run_path, bed.container_fd, &e), 0);
	ck_assert_int_eq(monitor_reap_settle(bed.run_path, &e), 0);
	bed.monitor = fork();
	if (bed.monitor == 0)
		_exit(0);
	bed_clear(&bed);
}
END_TEST

UNIT_MAIN("monitor/run", UNIT(output_and_code_come_back), UNIT(a_signal_is_128_and_its_number),
	  UNIT(a_command_that_is_missing_is_told_and_recorded),
	  UNIT(rm_removes_the_name_before_exit_is_told), UNIT(a_name_that_another_has_taken_stays),
	  UNIT(input_reaches_the_container_and_ends),
	  UNIT(input_that_is_not_once_outlives_its_client), UNIT(without_i_the_input_is_empty),
	  UNIT(a_terminal_has_the_first_size_and_later_ones),
	  UNIT(a_lossless_reader_that_sleeps_loses_nothing),
	  UNIT(a_reader_that_sleeps_neither_blocks_nor_is_lied_to), UNIT(stop_asks_and_then_kills),
	  UNIT(kill_sends_a_signal_and_refuses_what_is_none), UNIT(pause_is_seen_in_the_state),
	  UNIT(a_held_pause_ends_with_its_connection),
	  UNIT(what_is_bound_to_a_connection_is_killed_with_it),
	  UNIT(whoever_sends_nonsense_is_cut_off_alone), UNIT(on_failure_restarts_so_many_times),
	  UNIT(hooks_run_at_every_start_and_end), UNIT(a_poststart_hook_that_fails_fails_the_start),
	  UNIT(stop_ends_a_container_that_waits_for_its_restart),
	  UNIT_LOOP(exec_runs_one_more_process_beside, COUNT_OF(execs)),
	  UNIT_LOOP(behind_a_killed_monitor_is_cleared_up, 2))
