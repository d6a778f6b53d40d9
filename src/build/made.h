/* made.h - sources of COPY and ADD that are in no tree: here-documents, and what ADD fetches. */
#pragma once
#include <stdbool.h>

struct build_heredoc;
struct build_step;
struct err;

/* Is this source of ADD an address, or a Git repository? */
bool build_made_is_remote(const char *source);

/* Makes the file or folder in the empty folder_fd; *ret_name is its name in it, the caller's. */
int build_made_heredoc(char **ret_name, int folder_fd, const struct build_step *step,
		       const struct build_heredoc *heredoc, struct err *e);
int build_made_fetch(char **ret_name, int folder_fd, const struct build_step *step,
		     const char *source, struct err *e);
