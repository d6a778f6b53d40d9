/* import.h - a root filesystem becomes an image of one layer. */
#pragma once

struct err;
struct image_invocation;
struct image_report;
struct oci_id_map;
struct oci_platform;
struct oci_image_process;
struct store;

struct image_import {
	const struct store *store;
	struct image_report *report;
	const char *path; /* a tar (gzip and zstd are seen through), "-", http(s)://..., or a
				* folder */
	int folder_fd;    /* a folder instead, which is called by this path; 0: none */
	const struct oci_id_map *ids; /* its owners are ids of this container; NULL: as they are */
	const char *reference;        /* full name, or NULL */
	const struct oci_platform *platform; /* what it is made for; NULL: this machine */
	const char *comment; /* for the image's history; NULL: "Imported from PATH" */
	const struct oci_image_process *process; /* what its containers run with; NULL: nothing */
};

/* On failure nothing stays. A folder is packed as it is, other filesystems mounted in it
 * excepted. */
int image_import(const struct image_import *import, struct err *e);

/* Verb "import": a path, "-" or "dir:FOLDER", and maybe a name. With --folder-fd that folder, the
 * path being what it is called. */
int image_import_verb(const struct image_invocation *invocation, struct err *e);
