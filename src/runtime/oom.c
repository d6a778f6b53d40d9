#include "runtime/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"

static int open_v1(struct runtime_oom *oom, struct err *e)
{
	char text[32];

	oom->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (oom->fd < 0)
		return err_sys(e, "make an eventfd");
	own_fd int control = openat(oom->folder, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (control < 0)
		return err_sys(e, "open memory.oom_control");
	snprintf(text, sizeof(text), "%d %d", oom->fd, control);
	return fd_write_control_at(oom->folder, "cgroup.event_control", text, e);
}

static int open_v2(struct runtime_oom *oom, struct err *e)
{
	static const char *const files[] = { "memory.events", "cgroup.events" };

	oom->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (oom->fd < 0)
		return err_sys(e, "make an inotify descriptor");
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		own_free char *path = mem_format("/proc/self/fd/%d/%s", oom->folder, files[i]);
		if (inotify_add_watch(oom->fd, path, IN_MODIFY | IN_DELETE_SELF) < 0)
			return err_sys(e, "watch %s", files[i]);
	}
	oom->seen = runtime_cgroup_tree_count_key(oom->folder, "memory.events", "oom_kill");
	return 0;
}

int runtime_oom_open(struct runtime_oom *ret, const struct runtime_cgroup *cgroup, struct err *e)
{
	struct runtime_oom oom = RUNTIME_OOM_INIT;

	oom.v2 = runtime_cgroup_is_v2(cgroup);
	oom.folder = runtime_cgroup_open_controller(cgroup, "memory");
	if (oom.folder < 0)
		return runtime_cgroup_missing("memory", "memory.oom_control", e);
	int r = oom.v2 ? open_v2(&oom, e) : open_v1(&oom, e);
	if (r < 0) {
		runtime_oom_close(&oom);
		return err_add(e, "watch for lack of memory");
	}
	*ret = oom;
	return 0;
}

void runtime_oom_close(struct runtime_oom *oom)
{
	if (oom->fd >= 0)
		close(oom->fd);
	if (oom->folder >= 0)
		close(oom->folder);
	*oom = (struct runtime_oom)RUNTIME_OOM_INIT;
}

/* The removal of the cgroup counts as an event, too. */
static int read_v1(struct runtime_oom *oom, uint64_t *ret)
{
	uint64_t events = 0;
	uint64_t ignored;

	if (read(oom->fd, &events, sizeof(events)) < 0 && errno != EAGAIN)
		return -errno;
	if (runtime_cgroup_tree_read_key(&ignored, oom->folder, "memory.oom_control", "under_oom") <
	    0) {
		*ret = 0;
		return -ENODEV;
	}
	*ret = events;
	return 0;
}

/* memory.events changes for much else; what counts is its count. */
static int read_v2(struct runtime_oom *oom, uint64_t *ret)
{
	char events[4096] __attribute__((aligned(8)));
	uint64_t kills = oom->seen;
	uint64_t populated = 0;

	while (read(oom->fd, events, sizeof(events)) > 0)
		;
	runtime_cgroup_tree_read_key(&kills, oom->folder, "memory.events", "oom_kill");
	*ret = kills - oom->seen;
	oom->seen = kills;
	if (runtime_cgroup_tree_read_key(&populated, oom->folder, "cgroup.events", "populated") <
		    0 ||
	    !populated)
		return -ENODEV;
	return 0;
}

int runtime_oom_read(struct runtime_oom *oom, uint64_t *ret)
{
	return oom->v2 ? read_v2(oom, ret) : read_v1(oom, ret);
}
