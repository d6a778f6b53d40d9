/* pack.h - a folder into a tar stream (pax), in an order that depends on nothing but the names:
 * the same tree gives the same bytes. Of a layer or of an overlay's upper folder the whiteouts are
 * turned back into OCI's. In holm-image only (storage_archive). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct oci_id_map;

/* Takes all of the bytes or fails with a negative errno, e filled. */
struct byte_sink {
	int (*write)(void *context, const void *bytes, size_t length, struct err *e);
	void *context;
};

struct pack_options {
	bool whiteouts; /* char 0:0 and trusted.overlay.opaque are whiteouts, not what they seem */
	bool plain_names;    /* ".wh.x" is a file like any other: this becomes no layer */
	bool one_filesystem; /* what is mounted below is left out */
	bool no_kernel;      /* so is what shows the kernel, see fd_is_of_kernel() */
	bool without_root;   /* no entry for the folder itself */
	int64_t *time_s;     /* every time is this one instead; NULL: as it is */
	const char *entry;   /* this one thing in the folder alone; NULL: all of the folder */
	const char *name;    /* what that is called in the archive; NULL: "." */
	const struct oci_id_map *ids; /* owners are ids of this container; NULL: as they are */
	const char *const *left_out;  /* paths below the folder, the last NULL; may be NULL */
};

/* Writes everything below folder_fd (a folder; O_PATH will do), sockets excepted. With whiteouts
 * ERR_UNSUPPORTED for what overlayfs's redirect_dir and metacopy leave, which is nothing without
 * the layers below. */
int storage_pack(int folder_fd, const struct pack_options *options, const struct byte_sink *sink,
		 struct err *e);
