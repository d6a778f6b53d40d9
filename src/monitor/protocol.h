/* protocol.h - what a monitor and those who talk to it say to each other over a stream socket:
 * frames of a 5-byte header (type, length of the payload as LE32) and the payload. Numbers in
 * payloads are little-endian. A frame of an unknown type, or one longer than its type allows,
 * ends the connection. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	MONITOR_HEADER_SIZE = 5,
	MONITOR_PAYLOAD_MAX = 16384, /* senders cut longer streams into several frames */
};

enum monitor_frame_type {
	/* to the monitor; those marked (answered) get MONITOR_OK or MONITOR_ERROR, in order */
	MONITOR_ATTACH = 1, /* u8: enum monitor_attach flags; output from now on is sent here */
	MONITOR_STDIN,      /* bytes for the container's standard input or terminal */
	MONITOR_STDIN_EOF,  /* empty; closes the standard input if it is "once" (Docker's -i) */
	MONITOR_RESIZE,     /* u16 rows, u16 columns */
	MONITOR_KILL,       /* u32 signal (answered) */
	MONITOR_PAUSE,      /* (answered) */
	MONITOR_UNPAUSE,    /* (answered) */
	MONITOR_STOP,       /* i32 signal, i32 timeout in seconds: struct monitor_stop (answered) */
	MONITOR_WAIT,   /* EXIT frames are sent here, too, not only to who is attached (answered) */
	MONITOR_CHECK,  /* a health check now, or the one that runs; CHECKED follows (answered) */
	MONITOR_UPDATE, /* linux.resources as JSON: what it names is changed (answered) */
	MONITOR_HOLD,   /* a pause that ends with this connection, however that ends (answered) */
	MONITOR_RELEASE, /* or now, unless somebody was faster (answered) */
	MONITOR_AWAIT,   /* READY once its init says so, or EXIT; of a guest (answered) */
	MONITOR_REBOOT,  /* i32 timeout in seconds, as of STOP: its init is asked to (answered) */
	MONITOR_CHECKPOINT, /* while this connection lasts there are no health checks, and an end
			     * counts as a person's stop; EXIT frames as with WAIT (answered) */

	/* from the monitor */
	MONITOR_STARTED = 65, /* u32 pid of the container's first process, in the host's numbers */
	MONITOR_OK,           /* empty */
	MONITOR_ERROR,        /* u32 kind, u32 errno, text, NUL, hint, NUL: a struct err */
	MONITOR_STDOUT,       /* bytes */
	MONITOR_STDERR,       /* bytes; never with a terminal */
	MONITOR_DROPPED,      /* u64: so many bytes of output were not sent, this side reads too
			       * slowly (never with MONITOR_ATTACH_LOSSLESS) */
	MONITOR_EXIT,         /* struct monitor_exit: the container's first process has ended */
	MONITOR_CHECKED,      /* i32: exit code of the health check; -1: it had none */
	MONITOR_READY,        /* empty: its init has booted it */
};

enum monitor_attach {
	MONITOR_ATTACH_STDIN = 1,
	MONITOR_ATTACH_STDOUT = 2,
	MONITOR_ATTACH_STDERR = 4,
	MONITOR_ATTACH_LOSSLESS = 8, /* while this side does not read the container's writes block,
				      * as they would on a pipe: for the foreground of a run */
	MONITOR_ATTACH_SCROLLBACK = 16, /* of a guest: what its console showed last comes first */
	MONITOR_ATTACH_BOUND = 32,      /* SIGKILL at the end of this connection, however it ends */
};

enum monitor_exit_flag {
	MONITOR_EXIT_OOM = 1,        /* the kernel killed it for want of memory */
	MONITOR_EXIT_RESTARTING = 2, /* the restart policy starts it again; the connection stays */
};

/* As the frame carries it: i32, u32, i64. */
struct monitor_exit {
	int code;       /* 0-255; 128 + signal */
	uint32_t flags; /* enum monitor_exit_flag */
	int64_t finished_ns;
};

enum { MONITOR_STOP_OWN = -2 };

struct monitor_stop {
	int signal;    /* 0: the container's own */
	int timeout_s; /* then SIGKILL; 0: SIGKILL at once; -1: never; or MONITOR_STOP_OWN */
};

struct monitor_frame {
	enum monitor_frame_type type;
	uint32_t length;
	const unsigned char *payload; /* borrowed from the reader until its next call */
};

/* Gathers bytes into frames. Zeroed to begin with. */
struct monitor_frames {
	unsigned char *bytes; /* MONITOR_HEADER_SIZE + MONITOR_PAYLOAD_MAX, NULL while empty */
	size_t start, end;
};

void monitor_frames_clear(struct monitor_frames *frames);

/* The place to read the next bytes into, and how many fit: at least 1, given that
 * monitor_frames_next has answered 0. The caller then calls monitor_frames_added. */
void *monitor_frames_room(struct monitor_frames *frames, size_t *ret_room);
void monitor_frames_added(struct monitor_frames *frames, size_t count);

/* 1 and *ret, or 0: no whole frame yet. -EPROTO: a frame that cannot be. */
int monitor_frames_next(struct monitor_frames *frames, struct monitor_frame *ret);

/* Payloads. The readers return -EPROTO when the length is not right. */
void monitor_put_header(unsigned char to[MONITOR_HEADER_SIZE], enum monitor_frame_type type,
			size_t length);
void monitor_put_u32(unsigned char to[4], uint32_t value);
uint32_t monitor_get_u32(const unsigned char from[4]);
void monitor_put_u64(unsigned char to[8], uint64_t value);
uint64_t monitor_get_u64(const unsigned char from[8]);

enum { MONITOR_EXIT_SIZE = 16, MONITOR_STOP_SIZE = 8, MONITOR_RESIZE_SIZE = 4 };
void monitor_put_exit(unsigned char to[MONITOR_EXIT_SIZE], const struct monitor_exit *exit);
int monitor_get_exit(struct monitor_exit *ret, const struct monitor_frame *frame);

/* Both cut texts that are too long; to has MONITOR_PAYLOAD_MAX bytes, the length is returned. */
size_t monitor_put_err(unsigned char *to, const struct err *from);
int monitor_get_err(struct err *ret, const struct monitor_frame *frame);
