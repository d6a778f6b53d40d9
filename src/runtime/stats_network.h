/* stats_network.h - the counters of a container's network interfaces. proc_pid_net(5). */
#pragma once

struct runtime_container;
struct runtime_stats;

/* From the procfs of the first process, which the caller holds a pidfd of; none in the host's own
 * network namespace, whose traffic is not the container's. */
void runtime_stats_network_read(struct runtime_stats *to,
				const struct runtime_container *container);

/* Adds one line of /proc/PID/net/dev, if it is one of an interface that is not "lo". */
void runtime_stats_network_parse(struct runtime_stats *to, char *line);
