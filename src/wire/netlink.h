/* netlink.h - requests to the kernel over netlink(7), rtnetlink(7) above all: one message out, its
 * answers and the acknowledgement in. Attributes are made and found here; what they mean is the
 * caller's affair. */
#pragma once
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;

enum { WIRE_NETLINK_MESSAGES_MAX = 32 };

/* One message that is being built, or several behind each other. Ends with
 * wire_netlink_request_clear(). */
struct wire_netlink_request {
	struct str bytes;
	size_t start; /* of the message that is being built */
	size_t count;
	const char *doing[WIRE_NETLINK_MESSAGES_MAX]; /* what each is for; NULL: not said */
};

/* A NETLINK_ROUTE socket in this thread's network namespace, where it stays, whoever has it. */
int wire_netlink_open(struct err *e);

/* The same of NETLINK_NETFILTER, for nftables. */
int wire_netlink_open_filter(struct err *e);

/* type: RTM_*; flags: NLM_F_* beside NLM_F_REQUEST and NLM_F_ACK; family is the fixed part behind
 * the header (struct ifinfomsg...). */
void wire_netlink_begin(struct wire_netlink_request *request, uint16_t type, uint16_t flags,
			const void *family, size_t family_length);
/* One more message behind the last, at most WIRE_NETLINK_MESSAGES_MAX in all: they travel together,
 * and the kernel does each, also after one that failed. doing (a literal) goes in front of its
 * error. */
void wire_netlink_next(struct wire_netlink_request *request, const char *doing, uint16_t type,
		       uint16_t flags, const void *family, size_t family_length);

/* Attributes within an attribute: what is added between the two. */
size_t wire_netlink_nest(struct wire_netlink_request *request, uint16_t type);
void wire_netlink_nest_end(struct wire_netlink_request *request, size_t nest);

void wire_netlink_add(struct wire_netlink_request *request, uint16_t type, const void *bytes,
		      size_t length);
/* Bytes that are no attribute: a message's fixed part within one. */
void wire_netlink_add_raw(struct wire_netlink_request *request, const void *bytes, size_t length);
void wire_netlink_add_u32(struct wire_netlink_request *request, uint16_t type, uint32_t value);
void wire_netlink_add_text(struct wire_netlink_request *request, uint16_t type, const char *text);
void wire_netlink_request_clear(struct wire_netlink_request *request);

/* Sends the request and waits until all of it is answered; each (which may be NULL) sees every
 * message of the answer. Fails with the kernel's errno for the first that it refused and, where it
 * gave one, its reason in words. */
int wire_netlink_call(int socket, const struct wire_netlink_request *request,
		      void (*each)(const struct nlmsghdr *message, void *context), void *context,
		      struct err *e);

/* The same as one transaction of a subsystem of NETLINK_NETFILTER (NFNL_SUBSYS_*): all or
 * nothing. */
int wire_netlink_commit(int socket, const struct wire_netlink_request *request, uint16_t subsystem,
			struct err *e);

/* The attribute of this type behind the fixed part of a message, or within an attribute, or NULL.
 * Its payload lies in the message, whole: RTA_DATA(), RTA_PAYLOAD(). */
const struct rtattr *wire_netlink_find(const struct nlmsghdr *message, size_t family_length,
				       uint16_t type);
const struct rtattr *wire_netlink_find_in(const struct rtattr *nest, uint16_t type);
