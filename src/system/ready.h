/* ready.h - waiting for a system to boot. */
#pragma once

struct err;
struct monitor_client;
struct monitor_exit;
struct str;

/* Until its init says that it is ready. The end of what its console says meanwhile, if the client
 * is attached to it, is added to *console. ERR_STATE: it ended first. */
int system_ready_await(struct monitor_client *client, struct str *console, struct err *e);

/* The error that an end makes which no other boot follows. */
int system_ready_ended(const struct monitor_exit *end, struct err *e);
