/* command.h - holm's end of holm-image: starts it, shows its progress, brings back its answer or
 * its error. For the engine (which pulls what is absent) and the commands of the cli. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "image/progress.h"

struct err;
struct store;

/* Where holm-image finds USER[:PASSWORD]: of its command line everybody could read them. */
#define IMAGE_COMMAND_CREDENTIALS "HOLM_REGISTRY_CREDENTIALS"

enum image_command_show {
	IMAGE_SHOW_NOTHING,
	IMAGE_SHOW_PROGRESS, /* bars in place where stderr is a terminal, else plain lines */
};

/* How arguments begin: the verb, and where the store is. */
void image_command_begin(struct strv *arguments, const char *verb, const struct store *store);

/* Runs `holm-image ARGUMENTS...` (arguments begin with the verb: "pull", "--root", ...) with a
 * progress descriptor, its stdin and stdout inherited. What it shows goes to stderr. Fills *ret
 * (may be NULL) with the last image line. When holm-image reports an error, e is that error; when
 * it dies, ERR_INTERNAL with how. The program is $HOLM_LIBEXEC/holm-image, or that of the
 * folder holm was built for. */
int image_command_run(struct image_progress *ret, const struct strv *arguments,
		      enum image_command_show show, struct err *e);

/* Descriptors for the verbs that work on some; -1: none. */
struct image_command_files {
	int folder;  /* --folder-fd */
	int request; /* --request-fd */
	int input;   /* in the place of standard input and output; 0: those of the caller */
	int output;
};

/* The same with these. */
int image_command_run_on(const struct image_command_files *files, struct image_progress *ret,
			 const struct strv *arguments, enum image_command_show show, struct err *e);

/* The same for verbs that bring several images (load) or find damage (check): calls on_image for
 * each image and each finding. */
typedef void image_command_report(void *arg, const struct image_progress *image);
int image_command_run_each(image_command_report *on_image, void *arg, const struct strv *arguments,
			   enum image_command_show show, struct err *e);
