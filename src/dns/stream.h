/* stream.h - connections of those who ask by TCP: one question after the other on each. */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { DNS_STREAMS_MAX = 32 };

struct dns_stream {
	int fd; /* -1: this place is free */
	uint32_t serial;
	struct str read;  /* with two bytes of length in front */
	struct str write; /* the same; what has not been sent */
	bool asked;       /* an answer is being looked for */
	int64_t due_ms;   /* nobody keeps a connection for nothing */
};

struct dns_streams {
	struct dns_stream items[DNS_STREAMS_MAX];
	uint32_t serial;
	size_t count;
};

/* A question has come. */
typedef void dns_asked(void *arg, int connection, uint32_t serial, const uint8_t *bytes,
		       size_t length);

void dns_stream_open(struct dns_streams *streams);

/* Takes whoever waits at the listening socket; when all places are taken, nobody. */
void dns_stream_accept(struct dns_streams *streams, int listener, int64_t now_ms);

/* As dns_upstream_poll(). */
size_t dns_stream_poll(const struct dns_streams *streams, struct pollfd *fds);
void dns_stream_turn(struct dns_streams *streams, const struct pollfd *fds, size_t count,
		     int64_t now_ms, dns_asked *asked, void *arg);
int64_t dns_stream_next_ms(const struct dns_streams *streams);

/* Is dropped where the connection has gone. */
void dns_stream_answer(struct dns_streams *streams, int connection, uint32_t serial,
		       const uint8_t *bytes, size_t length);
