/* event.h - what becomes of a container, for the journal of events (storage/event.h). */
#pragma once
#include <stdarg.h>

struct monitor_config;

/* An event of the container whose run folder and monitor.json these are. What follows are pairs of
 * attributes, key and value, ended by NULL. */
void monitor_event_write(int run_dir_fd, const struct monitor_config *config, const char *action,
			 ...) __attribute__((sentinel));
void monitor_event_write_list(int run_dir_fd, const struct monitor_config *config,
			      const char *action, va_list more);

/* Of all networks that it is in: "connect" or "disconnect". */
void monitor_event_networks(int run_dir_fd, const struct monitor_config *config,
			    const char *action);

/* Of all volumes that are mounted in it: "mount" or "unmount". */
void monitor_event_volumes(int run_dir_fd, const struct monitor_config *config, const char *action);
