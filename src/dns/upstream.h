/* upstream.h - questions that others are to answer: the servers of the host, or those that the
 * container was given. Each goes out from a socket of its own, connected to the server, whose port
 * the kernel chooses by chance, under an id by chance: who forges an answer must guess both. A
 * server that does not answer in time, or cannot, is followed by the next. */
#pragma once
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/config.h"
#include "dns/message.h"

enum { DNS_PENDING_MAX = 256 };

/* Who asks. */
struct dns_client {
	int connection;             /* the place in stream.h; -1: by UDP */
	uint32_t serial;            /* of that connection: there may be another by now */
	struct sockaddr_in address; /* by UDP */
	size_t answer_max;          /* the same */
};

struct dns_pending {
	int fd; /* -1: this place is free */
	struct dns_client client;
	struct str query; /* as it was asked, with the client's id */
	size_t question_end;
	uint16_t id;    /* under which it was sent */
	unsigned tries; /* that were begun */
	int64_t due_ms;
	bool stream;     /* to the server by TCP */
	size_t sent;     /* the same: of the query and its two bytes of length */
	struct str read; /* the same */
};

/* Takes an answer that is to be sent, with the client's id; borrowed. */
typedef void dns_answered(void *arg, const struct dns_client *client, uint8_t *bytes, size_t length,
			  size_t question_end);

struct dns_upstream {
	const struct dns_servers *servers;
	size_t preferred; /* the one that answered last */
	dns_answered *answered;
	void *arg;
	struct dns_pending pending[DNS_PENDING_MAX];
	size_t count;
	uint8_t bytes[DNS_MESSAGE_MAX]; /* what is being read */
};

void dns_upstream_open(struct dns_upstream *ret, const struct dns_servers *servers,
		       dns_answered *answered, void *arg);

/* false: there is nobody to ask, or too much has been asked; the same question again, before it is
 * answered, is asked once. */
bool dns_upstream_ask(struct dns_upstream *upstream, const struct dns_client *client,
		      const uint8_t *query, size_t length, size_t question_end, int64_t now_ms);

/* Adds what is waited for to fds, which has room for DNS_PENDING_MAX; returns how many. */
size_t dns_upstream_poll(const struct dns_upstream *upstream, struct pollfd *fds);

/* What has come, and what has not come in time. */
void dns_upstream_turn(struct dns_upstream *upstream, const struct pollfd *fds, size_t count,
		       int64_t now_ms);

/* When dns_upstream_turn() is needed at the latest; 0: not. */
int64_t dns_upstream_next_ms(const struct dns_upstream *upstream);
