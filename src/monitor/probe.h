/* probe.h - one health check, made by a forked process of the monitor's: starting a process in the
 * container may hang, on a network filesystem, say, and the monitor must not. */
#pragma once
struct err;
struct monitor;

/* Starts it. Returns a pidfd, the caller's, who also waits for the process. *ret_result, the
 * caller's, brings one JSON text (monitor_health_result_shape) and its end; closing it before that
 * takes the check back: what it has started is killed. */
int monitor_probe_start(int *ret_result, const struct monitor *m, struct err *e);
