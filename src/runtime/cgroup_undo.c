#include "runtime/cgroup_undo.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "runtime/cgroup_tree.h"

/* Files of lines, and what takes a line away: Documentation/admin-guide/cgroup-v2.rst,
 * cgroup-v1/blkio-controller.rst, cgroup-v1/rdma.rst, cgroup-v1/net_prio.rst. */
static const struct {
	const char *file; /* or how its name starts */
	const char *nothing;
} keyed[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "blkio.throttle.", "0" },
	{ "blkio.weight_device", "0" },
	{ "blkio.bfq.weight_device", "default" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "net_prio.ifpriomap", "0" },
};

void runtime_cgroup_undo_clear(struct runtime_cgroup_undo *undo)
{
	for (size_t i = 0; i < undo->count; i++) {
		close(undo->items[i].folder);
		free(undo->items[i].file);
		free(undo->items[i].value);
	}
	free(undo->items);
	*undo = (struct runtime_cgroup_undo){ 0 };
}

static const char *nothing_of(const char *file)
{
	for (size_t i = 0; i < COUNT_OF(keyed); i++)
		if (str_starts(file, keyed[i].file))
			return keyed[i].nothing;
	return NULL;
}

/* The line of text that has the key of value ("8:0 1000" has "8:0 "); the caller frees. */
static char *line_of(const char *text, const char *value, const char *nothing)
{
	size_t length = strcspn(value, " ") + 1;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, value, length) == 0)
			return mem_text_n(line, strcspn(line, "\n"));
	}
	return mem_format("%.*s%s", (int)length, value, nothing);
}

/* What memory.oom_control says is not what it takes. */
static char *value_of(const char *file, const char *text, const char *value)
{
	const char *nothing = nothing_of(file);

	if (nothing && strchr(value, ' '))
		return line_of(text, value, nothing);
	if (str_equal(file, "memory.oom_control"))
		return mem_text(strstr(text, "oom_kill_disable 1") ? "1" : "0");
	return mem_text_n(text, strcspn(text, "\n"));
}

void runtime_cgroup_undo_add(struct runtime_cgroup_undo *undo, int folder, const char *file,
			     const char *value)
{
	own_clear(str_clear) struct str text = { 0 };

	if (runtime_cgroup_tree_read(folder, file, &text) < 0)
		return;
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return;
	*shape_list_add(undo) = (struct runtime_cgroup_undo_item){
		.folder = copy,
		.file = mem_text(file),
		.value = value_of(file, text.text ? text.text : "", value),
	};
}

void runtime_cgroup_undo_run(const struct runtime_cgroup_undo *undo)
{
	own_free bool *done = mem_new(undo->count + 1, sizeof(bool));
	struct err ignored;

	for (int round = 0; round < 2; round++) {
		for (size_t i = undo->count; i > 0; i--) {
			const struct runtime_cgroup_undo_item *item = &undo->items[i - 1];
			if (!done[i - 1])
				done[i - 1] = fd_write_control_at(item->folder, item->file,
								  item->value, &ignored) == 0;
		}
	}
}
