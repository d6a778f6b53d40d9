/* kill.h - ends a monitor that does not answer any more: one that was stopped (SIGSTOP), or hangs
 * in a filesystem. The container's first process dies with it; what is left is cleared as behind
 * every killed monitor (reap.h). */
#pragma once
struct err;

/* SIGKILL by pidfd to whoever holds the lock of run_dir, and waits for its end. No monitor is
 * success. ERR_TIMEOUT when it does not even die (a process that waits in the kernel does not). */
int monitor_kill(const char *run_dir, struct err *e);

/* SIGTERM instead, which a monitor takes for the host's going down: it stops its container as that
 * asks for. Waits for the monitor's end, wait_ms at most (-1: for ever); then ERR_TIMEOUT. */
int monitor_kill_shutdown(const char *run_dir, int wait_ms, struct err *e);
