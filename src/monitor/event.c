#include "monitor/event.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "monitor/config.h"
#include "storage/event.h"

/* The run folder of all is two above that of the container, under whatever name that has. */
static int open_run(int run_dir_fd)
{
	return openat(run_dir_fd, "../..", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void monitor_event_write_list(int run_dir_fd, const struct monitor_config *config,
			      const char *action, va_list more)
{
	if (!config->event.count)
		return;
	own_fd int run_fd = open_run(run_dir_fd);
	if (run_fd >= 0)
		storage_event_write_parts(run_fd, "container", action, config->id, &config->event,
					  more);
}

void monitor_event_write(int run_dir_fd, const struct monitor_config *config, const char *action,
			 ...)
{
	va_list more;

	va_start(more, action);
	monitor_event_write_list(run_dir_fd, config, action, more);
	va_end(more);
}

static void write_other(int run_fd, const char *type, const char *action, const char *id, ...)
{
	va_list more;

	va_start(more, id);
	storage_event_write_parts(run_fd, type, action, id, NULL, more);
	va_end(more);
}

void monitor_event_networks(int run_dir_fd, const struct monitor_config *config, const char *action)
{
	if (!config->event.count || !config->networks.count)
		return;
	own_fd int run_fd = open_run(run_dir_fd);
	for (size_t i = 0; run_fd >= 0 && i < config->networks.count; i++) {
		const struct monitor_network_config *n = &config->networks.items[i];
		write_other(run_fd, "network", action, n->id, "container", config->id, "name",
			    n->name, "type", n->driver, NULL);
	}
}

void monitor_event_volumes(int run_dir_fd, const struct monitor_config *config, const char *action)
{
	if (!config->event.count || !config->mounts.count)
		return;
	own_fd int run_fd = open_run(run_dir_fd);
	for (size_t i = 0; run_fd >= 0 && i < config->mounts.count; i++) {
		const struct monitor_volume_config *v = &config->mounts.items[i];
		if (strcmp(action, "mount") != 0)
			write_other(run_fd, "volume", action, v->name, "container", config->id,
				    "driver", "local", NULL);
		else
			write_other(run_fd, "volume", action, v->name, "container", config->id,
				    "destination", v->destination, "driver", "local", "propagation",
				    v->propagation ? v->propagation : "", "read/write",
				    v->read_only ? "false" : "true", NULL);
	}
}
