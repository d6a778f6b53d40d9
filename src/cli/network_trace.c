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

struct trace_options {
	char *write;
	char *interface;
	int64_t count;
	int64_t snap;
};

#define OPTIONS struct trace_options
static const struct option table[] = {
	{ "count", 'c', OPTION_INT(count), "NUMBER", "end after so many packets" },
	{ "interface", 'i', OPTION_STRING(interface), "DEVICE",
	  "the container's device (its first)" },
	{ "snapshot-length", 's', OPTION_INT(snap), "BYTES",
	  "keep so many of each packet (262144)" },
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
	if (o->snap == 0)
		o->snap = NETWORK_CAPTURE_BYTES_MAX;
	return 0;
}

static int run_trace(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct trace_options *o = options;
	struct engine *engine;

	int r = check(o, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	own_fd int process = -1;
	own_fd int socket = engine_trace_open(&process, engine, args->items[0], o->interface, e);
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
					   .count = (uint64_t)o->count };
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
