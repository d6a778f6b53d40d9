/* relabel.h - SELinux's labels. Of a container's process: what --security-opt label= makes of the
 * policy's own. Of what it mounts: "z" gives the files of a volume or a
 * folder the label that all containers may use, "Z" one with categories of this container's own.
 * Without SELinux both words do nothing, as with docker. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct container;
struct engine;
struct err;

/* Before a start: of each mount that asks for it, all files. ERR_INVALID for a folder of the host's
 * that its own programs need, as /etc. */
int engine_relabel(struct engine *engine, const struct container *c, struct err *e);

/* The labels for the process, and for the filesystems that are made for it, where --security-opt
 * label= asks for parts of one; else both NULL. ERR_UNSUPPORTED without SELinux. The caller's. */
int engine_relabel_process(char **process, char **files, const struct container *c, struct err *e);

/* ---- its parts ---- */

/* The label of the policy's lxc_contexts(5) for "process" or "file", with these categories of the
 * container, and then with the words of --security-opt label= joined by commas: "user:U", "role:R",
 * "type:T", "level:L" ("s0:c1,c2"), "filetype:T". Files have the role and the type of files. */
char *engine_relabel_compose(const char *lxc_contexts, bool of_files, const char *words,
			     const char *id);

/* The label for word ("z", "Z") by the policy's lxc_contexts(5); text may be NULL or lack it. The
 * categories follow from the container's id: the same at each start. The caller's. */
char *engine_relabel_label(const char *lxc_contexts, const char *word, const char *id);

/* A path, as it resolves, whose relabelling would lock the host out. */
int engine_relabel_check(const char *path, struct err *e);

/* The file that fd (O_PATH will do) is open on and, of a folder, all below it on the same
 * filesystem; links are labelled and not followed. A filesystem without labels is success. */
int engine_relabel_tree(int fd, const char *label, struct err *e);
