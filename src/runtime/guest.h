/* guest.h - a container that boots a whole system: what its init finds, beside what the spec's
 * mounts and limits say. systemd's side of it is CONTAINER_INTERFACE.md (systemd.io); the others
 * ask for less.
 *
 * Annotations:
 *	org.holm.guest		"true": process.args is an init. The terminal is its standard
 *				streams and /dev/console, but not its controlling terminal, which a
 *				getty takes; "/sbin/init" alone may also lie elsewhere
 *	org.holm.guest.identity	32 hex digits: the root is a copy that must not be taken for what it
 *				was copied from. Its /etc/machine-id becomes this, /etc/hostname the
 *				spec's hostname; keys of ssh and seeds of random numbers go */
#pragma once
#include <stdbool.h>

struct err;
struct oci_spec;
struct runtime_tree;
struct strv;

bool runtime_guest_is_asked_for(const struct oci_spec *spec);

/* When all is mounted, before the root is entered. */
int runtime_guest_prepare_in_child(const struct oci_spec *spec, const struct runtime_tree *tree,
				   struct err *e);

/* The program that is to be PID 1, a path as the container sees it; the caller frees *ret.
 * ERR_COMMAND_NOT_FOUND, ERR_NOT_EXECUTABLE. */
int runtime_guest_find_init_in_container(char **ret, const struct oci_spec *spec,
					 const struct strv *env, struct err *e);
