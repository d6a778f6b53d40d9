#include "monitor/after.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/shape.h"

enum { AFTER_BYTES_MAX = 64 << 10 };

struct after {
	struct strv command;
};

static const struct shape after_shape = {
	sizeof(struct after),
	(const struct shape_field[]){
		{ "command", SHAPE_STRINGS, offsetof(struct after, command) },
		{ 0 },
	},
};

static void after_clear(struct after *after)
{
	shape_clear(&after_shape, after);
}

int monitor_after_write_at(int run_fd, const struct strv *command, struct err *e)
{
	const struct after after = { *command };

	return shape_write_at(&after_shape, run_fd, "after.json", &after, e);
}

static void run(struct strv *command)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;

	/* a monitor has most signals blocked */
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	int r = posix_spawn(&pid, command->items[0], NULL, &attr, command->items,
			    (char *const *)environment);
	posix_spawnattr_destroy(&attr);
	if (r)
		log_warning("start %s: %s", command->items[0], strerrordesc_np(r));
	else if (process_wait(pid) != 0)
		log_warning("%s could not take back what networks left", command->items[0]);
}

void monitor_after_run(int containers_fd, const char *containers, const char *dead)
{
	own_clear(after_clear) struct after after = { 0 };
	own_free char *path = mem_format("%s/after.json", dead);
	struct err e;

	int r = shape_read_at(&after_shape, containers_fd, path, AFTER_BYTES_MAX, &after, &e);
	if (r < 0 && r != -ENOENT)
		log_warning("%s", e.text);
	if (r < 0 || after.command.count == 0)
		return;
	strv_addf(&after.command, "%s/%s", containers, dead);
	run(&after.command);
}
