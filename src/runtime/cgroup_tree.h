/* cgroup_tree.h - folders and files of a cgroup filesystem, of either version: opened below a
 * mount whose type was checked. Private to cgroup*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct str;

/* The root of the hierarchy mounted here; ERR_UNSUPPORTED if it is no cgroup filesystem of this
 * version. */
int runtime_cgroup_tree_open_root(const char *mount, bool v2, struct err *e);

/* path ("/holm/ID") below the root, crossing no mount and following no link. -errno, no
 * sentence. */
int runtime_cgroup_tree_open_at(int root, const char *path);

/* Both. -ENOENT (ERR_NOT_FOUND) when the cgroup is not there. */
int runtime_cgroup_tree_open(const char *mount, bool v2, const char *path, struct err *e);

/* Makes path ("/a/b") with the folders above it; returns 1 if its last part is new, 0 if it was
 * there. If *made is 0 it becomes the length of the topmost part of path that is new: 2 for "/a".
 * That is so on failure, too. */
int runtime_cgroup_tree_make(int root, const char *path, size_t *made, struct err *e);

/* Removes the folders above path that are empty, up to the one that made stands for. */
void runtime_cgroup_tree_remove_above(int root, const char *path, size_t made);

/* Removes path with all below it, waiting while the kernel says EBUSY until deadline_ms
 * (CLOCK_MONOTONIC). Gone already is success. Returns -errno, no sentence. */
int runtime_cgroup_tree_remove(int root, const char *path, int64_t deadline_ms);

/* The content of a file, or -errno without a sentence. */
int runtime_cgroup_tree_read(int folder, const char *file, struct str *to);

/* A file with one number, "max" being UINT64_MAX; or the number behind "key " in a file of
 * lines. Returns -errno, no sentence. */
int runtime_cgroup_tree_read_u64(uint64_t *ret, int folder, const char *file);
int runtime_cgroup_tree_read_key(uint64_t *ret, int folder, const char *file, const char *key);

/* The same for counters: what cannot be read counts as 0. */
uint64_t runtime_cgroup_tree_count(int folder, const char *file);
uint64_t runtime_cgroup_tree_count_key(int folder, const char *file, const char *key);

/* Calls visit for the folder and every one below it, as deep as 64. Returns the first result
 * that is not 0. */
int runtime_cgroup_tree_walk(int folder, int (*visit)(int folder, void *context), void *context);

struct runtime_cgroup_pids {
	pid_t *items;
	size_t count;
};

/* Adds the pids in the folder and below it. */
int runtime_cgroup_tree_list(int folder, struct runtime_cgroup_pids *to);

/* Waits a little: 1 ms, then longer each round, at most 50 ms. False once the deadline is past. */
bool runtime_cgroup_tree_wait(unsigned *round, int64_t deadline_ms);
int64_t runtime_cgroup_tree_deadline_ms(int64_t from_now_ms);
