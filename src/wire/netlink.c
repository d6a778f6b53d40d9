#include "wire/netlink.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

/* What the kernel fills at most in one go, NLMSG_GOODSIZE and the dump's largest buffer:
 * net/netlink/af_netlink.c, netlink_dump(). */
enum { ANSWER_BYTES_MAX = 32768 };

static int open_protocol(int protocol, struct err *e)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int on = 1;

	own_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return err_sys(e, "make a netlink socket");
	/* reasons in words: Linux 4.12; without them there is the errno */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "bind a netlink socket");
	return take_fd(&fd);
}

int wire_netlink_open(struct err *e)
{
	return open_protocol(NETLINK_ROUTE, e);
}

int wire_netlink_open_filter(struct err *e)
{
	return open_protocol(NETLINK_NETFILTER, e);
}

/* ---- building ---- */

static void pad(struct str *bytes)
{
	static const char zeros[NLMSG_ALIGNTO];

	str_add_n(bytes, zeros, NLMSG_ALIGN(bytes->length) - bytes->length);
}

static void set_length(struct wire_netlink_request *request)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(request->bytes.text + request->start);

	header->nlmsg_len = (uint32_t)(request->bytes.length - request->start);
}

void wire_netlink_next(struct wire_netlink_request *request, const char *doing, uint16_t type,
		       uint16_t flags, const void *family, size_t family_length)
{
	assert(request->count < WIRE_NETLINK_MESSAGES_MAX);
	request->doing[request->count++] = doing;
	struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = flags | NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_seq = (uint32_t)request->count,
	};

	request->start = request->bytes.length;
	str_add_n(&request->bytes, &header, sizeof(header));
	str_add_n(&request->bytes, family, family_length);
	pad(&request->bytes);
	set_length(request);
}

void wire_netlink_begin(struct wire_netlink_request *request, uint16_t type, uint16_t flags,
			const void *family, size_t family_length)
{
	request->bytes.length = 0;
	request->count = 0;
	wire_netlink_next(request, NULL, type, flags, family, family_length);
}

size_t wire_netlink_nest(struct wire_netlink_request *request, uint16_t type)
{
	size_t nest = request->bytes.length;

	wire_netlink_add(request, type | NLA_F_NESTED, "", 0);
	return nest;
}

void wire_netlink_nest_end(struct wire_netlink_request *request, size_t nest)
{
	struct rtattr *attribute = (struct rtattr *)(request->bytes.text + nest);

	attribute->rta_len = (unsigned short)(request->bytes.length - nest);
}

void wire_netlink_add(struct wire_netlink_request *request, uint16_t type, const void *bytes,
		      size_t length)
{
	struct rtattr attribute = {
		.rta_len = (unsigned short)RTA_LENGTH(length),
		.rta_type = type,
	};

	str_add_n(&request->bytes, &attribute, sizeof(attribute));
	str_add_n(&request->bytes, bytes, length);
	pad(&request->bytes);
	set_length(request);
}

void wire_netlink_add_raw(struct wire_netlink_request *request, const void *bytes, size_t length)
{
	str_add_n(&request->bytes, bytes, length);
	pad(&request->bytes);
	set_length(request);
}

void wire_netlink_add_u32(struct wire_netlink_request *request, uint16_t type, uint32_t value)
{
	wire_netlink_add(request, type, &value, sizeof(value));
}

void wire_netlink_add_text(struct wire_netlink_request *request, uint16_t type, const char *text)
{
	wire_netlink_add(request, type, text, strlen(text) + 1);
}

void wire_netlink_request_clear(struct wire_netlink_request *request)
{
	str_clear(&request->bytes);
}

/* ---- reading ---- */

static const struct rtattr *find(const void *from, size_t left, uint16_t type)
{
	const char *at = from;

	while (left >= sizeof(struct rtattr)) {
		const struct rtattr *attribute = (const struct rtattr *)at;
		size_t length = attribute->rta_len;
		if (length < sizeof(*attribute) || length > left)
			return NULL;
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute;
		size_t step = RTA_ALIGN(length);
		if (step > left)
			return NULL;
		at += step;
		left -= step;
	}
	return NULL;
}

const struct rtattr *wire_netlink_find(const struct nlmsghdr *message, size_t family_length,
				       uint16_t type)
{
	size_t skipped = NLMSG_SPACE(family_length);

	if (message->nlmsg_len < skipped)
		return NULL;
	return find((const char *)message + skipped, message->nlmsg_len - skipped, type);
}

