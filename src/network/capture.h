/* capture.h - packets of a device as a file that tcpdump(1) and others read: pcap with nanoseconds
 * (draft-ietf-opsawg-pcap). packet(7) shows a copy of each; the container notices nothing. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct err;
struct network_namespace;
struct network_sift;

enum {
	NETWORK_CAPTURE_BYTES_MAX = 262144, /* of a packet: what libpcap takes at most */
	NETWORK_CAPTURE_HEAD = 24,          /* bytes before the first packet */
	NETWORK_CAPTURE_RECORD = 16,        /* bytes before each */
};

/* Of Ethernet frames, cut at so many bytes. Pure. */
void network_capture_head(unsigned char to[NETWORK_CAPTURE_HEAD], uint32_t snap);
void network_capture_record(unsigned char to[NETWORK_CAPTURE_RECORD], const struct timespec *time,
			    uint32_t captured, uint32_t whole);

/* A socket, the caller's, that hears of the device in the namespace what sift says (sift.h). The
 * caller has one thread.
 * ERR_NOT_FOUND; ERR_UNSUPPORTED: no device of Ethernet. */
int network_capture_open(const struct network_namespace *namespace, const char *device,
			 const struct network_sift *sift, struct err *e);

struct network_capture {
	int socket;
	int output;
	int stop;  /* ends as soon as one of these can be read; -1: never. The socket keeps the */
	int ended; /* network alive, so this one should be the container's pidfd */
	uint32_t snap;   /* at most NETWORK_CAPTURE_BYTES_MAX */
	uint64_t count;  /* ends after so many; 0: never */
	int64_t seconds; /* and after this time; 0: never */

	uint64_t written; /* set: how many there were, */
	uint64_t lost;    /* and how many more nobody was quick enough for */
};

/* Until the count is reached, it is stopped, the reader has gone or the device has. */
int network_capture_run(struct network_capture *capture, struct err *e);
