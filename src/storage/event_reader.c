/* event_reader.c - two files are open: the one that is written to, and the one that it took the
 * place of, to which a writer who had opened it before may still add a line. Each is read to its
 * end, the older first; when the name `events` has gone over to another file, that one becomes
 * the newer of the two. */
#include "storage/event_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/event.h"

/* More than twice the longest line without a newline is no journal. */
enum { READ_BYTES = 64 << 10, JUNK_BYTES = 2 * EVENT_LINE_BYTES };

struct part {
	int fd; /* -1: there is none */
	dev_t device;
	ino_t inode;
	struct str read; /* whole lines and the beginning of one, from `at` on not looked at */
	size_t at;
};

struct storage_event_reader {
	int run_fd;
	int watch;
	struct part older, newer;
	struct storage_event event;
};

static void part_close(struct part *part)
{
	if (part->fd >= 0)
		close(part->fd);
	str_clear(&part->read);
	*part = (struct part){ .fd = -1 };
}

static int part_open(struct part *part, int run_fd, const char *name, struct err *e)
{
	struct stat st;

	*part = (struct part){ .fd = -1 };
	own_fd int fd = openat(run_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the journal of events");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "the journal of events is not a file");
	part->device = st.st_dev;
	part->inode = st.st_ino;
	part->fd = take_fd(&fd);
	return 0;
}

/* Does this name lead to that file? */
static bool is_at(const struct part *part, int run_fd, const char *name)
{
	struct stat st;

	if (fstatat(run_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return part->fd < 0;
	return part->fd >= 0 && st.st_ino == part->inode && st.st_dev == part->device;
}

/* Both files, as they are at one moment. */
static int open_both(struct storage_event_reader *reader, struct err *e)
{
	int r;

	do {
		part_close(&reader->newer);
		part_close(&reader->older);
		r = part_open(&reader->newer, reader->run_fd, EVENT_FILE, e);
		if (r == 0)
			r = part_open(&reader->older, reader->run_fd, EVENT_FILE_OLD, e);
	} while (r == 0 && !is_at(&reader->newer, reader->run_fd, EVENT_FILE));
	return r;
}

int storage_event_reader_open(struct storage_event_reader **ret, int run_fd, struct err *e)
{
	own(storage_event_reader_close) struct storage_event_reader *reader =
		mem_new_struct(struct storage_event_reader);

	reader->watch = reader->older.fd = reader->newer.fd = -1;
	reader->run_fd = fcntl(run_fd, F_DUPFD_CLOEXEC, 0);
	if (reader->run_fd < 0)
		return err_sys(e, "open the run folder");
	int r = open_both(reader, e);
	if (r == 0)
		*ret = take_ptr(&reader);
	return r;
}

void storage_event_reader_close(struct storage_event_reader *reader)
{
	part_close(&reader->older);
	part_close(&reader->newer);
	storage_event_clear(&reader->event);
	if (reader->watch >= 0)
		close(reader->watch);
	if (reader->run_fd >= 0)
		close(reader->run_fd);
	free(reader);
}

/* The next event in what has been read. */
static bool take_event(struct part *part, struct storage_event *to)
{
	struct err ignored;

	while (part->at < part->read.length) {
		const char *line = part->read.text + part->at;
		const char *end = memchr(line, '\n', part->read.length - part->at);
		if (!end)
			return false;
		size_t length = (size_t)(end - line);
		part->at += length + 1;
		storage_event_clear(to);
		if (storage_event_parse(to, line, length, &ignored) == 0)
			return true;
	}
	return false;
}

/* 1: more has come. 0: the end, for now. */
static int read_more(struct part *part, struct err *e)
{
	if (part->fd < 0)
		return 0;
	if (part->read.length - part->at > JUNK_BYTES)
		part->at = part->read.length;
	if (part->at) {
		memmove(part->read.text, part->read.text + part->at, part->read.length - part->at);
		part->read.length -= part->at;
		part->at = 0;
	}
	ssize_t n = read(part->fd, str_room(&part->read, READ_BYTES), READ_BYTES);
	if (n < 0)
		return err_sys(e, "read the journal of events");
	part->read.length += (size_t)n;
	return n > 0;
}

static int next_in(struct part *part, struct storage_event *to, struct err *e)
{
	int r;

	do {
		if (take_event(part, to))
			return 1;
		r = read_more(part, e);
	} while (r > 0);
	return r;
}

/* 1: the name has gone over to another file, which is open now. */
static int turn(struct storage_event_reader *reader, struct err *e)
{
	struct part *newer = &reader->newer, *older = &reader->older, next;

	bool current = is_at(newer, reader->run_fd, EVENT_FILE);
	if (current && (newer->fd >= 0 || is_at(older, reader->run_fd, EVENT_FILE_OLD)))
		return 0;
	bool aside = newer->fd >= 0 && is_at(newer, reader->run_fd, EVENT_FILE_OLD);
	bool first = newer->fd < 0 && is_at(older, reader->run_fd, EVENT_FILE_OLD);
	if (!aside && !first) {
		/* more than one file ago: what was in between is lost */
		int r = open_both(reader, e);
		return r < 0 ? r : 1;
	}
	int r = part_open(&next, reader->run_fd, EVENT_FILE, e);
	if (r < 0 || next.fd < 0)
		return r;
	if (aside) {
		part_close(older);
		*older = *newer;
	}
	*newer = next;
	return 1;
}

int storage_event_reader_next(struct storage_event_reader *reader, const struct storage_event **ret,
			      struct err *e)
{
	int r;

	*ret = &reader->event;
	do {
		r = next_in(&reader->older, &reader->event, e);
		if (r == 0)
			r = next_in(&reader->newer, &reader->event, e);
		if (r != 0)
			return r;
		r = turn(reader, e);
	} while (r > 0);
	return r;
}

int storage_event_reader_watch(struct storage_event_reader *reader, struct err *e)
{
	own_free char *path = mem_format("/proc/self/fd/%d", reader->run_fd);

	if (reader->watch >= 0)
		return reader->watch;
	own_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* the folder, so that a new file is noticed: nothing else in it is written to */
	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_FROM) < 0)
		return err_sys(e, "watch the journal of events");
	reader->watch = take_fd(&watch);
	return reader->watch;
}

void storage_event_reader_settle(struct storage_event_reader *reader)
{
	char events[4096];

	while (read(reader->watch, events, sizeof(events)) > 0)
		;
}
