#include "engine/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "image/command.h"

static const char first_line[] = "holm container 1\n";

enum { FIRST_LINE = sizeof(first_line) - 1, PUMP_BYTES = 65536 };

/* ---- bytes ---- */

static int write_bytes(int fd, const void *bytes, size_t length, struct err *e)
{
	int r = fd_write_all(fd, bytes, length);

	if (r == -EPIPE)
		return err_set(e, ERR_UNREACHABLE, "the other side has ended");
	return r < 0 ? err_number(e, -r, "write the container") : 0;
}

/* 0, or a negative errno; the end of the stream is -EPIPE. */
static int read_exactly(int fd, void *to, size_t length)
{
	for (size_t at = 0; at < length;) {
		ssize_t n = read(fd, (char *)to + at, length - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		at += (size_t)n;
	}
	return 0;
}

static int read_bytes(int fd, void *to, size_t length, struct err *e)
{
	int r = read_exactly(fd, to, length);

	if (r == -EPIPE)
		return err_set(e, ERR_CORRUPT, "it ends before its end: what sent it was cut off");
	return r < 0 ? err_number(e, -r, "read the container") : 0;
}

static void put_length(unsigned char to[4], size_t length)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = (unsigned char)(length >> (8 * i));
}

static int check_length(uint32_t *ret, const unsigned char from[4])
{
	*ret = 0;
	for (size_t i = 0; i < 4; i++)
		*ret |= (uint32_t)from[i] << (8 * i);
	return *ret <= TRANSFER_CHUNK_MAX ? 0 : -EPROTO;
}

static int read_length(int fd, uint32_t *ret, struct err *e)
{
	unsigned char bytes[4];

	int r = read_bytes(fd, bytes, sizeof(bytes), e);
	if (r < 0)
		return r;
	return check_length(ret, bytes) < 0 ? err_set(e, ERR_CORRUPT, "a chunk is too long") : 0;
}

/* ---- writing ---- */

int transfer_write_begin(int fd, struct err *e)
{
	return write_bytes(fd, first_line, FIRST_LINE, e);
}

static int begin_section(int fd, char kind, const char *name, struct err *e)
{
	size_t length = strlen(name);
	char bytes[2 + TRANSFER_NAME_MAX] = { kind, (char)length };

	if (length > TRANSFER_NAME_MAX)
		return err_set(e, ERR_INTERNAL, "the name of a section is too long");
	memcpy(bytes + 2, name, length);
	return write_bytes(fd, bytes, 2 + length, e);
}

static int write_chunk(int fd, const void *bytes, size_t length, struct err *e)
{
	unsigned char head[4];

	put_length(head, length);
	int r = write_bytes(fd, head, sizeof(head), e);
	return r < 0 || length == 0 ? r : write_bytes(fd, bytes, length, e);
}

int transfer_write_text(int fd, char kind, const char *text, size_t length, struct err *e)
{
	int r = begin_section(fd, kind, "", e);

	for (size_t at = 0; r == 0 && at < length;) {
		size_t part = length - at < PUMP_BYTES ? length - at : PUMP_BYTES;
		r = write_chunk(fd, text + at, part, e);
		at += part;
	}
	return r < 0 ? r : write_chunk(fd, NULL, 0, e);
}

/* In a process of its own, beside holm-image: 0 once all is written. */
_Noreturn static void pump_out(int from, int to)
{
	static char bytes[PUMP_BYTES];
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		ssize_t n = read(from, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write_chunk(to, bytes, (size_t)n, &e) < 0)
			_exit(1);
		if (n == 0)
			_exit(0);
	}
}

/* ---- reading ---- */

int transfer_read_begin(int fd, struct err *e)
{
	char line[FIRST_LINE];

	int r = read_bytes(fd, line, FIRST_LINE, e);
	if (r < 0)
		return r;
	if (memcmp(line, first_line, FIRST_LINE) == 0)
		return 0;
	if (memcmp(line, first_line, FIRST_LINE - 2) == 0)
		return err_set(e, ERR_UNSUPPORTED, "a newer holm wrote it");
	return err_set(e, ERR_CORRUPT, "it is no container that holm has sent or backed up");
}