const struct rtattr *wire_netlink_find_in(const struct rtattr *nest, uint16_t type)
{
	return find(RTA_DATA(nest), RTA_PAYLOAD(nest), type);
}

/* One answer of the kernel to what was asked. */
struct conversation {
	const struct wire_netlink_request *request;
	void (*each)(const struct nlmsghdr *message, void *context);
	void *context;
	size_t answered;
	int failure;   /* the first; its sentence is in e */
	struct err *e; /* the caller's */
};

static void set_failure(struct conversation *c, const struct nlmsghdr *message, int number)
{
	const struct nlmsgerr *answer = NLMSG_DATA(message);
	const char *doing = message->nlmsg_seq && message->nlmsg_seq <= c->request->count
				    ? c->request->doing[message->nlmsg_seq - 1]
				    : NULL;
	const struct rtattr *words = NULL;

	if (message->nlmsg_flags & NLM_F_ACK_TLVS)
		words = wire_netlink_find(message, sizeof(*answer), NLMSGERR_ATTR_MSG);
	if (words)
		c->failure = err_number(c->e, number, "%.*s", (int)RTA_PAYLOAD(words),
					(const char *)RTA_DATA(words));
	else
		c->failure = err_number(c->e, number, "refused by the kernel");
	if (doing)
		err_add(c->e, "%s", doing);
}

/* An acknowledgement, good or bad. */
static int read_end(struct conversation *c, const struct nlmsghdr *message)
{
	const struct nlmsgerr *answer = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*answer)))
		return err_set(c->e, ERR_CORRUPT, "netlink: a short answer");
	c->answered++;
	if (answer->error != 0 && c->failure == 0)
		set_failure(c, message, -answer->error);
	/* a batch that is refused as a whole, by its beginning */
	if (answer->error != 0 && message->nlmsg_seq == 0)
		c->answered = c->request->count;
	return 0;
}

static int read_answer(struct conversation *c, const char *bytes, size_t length)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;

	for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
		int r = 0;
		if (message->nlmsg_type == NLMSG_DONE)
			c->answered++;
		else if (message->nlmsg_type == NLMSG_ERROR)
			r = read_end(c, message);
		else if (c->each)
			c->each(message, c->context);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Until that many are answered. */
static int receive(struct conversation *c, int socket, size_t count)
{
	_Alignas(struct nlmsghdr) char bytes[ANSWER_BYTES_MAX];

	while (c->answered < count) {
		ssize_t n = recv(socket, bytes, sizeof(bytes), MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(c->e, "receive from netlink");
		if (n == 0 || (size_t)n > sizeof(bytes))
			return err_set(c->e, ERR_CORRUPT, "netlink: an answer of %zd bytes", n);
		int r = read_answer(c, bytes, (size_t)n);
		if (r < 0)
			return r;
	}
	return c->failure;
}

int wire_netlink_call(int socket, const struct wire_netlink_request *request,
		      void (*each)(const struct nlmsghdr *message, void *context), void *context,
		      struct err *e)
{
	struct conversation c = { .request = request, .each = each, .context = context, .e = e };

	if (send(socket, request->bytes.text, request->bytes.length, 0) < 0)
		return err_sys(e, "send to netlink");
	return receive(&c, socket, request->count);
}

/* ---- transactions ---- */

/* What a transaction is between. */
struct bound {
	struct nlmsghdr header;
	struct nfgenmsg family;
};

static struct bound make_bound(uint16_t type, uint16_t subsystem)
{
	return (struct bound){
		.header = { sizeof(struct bound), type, NLM_F_REQUEST, 0, 0 },
		.family = { .version = NFNETLINK_V0, .res_id = htons(subsystem) },
	};
}

/* Each message is acknowledged, the bounds are not: they do not ask. */
int wire_netlink_commit(int socket, const struct wire_netlink_request *request, uint16_t subsystem,
			struct err *e)
{
	struct conversation c = { .request = request, .e = e };
	struct bound begin = make_bound(NFNL_MSG_BATCH_BEGIN, subsystem);
	struct bound end = make_bound(NFNL_MSG_BATCH_END, subsystem);
	struct iovec parts[] = { { &begin, sizeof(begin) },
				 { request->bytes.text, request->bytes.length },
				 { &end, sizeof(end) } };

	if (writev(socket, parts, 3) < 0)
		return err_sys(e, "send to netlink");
	return receive(&c, socket, request->count);
}
