/* stats_layout.h - what stats.c asks of each layout, and what they share. Private to stats*.c. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;
struct json_object;
struct runtime_cgroup;
struct runtime_stats;
struct runtime_stats_block_entries;
struct runtime_stats_hugetlb;
struct shape_u32s;

void runtime_stats_v1_read(struct runtime_stats *to, const struct runtime_cgroup *cgroup);
void runtime_stats_v2_read(struct runtime_stats *to, int folder);

/* A file with "0-3,7" as numbers. */
void runtime_stats_read_list(struct shape_u32s *to, int folder, const char *file);

/* The lines "KEY NUMBER" of a file as {"KEY": NUMBER}; NULL if it cannot be read. */
struct json_object *runtime_stats_read_keys(int folder, const char *file);

/* Calls each for every line of the file; nothing if it cannot be read. */
void runtime_stats_read_lines(int folder, const char *file, void (*each)(char *line, void *context),
			      void *context);

/* op is copied; NULL: none. */
void runtime_stats_add_block(struct runtime_stats_block_entries *to, uint64_t major, uint64_t minor,
			     const char *op, uint64_t value);

/* pids.current and pids.max, where 0 says that there is no limit. */
void runtime_stats_pids_read(struct runtime_stats *to, int folder);

/* For every "hugetlb.SIZE<suffix>" of the folder, those of reservations left out. */
void runtime_stats_hugetlb_read(struct runtime_stats *to, int folder, const char *suffix,
				void (*fill)(struct runtime_stats_hugetlb *to, int folder));
