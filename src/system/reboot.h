/* reboot.h - another boot of a system that runs. */
#pragma once

struct engine;
struct err;

/* Asks its init for another boot, with the time (seconds, NULL: its own) until it is killed and
 * booted all the same, and waits until it is ready. Its network stays as it is. */
int system_reboot(struct engine *engine, const char *name, const char *timeout, struct err *e);
