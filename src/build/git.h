/* git.h - Git repositories as contexts and as sources of ADD, by git(1). What a repository brings
 * is only read: no hook of it, no filter, no submodule's command is run. */
#pragma once
#include <stdbool.h>

struct err;

/* One of this machine, "file://": what a person names may be, what a Dockerfile names may not. */
bool build_git_is_local(const char *address);

/* "git@host:repo", "ssh://", "git://", or http(s):// with ".git" at the end of its path. */
bool build_git_is(const char *address);

/* ADDRESS[#REF[:FOLDER]]: the folder "tree" in the empty folder_fd becomes a copy of it; with
 * keep the repository is in it, too. */
int build_git_clone(int folder_fd, const char *address, bool keep, struct err *e);
