/* cgroup_undo.h - what files of cgroups held before a change, to be written again when a later
 * part of the change is refused. Private to cgroup*.c. */
#pragma once
#include <stddef.h>

struct runtime_cgroup_undo {
	struct runtime_cgroup_undo_item {
		int folder;
		char *file;
		char *value;
	} * items;
	size_t count;
};
void runtime_cgroup_undo_clear(struct runtime_cgroup_undo *undo);

/* Remembers what value is about to replace. A file of lines, one for each device or interface,
 * has the line that starts as value does remembered, or how it is taken away. What cannot be read
 * (devices.allow) or is not there is not remembered. */
void runtime_cgroup_undo_add(struct runtime_cgroup_undo *undo, int folder, const char *file,
			     const char *value);

/* Writes them again, the last first; what was refused, once more at the end, as values may
 * contradict each other half way. */
void runtime_cgroup_undo_run(const struct runtime_cgroup_undo *undo);
