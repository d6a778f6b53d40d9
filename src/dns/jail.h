/* jail.h - what remains of a name server's rights, since it reads what containers send: no
 * privileges and no user of its own, an empty root folder, files to be read below its networks'
 * folders alone, and the system calls that it makes. */
#pragma once

struct dns_names;
struct err;

/* root_fd: of an empty folder. */
int dns_jail_enter(int root_fd, const struct dns_names *names, struct err *e);

/* jail_filter.c, or jail_none.c where sanitizers want calls of their own. */
int dns_jail_filter(struct err *e);
