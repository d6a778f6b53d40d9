/* cgroup_live.h - for tests that need a living cgroup: made with limits, entered by children,
 * removed with them. In a cgroup of their own, so that they can run side by side. */
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_tree.h"
#include "runtime/runtime.h"
#include "runtime/update.h"

static char name[64];

static inline void set_name(void)
{
	snprintf(name, sizeof(name), "/holm-test-%d", getpid());
}

static inline bool can_make_cgroups(void)
{
	struct runtime_cgroup cgroup = { 0 };
	struct err e;

	if (runtime_cgroup_create_in_parent(&cgroup, name, NULL, &e) < 0) {
		fprintf(stderr, "skipped: %s\n", e.text);
		return false;
	}
	bool any = cgroup.hierarchies.count > 0;
	if (!any)
		fprintf(stderr, "skipped: no cgroup filesystem is mounted here\n");
	runtime_cgroup_remove(&cgroup, &e);
	runtime_cgroup_clear(&cgroup);
	return any;
}

static inline struct oci_resources resources_of(const char *text)
{
	struct oci_resources resources = { 0 };
	own_json struct json_object *object = NULL;
	struct err e;

	ck_assert_int_eq(json_parse(&object, text, strlen(text), "resources", &e), 0);
	ck_assert_msg(shape_read(&oci_resources_shape, object, &resources, &e) == 0, "%s", e.text);
	return resources;
}

static inline struct runtime_cgroup cgroup_of(const char *limits)
{
	struct runtime_cgroup cgroup = { 0 };
	struct oci_resources resources = resources_of(limits);
	struct err e;

	int r = runtime_cgroup_create_in_parent(&cgroup, name, &resources, &e);
	shape_clear(&oci_resources_shape, &resources);
	ck_assert_msg(r == 0, "%s", e.text);
	return cgroup;
}

static inline void remove_cgroup(struct runtime_cgroup *cgroup)
{
	struct err e;

	ck_assert_msg(runtime_cgroup_kill(cgroup, &e) == 0, "%s", e.text);
	while (waitpid(-1, NULL, 0) > 0)
		;
	ck_assert_msg(runtime_cgroup_remove(cgroup, &e) == 0, "%s", e.text);
	ck_assert_int_lt(runtime_cgroup_open(cgroup, 0, &e), 0);
	ck_assert_int_eq(e.number, ENOENT);
	ck_assert_int_eq(runtime_cgroup_remove(cgroup, &e), 0);
	runtime_cgroup_clear(cgroup);
}

/* Starts work() in the cgroup, as a container's first process gets there. */
static inline pid_t start_in(const struct runtime_cgroup *cgroup, void (*work)(void))
{
	struct runtime_cgroup_entry entry;
	struct err e;

	ck_assert_msg(runtime_cgroup_entry_open(&entry, cgroup, NULL, &e) == 0, "%s", e.text);
	pid_t pid = fork();
	if (pid == 0) {
		if (runtime_cgroup_enter_self_in_child(&entry, false, &e) < 0)
			_exit(99);
		work();
		_exit(0);
	}
	runtime_cgroup_entry_close(&entry);
	return pid;
}

static inline size_t count_in(const struct runtime_cgroup *cgroup)
{
	own_free pid_t *pids = NULL;
	size_t count = 0;
	struct err e;

	ck_assert_int_eq(runtime_cgroup_list(&pids, &count, cgroup, &e), 0);
	return count;
}

static inline void wait_for_count(const struct runtime_cgroup *cgroup, size_t count)
{
	int64_t deadline = runtime_cgroup_tree_deadline_ms(5000);
	unsigned round = 0;

	while (count_in(cgroup) != count)
		ck_assert(runtime_cgroup_tree_wait(&round, deadline));
}

static inline void work_pause(void)
{
	pause();
}

static inline void work_eat_memory(void)
{
	size_t size = 64 << 20;
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(bytes, 1, size);
}

/* As if the runtime had started it there. */
static inline struct runtime_container container_of(const struct runtime_cgroup *cgroup, pid_t pid)
{
	struct runtime_container container = { .pid = pid, .cgroup = *cgroup };
	char boot_id[37];
	struct err e;

	wait_for_count(cgroup, 1);
	ck_assert_int_eq(process_boot_id(boot_id, &e), 0);
	container.id = mem_text("test");
	container.boot_id = mem_text(boot_id);
	ck_assert_int_eq(process_start_time(pid, &container.pid_start), 0);
	return container;
}

static inline int update(struct runtime_container *container, const char *limits, struct err *e)
{
	struct oci_resources resources = resources_of(limits);
	int r = runtime_update(container, &resources, e);

	shape_clear(&oci_resources_shape, &resources);
	return r;
}
