/* newidmap.h - newuidmap(1) and newgidmap(1), which write the maps of an ordinary user's user
 * namespace: they hold the rights that the caller lacks, and check its subordinate ids. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_id_mappings;

/* Are both in $PATH (or where Debian, Fedora and others have them)? */
bool runtime_newidmap_is_there(void);

/* program: "newuidmap" or "newgidmap". What it says on its standard error is in e. */
int runtime_newidmap_run(const char *program, pid_t pid, const struct oci_id_mappings *maps,
			 struct err *e);