int transfer_read_kind(int fd, char name[TRANSFER_NAME_MAX + 1], struct err *e)
{
	unsigned char head[2];

	int r = read_bytes(fd, head, sizeof(head), e);
	if (r == 0)
		r = read_bytes(fd, name, head[1], e);
	if (r < 0)
		return r;
	name[head[1]] = '\0';
	return head[0];
}

int transfer_read_text(int fd, size_t bytes_max, struct str *to, struct err *e)
{
	uint32_t length;

	for (;;) {
		int r = read_length(fd, &length, e);
		if (r < 0 || length == 0)
			return r;
		if (to->length + length > bytes_max)
			return err_set(e, ERR_CORRUPT, "its records are too long");
		char *room = str_room(to, length);
		r = read_bytes(fd, room, length, e);
		if (r < 0)
			return r;
		to->length += length;
		to->text[to->length] = '\0';
	}
}

/* In a process of its own: 0 once the section has been read, also where nobody wants it all. */
_Noreturn static void pump_in(int from, int to)
{
	char *bytes = malloc(TRANSFER_CHUNK_MAX);
	unsigned char head[4];
	uint32_t length;

	signal(SIGPIPE, SIG_IGN);
	while (bytes && read_exactly(from, head, sizeof(head)) == 0 &&
	       check_length(&length, head) == 0) {
		if (length == 0)
			_exit(0);
		if (read_exactly(from, bytes, length) < 0)
			break;
		if (to >= 0 && fd_write_all(to, bytes, length) < 0)
			to = -1;
	}
	_exit(1);
}

/* ---- with holm-image ---- */

/* It ends with this program, however that ends: no lock that both have is held for longer. */
static pid_t start_pump(void (*pump)(int from, int to), int from, int to, int not_its,
			struct err *e)
{
	pid_t self = getpid(), pid = fork();

	if (pid != 0)
		return pid < 0 ? err_sys(e, "start a process") : pid;
	if (process_die_with(self) < 0)
		_exit(1);
	if (not_its >= 0)
		close(not_its);
	pump(from, to);
	_exit(1);
}

/* Runs it beside a pump between fd and its standard output (out) or input. */
static int run_pumped(bool *ret_pumped, bool out, int fd, const struct strv *arguments,
		      int folder_fd, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0], writing = ends[1];
	pid_t pid = out ? start_pump(pump_out, reading, fd, writing, e)
			: start_pump(pump_in, fd, writing, reading, e);
	if (pid < 0)
		return pid;
	close(take_fd(out ? &reading : &writing));
	const struct image_command_files files = { folder_fd, -1, out ? 0 : reading,
						   out ? writing : 0 };
	int r = image_command_run_on(&files, NULL, arguments, IMAGE_SHOW_NOTHING, e);
	close(take_fd(out ? &writing : &reading));
	*ret_pumped = process_exit_code(process_wait(pid)) == 0;
	return r;
}

int transfer_write_command(int fd, char kind, const char *name, const struct strv *arguments,
			   int folder_fd, struct err *e)
{
	bool pumped = true;

	int r = begin_section(fd, kind, name, e);
	if (r == 0)
		r = run_pumped(&pumped, true, fd, arguments, folder_fd, e);
	/* holm-image only knows that nobody reads any more */
	return !pumped ? err_set(e, ERR_UNREACHABLE,
				 "it cannot be written: the other side has "
				 "ended, or the disk is full")
		       : r;
}

static int cut_off(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "it ends before its end, or is damaged");
}

int transfer_read_past(int fd, struct err *e)
{
	pid_t pid = start_pump(pump_in, fd, -1, -1, e);

	if (pid < 0)
		return pid;
	return process_exit_code(process_wait(pid)) == 0 ? 0 : cut_off(e);
}

int transfer_read_command(int fd, const struct strv *arguments, int folder_fd, struct err *e)
{
	bool pumped = true;

	int r = run_pumped(&pumped, false, fd, arguments, folder_fd, e);
	return r == 0 && !pumped ? cut_off(e) : r;
}
