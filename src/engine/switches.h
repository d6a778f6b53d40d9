/* switches.h - what a container may do and may not, by the names of FreeBSD's jail(8) where they
 * are the same thing: --allow and --deny. A switch is a capability that is added or dropped, or
 * system calls that the built-in seccomp profile refuses (EPERM); nothing else. */
#pragma once

struct container_security;
struct create_options;
struct err;
struct strv;

/* --allow, --deny and --children-max of o, once its namespaces and its filter are known.
 * ERR_INVALID: no such switch, not one that can be allowed, or one that cannot be kept. */
int engine_switches_set(struct container_security *s, const struct create_options *o,
			struct err *e);

/* The system calls that s refuses, by name. */
void engine_switches_calls(struct strv *to, const struct container_security *s);
