/* jail.h - what holm-image gives up before it reads the first byte from outside: a parser that is
 * taken over shall find no more than the store to write to.
 *	capabilities  but those that unpacking needs
 *	new rights    by exec: no_new_privs, and no exec at all
 *	writing       outside of the store and of its run folder (Landlock, Linux 5.19)
 *	system calls  it never makes: mounts, namespaces, modules, ptrace, bpf, keys... (seccomp) */
#pragma once

struct err;
struct store;

/* For the process, which has one thread yet; there is no way back. What this kernel lacks is left
 * out. Every file to be written outside of the store must be open. */
int image_jail_enter(const struct store *store, struct err *e);

/* The same where the store is no affair of the verb's: the folder is all there is to write to (-1:
 * nothing is). */
int image_jail_enter_at(int folder_fd, struct err *e);
