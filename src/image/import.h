/* import.h - a root filesystem becomes an image of one layer. */
#pragma once

struct err;
struct image_invocation;
struct image_report;
struct oci_platform;
struct oci_image_process;
struct store;

struct image_import {
	const struct store *store;
	struct image_report *report;
	const char *path;      /* a tar (gzip and zstd are seen through), "-", http(s)://..., or a
				* folder */
	const char *reference; /* full name, or NULL */
	const struct oci_platform *platform; /* what it is made for; NULL: this machine */
	const char *comment; /* for the image's history; NULL: "Imported from PATH" */
	const struct oci_image_process *process; /* what its containers run with; NULL: nothing */
};

/* On failure nothing stays. A folder is packed as it is, other filesystems mounted in it
 * excepted. */
int image_import(const struct image_import *import, struct err *e);

/* Verb "import": a path, "-" or "dir:FOLDER", and maybe a name. */
int image_import_verb(const struct image_invocation *invocation, struct err *e);
