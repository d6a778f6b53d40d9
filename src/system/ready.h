/* ready.h - waiting for a system to boot. */
#pragma once
#include <stdbool.h>

struct err;
struct monitor_client;
struct monitor_frame;
struct str;

/* Until its init says that it is ready. The end of what its console says meanwhile, if the client
 * is attached to it, is added to *console. ERR_STATE: it ended first. */
int system_ready_await(struct monitor_client *client, struct str *console, struct err *e);

/* Is the frame an end that no other boot follows? And the error it makes. */
bool system_ready_is_end(const struct monitor_frame *frame);
int system_ready_ended(const struct monitor_frame *frame, struct err *e);
