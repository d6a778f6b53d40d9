#include "build/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/image.h"

static void forget(struct container_image *found, struct storage_image *image)
{
	shape_clear(&container_image_shape, found);
	storage_image_clear(image);
	*found = (struct container_image){ 0 };
	*image = (struct storage_image){ 0 };
}

/* The error goes up the pipe in one write. */
static void bring_in_child(const struct build *build, const struct image_request *request,
			   pid_t parent, int fd)
{
	struct container_image found = { 0 };
	struct storage_image image = { 0 };
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	build_stop_allow(&build->stop);
	if (getppid() != parent)
		_exit(1);
	int r = engine_image_resolve(build->engine, request, &found, &image, &e);
	if (r < 0 && write(fd, &e, sizeof(e)) < 0)
		_exit(1);
	_exit(r < 0);
}

/* Until the child has said what went wrong, or ended; ctrl-C ends it. */
static ssize_t wait_for_child(const struct build *build, pid_t pid, int fd, struct err *ret)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = build->stop.fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(polled, COUNT_OF(polled), -1) < 0 && errno != EINTR)
			return -errno;
		if (polled[1].revents) {
			kill(pid, SIGTERM);
			polled[1].fd = -1;
		}
		if (polled[0].revents)
			return read(fd, ret, sizeof(*ret));
	}
}

static int bring(const struct build *build, const struct image_request *request, struct err *e)
{
	struct err said;
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int from = ends[0];
	own_fd int to = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		bring_in_child(build, request, parent, to);
	close(take_fd(&to));
	ssize_t n = wait_for_child(build, pid, from, &said);
	int status = process_wait(pid);
	int r = build_stop_check(build->stop.fd, e);
	if (r < 0)
		return r;
	if (n == (ssize_t)sizeof(said)) {
		*e = said;
		return -(e->number ? e->number : EIO);
	}
	return status == 0 ? 0 : err_set(e, ERR_INTERNAL, "the pull ended without a word");
}

int build_pull(const struct build *build, const struct image_request *request,
	       struct container_image *ret, struct storage_image *ret_image, struct err *e)
{
	struct image_request here = *request;

	here.pull = ENGINE_PULL_NEVER;
	if (request->pull != ENGINE_PULL_ALWAYS &&
	    engine_image_resolve(build->engine, &here, ret, ret_image, e) == 0)
		return 0;
	forget(ret, ret_image);
	int r = bring(build, request, e);
	here.pull = ENGINE_PULL_MISSING;
	return r < 0 ? r : engine_image_resolve(build->engine, &here, ret, ret_image, e);
}
