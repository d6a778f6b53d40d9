/* stop.h - ctrl-C and its like: they are noticed between two files and while a container runs, so
 * that a build ends in order, and what it has done stays for the next one. */
#pragma once
#include <signal.h>

struct err;

struct build_stop {
	int fd;          /* a signalfd: readable from then on; -1: none */
	sigset_t before; /* the mask to go back to */
};

/* SIGINT, SIGTERM and SIGHUP do not end this process until build_stop_end(). */
int build_stop_begin(struct build_stop *ret, struct err *e);
void build_stop_end(struct build_stop *stop);

/* As before: for a child that has nothing to put in order. */
void build_stop_allow(const struct build_stop *stop);

/* ERR_STATE once one came; from then on every time. fd -1: never. */
int build_stop_check(int fd, struct err *e);
