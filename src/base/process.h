/* process.h - processes named so that a number that was used again is never mistaken for the
 * one that was meant: a pid counts only together with its start time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* Of /proc/PID/stat, as the caller's PID namespace numbers them. */
struct process_stat {
	pid_t parent;
	pid_t session;
	uint64_t start_time; /* clock ticks after boot */
};

/* -ESRCH if it is gone. */
int process_stat_read(pid_t pid, struct process_stat *ret);
int process_start_time(pid_t pid, uint64_t *ret);

/* A pidfd of pid, if it still is the process that started at start_time; else -ESRCH.
 * pidfd_open(2), Linux 5.3. The caller's. */
int process_open(pid_t pid, uint64_t start_time);

/* Sends a signal through a pidfd. 0 or -errno. */
int process_signal(int pidfd, int signal);

/* Has the process behind this pidfd ended, whether it has been waited for or not? */
bool process_ended(int pidfd);

/* Waits for a child, through EINTR; returns the wait status, or -errno. */
int process_wait(pid_t pid);

/* The shell's number for a wait status: 0-255, or 128 + signal. */
int process_exit_code(int wait_status);

/* All signals as in a process that nobody has touched: default actions, none blocked. For a child
 * before exec(2), whose parent's habits are not its affair. */
void process_reset_signals(void);

/* Just after a fork: killed when the parent's thread ends (prctl(2), PR_SET_PDEATHSIG). -ESRCH: the
 * parent has ended already. Returns 0 or -errno. */
int process_die_with(pid_t parent);

/* Has this thread the capability, of <linux/capability.h>, in its effective set? */
bool process_has_capability(unsigned number);

/* /proc/sys/kernel/random/boot_id, 36 characters: tells this boot from every other. */
int process_boot_id(char to[37], struct err *e);
