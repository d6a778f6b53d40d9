/* unpack_name.h - what the name of an entry in a layer's tar says: a place below the root, or a
 * whiteout (image-spec v1.1 layer.md, "Representing changes"). Pure text. */
#pragma once

struct err;

enum unpack_name_kind {
	UNPACK_NAME_PLAIN,
	UNPACK_NAME_WHITEOUT, /* ".wh.x": text is the path of x */
	UNPACK_NAME_OPAQUE,   /* ".wh..wh..opq": text is the folder's path */
	UNPACK_NAME_IGNORED,  /* AUFS's own books, ".wh..wh.plnk" and the like */
};

struct unpack_name {
	enum unpack_name_kind kind;
	char *text; /* "usr/bin/x": clean, relative; "" is the root */
};

/* A leading slash and "." vanish, ".." goes back; a name that leaves the root, is too long or too
 * deep, or is a whiteout of "", "." or "..": ERR_CORRUPT. Cleared by unpack_name_clear. */
int unpack_name_parse(struct unpack_name *to, const char *name, struct err *e);

/* The same where there are no whiteouts: always UNPACK_NAME_PLAIN. */
int unpack_name_parse_plain(struct unpack_name *to, const char *name, struct err *e);
void unpack_name_clear(struct unpack_name *name);
