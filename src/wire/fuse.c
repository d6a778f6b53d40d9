#include "wire/fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum {
	REQUEST_BYTES_MAX = FUSE_MIN_READ_BUFFER, /* of which a write, refused here, has less */
	WRITE_MAX = 4096,
	TURN_MAX = 64,           /* requests that are answered here */
	READER_BUFFER = 1 << 16, /* st_blksize: what stdio reads at once */
};

/* ---- making it ---- */

static int set(int fs, const char *key, const char *value, struct err *e)
{
	if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0)
		return err_sys(e, "FUSE: option %s", key);
	return 0;
}

/* allow_other: the container's users are others. default_permissions: the kernel then asks for the
 * attributes, with the size, whenever the file is opened. */
static int make(int device, struct err *e)
{
	char number[16];
	struct {
		const char *key, *value;
	} options[] = { { "fd", number },      { "rootmode", "40555" },        { "user_id", "0" },
			{ "group_id", "0" },   { "allow_other", NULL },        { "source", "holm" },
			{ "subtype", "holm" }, { "default_permissions", NULL } };

	snprintf(number, sizeof(number), "%d", device);
	own_fd int fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_number(e, errno, "FUSE: the kernel has no such filesystem");
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int r = set(fs, options[i].key, options[i].value, e);
		if (r < 0)
			return r;
	}
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "FUSE: make a filesystem");
	int mount = fsmount(fs, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	return mount < 0 ? err_sys(e, "FUSE: mount a filesystem") : mount;
}

int wire_fuse_open(int *ret_mount, struct err *e)
{
	own_fd int device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (device < 0)
		return err_sys(e, "open /dev/fuse");
	int mount = make(device, e);
	if (mount < 0)
		return mount;
	*ret_mount = mount;
	return take_fd(&device);
}

/* ---- answering ---- */

static void reply(int device, uint64_t unique, int error, const void *bytes, size_t length)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + length),
		.error = -error,
		.unique = unique,
	};
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)bytes, length } };

	/* ENOENT: who asked was interrupted; nothing else can be done about any failure */
	if (writev(device, parts, length ? 2 : 1) < 0)
		return;
}

static void reply_init(int device, uint64_t unique, const struct fuse_init_in *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor
							       : FUSE_KERNEL_MINOR_VERSION,
		.max_write = WRITE_MAX,
		.time_gran = 1,
	};

	if (in->major != FUSE_KERNEL_VERSION)
		reply(device, unique, EPROTO, NULL, 0);
	else
		reply(device, unique, 0, &out, sizeof(out));
}

/* The root is FUSE_ROOT_ID, 1; files follow. */
#define FIRST_FILE (FUSE_ROOT_ID + 1)

static struct fuse_attr attributes(uint64_t node, size_t length)
{
	return (struct fuse_attr){
		.ino = node,
		.size = length,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0555 : S_IFREG | 0444,
		.nlink = 1,
		.blksize = READER_BUFFER,
	};
}

/* Those of a file are good for no time at all, the folder's for ever: else they were asked for anew
 * with each name that is looked up. */
static void reply_attributes(int device, uint64_t unique, uint64_t node, size_t length)
{
	struct fuse_attr_out out = { .attr_valid = node == FUSE_ROOT_ID ? UINT32_MAX : 0,
				     .attr = attributes(node, length) };

	reply(device, unique, 0, &out, sizeof(out));
}

static void reply_lookup(int device, uint64_t unique, const char *name, size_t length, size_t files)
{
	struct fuse_entry_out out = { 0 };
	char *end;

	if (length < 2 || name[length - 1] || length > WIRE_FUSE_NAME_MAX) {
		reply(device, unique, ENOENT, NULL, 0);
		return;
	}
	unsigned long index = strtoul(name, &end, 10);
	if (*end || index >= files) {
		reply(device, unique, ENOENT, NULL, 0);
		return;
	}
	out.nodeid = FIRST_FILE + index;
	out.attr = attributes(out.nodeid, 0);
	reply(device, unique, 0, &out, sizeof(out));
}

