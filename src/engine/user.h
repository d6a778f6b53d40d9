/* user.h - holm for an ordinary user (decision 0037): where the folders lie, and the user namespace
 * in which all of its work is done. From there on the caller is root, of that namespace, and every
 * other part of holm works as it does for the host's. */
#pragma once

struct err;

/* $XDG_DATA_HOME/holm, else ~/.local/share/holm. The caller frees. */
int engine_user_root(char **ret, struct err *e);

/* $XDG_RUNTIME_DIR/holm, else /run/user/UID/holm where that is the user's, else /tmp/holm-run-UID,
 * which is made, and must be the user's alone; that one also while a container of the store root
 * runs there, from before there was a login. The caller frees. */
int engine_user_run(char **ret, const char *root, struct err *e);

/* The caller, an ordinary user, goes into the user namespace of the containers that run (run: the
 * run folder), or into a new one like it. root: the store, which must be the caller's or not be
 * there. */
int engine_user_enter(const char *root, const char *run, struct err *e);
