/* template_make.h - what the makers of templates have in common: the order, a folder to work in,
 * and a way to run a program of the host. */
#pragma once
#include <stdbool.h>

struct err;
struct image_report;
struct oci_platform;
struct str;
struct strv;

/* What a maker leaves in its folder: one of these is the root filesystem. */
#define TEMPLATE_TAR  "root.tar"
#define TEMPLATE_ROOT "root"
#define TEMPLATE_NULL TEMPLATE_ROOT "/dev/null"

struct template
{
	char *distribution; /* "alpine" */
	char *release;      /* "3.20"; "" of what has none */
	bool system;        /* with an init */
	const char *mirror; /* where to get it from: an address without a slash at its end; NULL:
			     * as the host does, else the distribution's own */
	const struct oci_platform *platform;
	const char *architecture; /* that in the distribution's words */
	bool foreign;             /* it is not this machine's */
	struct image_report *report;
	int work_fd; /* the folder, empty at first and nobody else's */
	char *work;
	int lock; /* what the maker's programs keep open, so that the next one waits for them */
};

/* Leaves the root filesystem in the folder, or fails: what lies there then is removed. */
typedef int template_maker(const struct template *t, struct err *e);
template_maker image_template_debian;
template_maker image_template_alpine;
template_maker image_template_rpm;
template_maker image_template_busybox;

/* Runs argv with the standard input input (NULL: nothing), in namespaces of its own where that is
 * allowed; the folder is its home and its place for temporary files. Its output goes to the new
 * file output of the folder, NULL: to what is shown of it when it fails. ERR_UNSUPPORTED: it is
 * not installed; ERR_UNREACHABLE: it failed, as of mirrors that cannot be reached. */
int image_template_run(const struct template *t, const struct strv *argv, const char *input,
		       const char *output, struct err *e);

/* Is this program on the PATH? */
bool image_template_has(const char *program);

/* The same, with the output as text, of at most 1 MiB. */
int image_template_run_text(const struct template *t, const struct strv *argv, struct str *output,
			    struct err *e);

/* A file below the root filesystem (made with the folders above it), with this text in place of
 * whatever has the name. */
int image_template_write(int root_fd, const char *path, const char *text, struct err *e);

/* Removes what has this name below the root filesystem, if there is something. */
int image_template_remove(int root_fd, const char *path, struct err *e);

/* The keys that people keep for holm: NAME.asc of ~/.config/holm/keys, of /etc/holm/keys. NULL:
 * none. The caller frees. */
char *image_template_key(const char *name);
