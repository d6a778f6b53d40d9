/* restart.h - Docker's restart policies, as arithmetic. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct monitor_restart_config;

/* Is a container started again that ended with code, after count restarts? stopped: a person
 * asked for the end, which no policy undoes. */
bool monitor_restart_wanted(const struct monitor_restart_config *config, int code, int64_t count,
			    bool stopped);

/* How long to wait before the next start: 100 ms, doubled for each restart in a row up to a
 * minute; from the beginning again once the container has run for 10 seconds. before_ms is the
 * delay before this run, 0 if it was the first. */
int64_t monitor_restart_delay_ms(int64_t before_ms, int64_t ran_ms);
