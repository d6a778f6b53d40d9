#include "network/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/link.h"
#include "network/namespace.h"
#include "network/sift.h"

enum {
	MAGIC_NANOSECONDS = 0xa1b23c4d, /* in the writer's byte order */
	VERSION_MAJOR = 2,
	VERSION_MINOR = 4,
	LINKTYPE_ETHERNET = 1,
	QUEUE_BYTES = 16 << 20,
};

void network_capture_head(unsigned char to[NETWORK_CAPTURE_HEAD], uint32_t snap)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t reserved[2], snap, type;
	} head = {
		MAGIC_NANOSECONDS, VERSION_MAJOR, VERSION_MINOR, { 0 }, snap, LINKTYPE_ETHERNET
	};

	_Static_assert(sizeof(head) == NETWORK_CAPTURE_HEAD, "no holes");
	memcpy(to, &head, sizeof(head));
}

void network_capture_record(unsigned char to[NETWORK_CAPTURE_RECORD], const struct timespec *time,
			    uint32_t captured, uint32_t whole)
{
	const uint32_t record[] = { (uint32_t)time->tv_sec, (uint32_t)time->tv_nsec, captured,
				    whole };

	_Static_assert(sizeof(record) == NETWORK_CAPTURE_RECORD, "no holes");
	memcpy(to, record, sizeof(record));
}

/* ---- hearing ---- */

static int attach(int socket_fd, const struct network_sift *sift, struct err *e)
{
	struct sock_filter program[NETWORK_SIFT_LENGTH_MAX];
	const struct sock_fprog filter = { (unsigned short)network_sift_program(program, sift),
					   program };

	if (filter.len == 0 ||
	    setsockopt(socket_fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0)
		return 0;
	return err_sys(e, "sift the packets");
}

/* Protocol 0 at first, so that it hears nothing of other devices. */
static int bind_device(int socket_fd, const struct network_link *link, struct err *e)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = link->index,
	};
	struct sockaddr_ll bound = { 0 };
	socklen_t length = sizeof(bound);
	int size = QUEUE_BYTES, on = 1;

	setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (setsockopt(socket_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
	    bind(socket_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(socket_fd, (struct sockaddr *)&bound, &length) < 0)
		return err_sys(e, "listen to the device");
	if (bound.sll_hatype != ARPHRD_ETHER && bound.sll_hatype != ARPHRD_LOOPBACK)
		return err_set(e, ERR_UNSUPPORTED, "it has no Ethernet frames");
	return 0;
}

static int open_here(int route, const char *device, const struct network_sift *sift, struct err *e)
{
	struct network_link link;

	int r = network_link_find(&link, route, device, e);
	if (r < 0)
		return r;
	own_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "make a packet socket");
	r = attach(fd, sift, e);
	if (r == 0)
		r = bind_device(fd, &link, e);
	return r < 0 ? err_add(e, "%s", device) : take_fd(&fd);
}

int network_capture_open(const struct network_namespace *namespace, const char *device,
			 const struct network_sift *sift, struct err *e)
{
	int back = network_namespace_enter(namespace, e);
	if (back < 0)
		return back;
	int fd = open_here(namespace->socket, device, sift, e);
	network_namespace_leave(back);
	return fd;
}

/* ---- writing ---- */

static struct timespec time_of(struct msghdr *message)
{
	struct timespec time = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&time, CMSG_DATA(c), sizeof(time));
	return time;
}

/* One packet, head and all in one write: who reads a pipe sees it whole. 1: the end. */
static int copy_packet(struct network_capture *c, unsigned char *buffer, struct err *e)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = { buffer + NETWORK_CAPTURE_RECORD, c->snap };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	ssize_t whole = recvmsg(c->socket, &message, MSG_TRUNC | MSG_DONTWAIT);
	if (whole < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (whole < 0 && (errno == ENETDOWN || errno == ENXIO || errno == ENODEV))
		return 1;
	if (whole < 0)
		return err_sys(e, "receive a packet");
	uint32_t captured = (uint64_t)whole > c->snap ? c->snap : (uint32_t)whole;
	const struct timespec time = time_of(&message);
	network_capture_record(buffer, &time, captured, (uint32_t)whole);
	int r = fd_write_all(c->output, buffer, NETWORK_CAPTURE_RECORD + (size_t)captured);
	if (r == -EPIPE)
		return 1;
	if (r < 0)
		return err_number(e, -r, "write the packets");
	c->written++;
	return c->count && c->written == c->count;
}

/* -1: never. */
static int open_timer(int64_t seconds, struct err *e)
{
	const struct itimerspec end = { .it_value.tv_sec = (time_t)seconds };

	if (!seconds)
		return -1;
	own_fd int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (fd < 0 || timerfd_settime(fd, 0, &end, NULL) < 0)
		return err_sys(e, "set a timer");
	return take_fd(&fd);
}

static int run(struct network_capture *c, unsigned char *buffer, struct err *e)
{
	own_fd int timer = open_timer(c->seconds, e);
	if (timer < 0 && c->seconds)
		return timer;
	struct pollfd wait[] = { { c->socket, POLLIN, 0 },
				 { c->stop, POLLIN, 0 },
				 { c->ended, POLLIN, 0 },
				 { timer, POLLIN, 0 } };
	int r = 0;

	while (r == 0) {
		if (poll(wait, COUNT_OF(wait), -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for packets");
		if (wait[1].revents || wait[2].revents || wait[3].revents)
			return 0;
		if (wait[0].revents)
			r = copy_packet(c, buffer, e);
	}
	return r < 0 ? r : 0;
}

int network_capture_run(struct network_capture *c, struct err *e)
{
	unsigned char head[NETWORK_CAPTURE_HEAD];
	struct tpacket_stats stats = { 0 };
	socklen_t length = sizeof(stats);

	own_free unsigned char *buffer = mem_resize(NULL, NETWORK_CAPTURE_RECORD + c->snap, 1);
	network_capture_head(head, c->snap);
	int r = fd_write_all(c->output, head, sizeof(head));
	if (r < 0)
		return err_number(e, -r, "write the packets");
	r = run(c, buffer, e);
	if (getsockopt(c->socket, SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0)
		c->lost = stats.tp_drops;
	return r;
}
