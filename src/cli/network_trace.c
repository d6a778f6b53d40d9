/* `holm network trace`: a container's packets as a file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/trace.h"
#include "network/capture.h"
#include "network/sift.h"

struct trace_options {
	char *write;
	char *interface;
	char *host;
	char *proto;
	int64_t count;
	int64_t port;
	int64_t time;
	int64_t snap;
};

#define OPTIONS struct trace_options
static const struct option table[] = {
	{ "count", 'c', OPTION_INT(count), "NUMBER", "end after so many packets" },
	{ "host", 0, OPTION_STRING(host), "ADDRESS", "those alone that come from it or go to it" },
	{ "interface", 'i', OPTION_STRING(interface), "DEVICE",
	  "the container's device (its first)" },
	{ "port", 0, OPTION_INT(port), "NUMBER", "those of this port, at either end" },
	{ "proto", 0, OPTION_STRING(proto), "NAME", "arp, ip, ip6, icmp, icmp6, tcp, udp or sctp",
	  "arp|ip|ip6|icmp|icmp6|tcp|udp|sctp" },
	{ "snapshot-length", 's', OPTION_INT(snap), "BYTES",
	  "keep so many of each packet (262144)" },
	{ "time", 0, OPTION_INT(time), "SECONDS", "end after this time" },
	{ "write", 'w', OPTION_STRING(write), "FILE", "write this file, not the standard output",
	  "file:" },
	{ 0 },
};
#undef OPTIONS

static int open_output(const struct trace_options *o, struct err *e)
{
	if (o->write && !str_equal(o->write, "-")) {
		int fd = open(o->write, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		return fd < 0 ? err_sys(e, "create %s", o->write) : fd;
	}
	if (isatty(STDOUT_FILENO)) {
		err_set(e, ERR_INVALID, "the standard output is a terminal");
		return err_hint(
			e, "say --write FILE, or: holm network trace CONTAINER | tcpdump -r -");
	}
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, "open the standard output") : fd;
}

/* So that a person's ^C leaves a whole file and the count. */
static int open_stop(struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_sys(e, "listen to signals") : fd;
}

static int check(struct trace_options *o, struct err *e)
{
	if (o->count < 0)
		return err_set(e, ERR_INVALID, "--count %lld: not positive", (long long)o->count);
	if (o->snap < 0 || o->snap > NETWORK_CAPTURE_BYTES_MAX)
		return err_set(e, ERR_INVALID, "--snapshot-length %lld: 1 to %d",
			       (long long)o->snap, NETWORK_CAPTURE_BYTES_MAX);
	if (o->port < 0 || o->port > UINT16_MAX)
		return err_set(e, ERR_INVALID, "--port %lld: not a port", (long long)o->port);
	if (o->time < 0)
		return err_set(e, ERR_INVALID, "--time %lld: not positive", (long long)o->time);
	if (o->snap == 0)
		o->snap = NETWORK_CAPTURE_BYTES_MAX;
	return 0;
}

static int make_sift(struct network_sift *to, const struct trace_options *o, struct err *e)
{
	*to = (struct network_sift){ .port = (uint16_t)o->port, .protocol = o->proto };
	int r = o->host ? network_address_parse(&to->host, o->host, e) : 0;
	return r < 0 ? err_add(e, "--host") : 0;
}

static int run_trace(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct trace_options *o = options;
	struct engine *engine;

	struct network_sift sift;

	int r = check(o, e);
	if (r == 0)
		r = make_sift(&sift, o, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	own_fd int process = -1;
	own_fd int socket =
		engine_trace_open(&process, engine, args->items[0], o->interface, &sift, e);
	if (socket < 0)
		return socket;
	own_fd int output = open_output(o, e);
	own_fd int stop = output < 0 ? -1 : open_stop(e);
	if (stop < 0)
		return output < 0 ? output : stop;
	struct network_capture capture = { .socket = socket,
					   .output = output,
					   .stop = stop,
					   .ended = process,
					   .snap = (uint32_t)o->snap,
					   .count = (uint64_t)o->count,
					   .seconds = o->time };
	fprintf(stderr, "listening\n");
	r = network_capture_run(&capture, e);
	fprintf(stderr, "%llu packets written, %llu lost\n", (unsigned long long)capture.written,
		(unsigned long long)capture.lost);
	return r;
}

const struct cli_command cli_network_trace = {
	.names = "network trace",
	.section = "Networks",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Write a running container's packets as a pcap file",
	.options = table,
	.size = sizeof(struct trace_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_trace,
};
