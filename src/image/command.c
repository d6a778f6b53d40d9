#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "image/progress_print.h"
#include "storage/store.h"

extern char **environ;

enum { PROGRESS_FD = 3, FOLDER_FD = 4, REQUEST_FD = 5 };

/* What has been read of the progress, and what it said last. */
struct reader {
	char bytes[IMAGE_PROGRESS_LINE_MAX];
	size_t length;
	struct image_progress_print *print; /* NULL: show nothing */
	image_command_report *on_image;
	void *arg;
	struct err err; /* text "" until an error came */
};

void image_command_begin(struct strv *arguments, const char *verb, const struct store *store)
{
	strv_add(arguments, verb);
	strv_addf(arguments, "--root=%s", store->root);
	strv_addf(arguments, "--run=%s", store->run);
}

static char *program_path(void)
{
	const char *folder = getenv("HOLM_LIBEXEC");

	return mem_format("%s/holm-image", str_empty(folder) ? HOLM_LIBEXEC : folder);
}

/* Behind the verb, in front of a "--" or the name of an image. */
static void insert(struct strv *argv, char *option)
{
	strv_add_take(argv, option);
	for (size_t i = argv->count - 1; i > 2; i--)
		argv->items[i] = argv->items[i - 1];
	if (argv->count > 3)
		argv->items[2] = option;
}

/* Above all the numbers that descriptors get in the child: none may overwrite another there. */
static int raise_fd(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, REQUEST_FD + 1);
}

/* The descriptor from becomes number in the child, told by option. */
static void pass(posix_spawn_file_actions_t *actions, struct strv *argv, int from, int number,
		 const char *option)
{
	if (from < 0)
		return;
	posix_spawn_file_actions_adddup2(actions, from, number);
	insert(argv, mem_format("%s=%d", option, number));
}

static int start(pid_t *ret, const struct strv *arguments, int progress_fd,
		 const struct image_command_files *files, struct err *e)
{
	own_free char *path = program_path();
	own_clear(strv_clear) struct strv argv = { 0 };
	posix_spawn_file_actions_t actions;

	strv_add(&argv, "holm-image");
	strv_add_all(&argv, arguments);
	if (log_get_level() >= LOG_LEVEL_DEBUG)
		insert(&argv, mem_text("--debug"));
	own_fd int progress = raise_fd(progress_fd);
	own_fd int folder = raise_fd(files->folder);
	own_fd int request = raise_fd(files->request);
	if (progress < 0 || (folder < 0 && files->folder >= 0) ||
	    (request < 0 && files->request >= 0))
		return err_sys(e, "copy a descriptor");
	posix_spawn_file_actions_init(&actions);
	if (files->input)
		posix_spawn_file_actions_adddup2(&actions, files->input, STDIN_FILENO);
	if (files->output)
		posix_spawn_file_actions_adddup2(&actions, files->output, STDOUT_FILENO);
	pass(&actions, &argv, progress, PROGRESS_FD, "--progress-fd");
	pass(&actions, &argv, folder, FOLDER_FD, "--folder-fd");
	pass(&actions, &argv, request, REQUEST_FD, "--request-fd");
	int r = posix_spawn(ret, path, &actions, NULL, argv.items, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r ? err_number(e, r, "run %s", path) : 0;
}

static int take_line(struct reader *reader, const char *line, size_t length, struct err *e)
{
	struct image_progress progress;
	int r = image_progress_read(&progress, line, length, e);

	if (r < 0)
		return r;
	if (progress.kind == IMAGE_PROGRESS_IMAGE || progress.kind == IMAGE_PROGRESS_FINDING)
		reader->on_image(reader->arg, &progress);
	else if (progress.kind == IMAGE_PROGRESS_ERROR)
		reader->err = progress.err;
	else if (reader->print)
		image_progress_print_event(reader->print, &progress);
	return 0;
}

static int take_lines(struct reader *reader, struct err *e)
{
	size_t used = 0;

	for (;;) {
		char *line = reader->bytes + used;
		char *end = memchr(line, '\n', reader->length - used);
		if (!end)
			break;
		int r = take_line(reader, line, (size_t)(end - line), e);
		if (r < 0)
			return r;
		used += (size_t)(end - line) + 1;
	}
	memmove(reader->bytes, reader->bytes + used, reader->length - used);
	reader->length -= used;
	if (reader->length == sizeof(reader->bytes))
		return err_set(e, ERR_CORRUPT, "progress of holm-image: line too long");
	return 0;
}

static int read_progress(struct reader *reader, int fd, struct err *e)
{
	for (;;) {
		ssize_t n = read(fd, reader->bytes + reader->length,
				 sizeof(reader->bytes) - reader->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read the progress of holm-image");
		if (n == 0)
			return 0;
		reader->length += (size_t)n;
		int r = take_lines(reader, e);
		if (r < 0)
			return r;
	}
}

static int judge(const struct reader *reader, int wait_status, struct err *e)
{
	if (*reader->err.text) {
		*e = reader->err;
		return -(e->number ? e->number : EIO);
	}
	if (process_exit_code(wait_status) == 0)
		return 0;
	if (WIFSIGNALED(wait_status))
		return err_set(e, ERR_INTERNAL, "holm-image died of signal %d",
			       WTERMSIG(wait_status));
	return err_set(e, ERR_INTERNAL, "holm-image ended with status %d and no word",
		       process_exit_code(wait_status));
}

static int run(struct reader *reader, const struct image_command_files *files,
	       const struct strv *arguments, enum image_command_show show, struct err *e)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int from = ends[0];
	own_fd int to = ends[1];
	int r = start(&pid, arguments, to, files, e);
	if (r < 0)
		return r;
	close(take_fd(&to));

	own(image_progress_print_free) struct image_progress_print *print = NULL;
	if (show == IMAGE_SHOW_PROGRESS)
		print = image_progress_print_new(STDERR_FILENO,
						 image_progress_print_can_draw(STDERR_FILENO));
	reader->print = print;
	r = read_progress(reader, from, e);
	close(take_fd(&from)); /* after an error this ends holm-image, too */
	int status = process_wait(pid);
	if (print)
		image_progress_print_finish(print);
	if (r < 0)
		return r;
	if (status < 0)
		return err_number(e, -status, "wait for holm-image");
	return judge(reader, status, e);
}

static const struct image_command_files no_files = { -1, -1, 0, 0 };

int image_command_run_each(image_command_report *on_image, void *arg, const struct strv *arguments,
			   enum image_command_show show, struct err *e)
{
	struct reader reader = { .on_image = on_image, .arg = arg };

	return run(&reader, &no_files, arguments, show, e);
}

static void keep_last(void *arg, const struct image_progress *image)
{
	*(struct image_progress *)arg = *image;
}

int image_command_run_on(const struct image_command_files *files, struct image_progress *ret,
			 const struct strv *arguments, enum image_command_show show, struct err *e)
{
	struct image_progress last = { 0 };
	struct reader reader = { .on_image = keep_last, .arg = &last };
	int r = run(&reader, files, arguments, show, e);

	if (r == 0 && ret)
		*ret = last;
	return r;
}

int image_command_run(struct image_progress *ret, const struct strv *arguments,
		      enum image_command_show show, struct err *e)
{
	return image_command_run_on(&no_files, ret, arguments, show, e);
}