static void reply_open(int device, uint64_t unique)
{
	/* else the kernel would read no further than the size says, and keep what it read */
	struct fuse_open_out out = { .open_flags = FOPEN_DIRECT_IO };

	reply(device, unique, 0, &out, sizeof(out));
}

static void reply_statfs(int device, uint64_t unique)
{
	struct fuse_statfs_out out = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };

	reply(device, unique, 0, &out, sizeof(out));
}

/* True: it takes the text. */
static bool take_of_file(int device, const struct fuse_in_header *header, const void *body,
			 size_t length, struct wire_fuse_request *ret)
{
	const struct fuse_read_in *in = body;

	*ret = (struct wire_fuse_request){ .unique = header->unique,
					   .file = header->nodeid - FIRST_FILE };
	switch (header->opcode) {
	case FUSE_GETATTR:
		return true;
	case FUSE_READ:
		if (length < sizeof(*in))
			break;
		ret->is_read = true;
		ret->offset = in->offset;
		ret->size = in->size;
		return true;
	case FUSE_OPEN:
		reply_open(device, header->unique);
		return false;
	case FUSE_RELEASE:
		reply(device, header->unique, 0, NULL, 0);
		return false;
	default:
		break;
	}
	reply(device, header->unique, ENOSYS, NULL, 0); /* what the kernel then does without */
	return false;
}

static void answer_of_all(int device, const struct fuse_in_header *header, const void *body,
			  size_t length, size_t files)
{
	switch (header->opcode) {
	case FUSE_INIT:
		if (length >= 2 * sizeof(uint32_t))
			reply_init(device, header->unique, body);
		return;
	case FUSE_LOOKUP:
		reply_lookup(device, header->unique, body, length, files);
		return;
	case FUSE_GETATTR:
		reply_attributes(device, header->unique, FUSE_ROOT_ID, 0);
		return;
	default:
		reply(device, header->unique, ENOSYS, NULL, 0);
	}
}

/* True: it takes the text. */
static bool take(int device, const struct fuse_in_header *header, const void *body, size_t length,
		 size_t files, struct wire_fuse_request *ret)
{
	switch (header->opcode) {
	case FUSE_FORGET: /* these three have no answer */
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return false;
	case FUSE_STATFS:
		reply_statfs(device, header->unique);
		return false;
	default:
		break;
	}
	if (header->nodeid >= FIRST_FILE && header->nodeid - FIRST_FILE < files)
		return take_of_file(device, header, body, length, ret);
	answer_of_all(device, header, body, length, files);
	return false;
}

int wire_fuse_next(int device, size_t files, struct wire_fuse_request *ret)
{
	union {
		struct fuse_in_header header;
		char bytes[REQUEST_BYTES_MAX];
	} request;

	for (int i = 0; i < TURN_MAX; i++) {
		ssize_t n = read(device, request.bytes, sizeof(request.bytes));
		if (n < 0 && errno == EAGAIN)
			return 0;
		/* ENOENT: it was taken back before it could be read */
		if (n < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (n < 0)
			return -errno;
		if (n < (ssize_t)sizeof(request.header))
			return -EPROTO;
		if (take(device, &request.header, request.bytes + sizeof(request.header),
			 (size_t)n - sizeof(request.header), files, ret))
			return 1;
	}
	return 0;
}

void wire_fuse_answer(int device, const struct wire_fuse_request *request, const char *text,
		      size_t length)
{
	size_t from = request->offset < length ? (size_t)request->offset : length;
	size_t left = length - from;

	if (request->is_read)
		reply(device, request->unique, 0, text + from,
		      left < request->size ? left : request->size);
	else
		reply_attributes(device, request->unique, FIRST_FILE + request->file, length);
}
