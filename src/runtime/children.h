/* children.h - containers within a container, as the PID namespaces below its own, and the threads
 * that are about to make one. All that is known of these is read from /proc, of processes that
 * may be hostile: what cannot be told counts as if it was so. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How many PID namespaces lie below this one (a descriptor of /proc/PID/ns/pid) in which something
 * runs: a namespace whose first process has ended is dead, and nothing can be started in it.
 * Or -errno. */
int runtime_children_count(int pid_namespace);

/* A thread that was allowed to make one, by clone(2) or unshare(2). By unshare it has one as soon
 * as that returns, but nothing is to be seen of it until something is started there. */
struct runtime_children_maker {
	pid_t thread;
	bool is_leader;
	bool unshares;
	int call; /* the number of the system call, as its ABI counts; -1: it is known to be over */
	int thread_folder; /* /proc/THREAD: of no other that gets the number later */
	int leader_folder;
};
#define RUNTIME_CHILDREN_MAKER_INIT                                                                \
	{                                                                                          \
		.thread_folder = -1, .leader_folder = -1                                           \
	}

int runtime_children_maker_open(struct runtime_children_maker *ret, pid_t thread);
void runtime_children_maker_close(struct runtime_children_maker *maker);

enum runtime_children_maker_state {
	RUNTIME_CHILDREN_MAKING,  /* what comes of it cannot be told yet */
	RUNTIME_CHILDREN_PENDING, /* made, and nothing is started there */
	RUNTIME_CHILDREN_OVER,    /* counted from now on, or gone, or never made */
};

/* Where it is OVER, a count that begins after this has it. */
enum runtime_children_maker_state runtime_children_maker_look(struct runtime_children_maker *maker);
