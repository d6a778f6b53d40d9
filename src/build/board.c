#include "build/board.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/terminal.h"

enum { COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24, COLUMNS_MIN = 20 };

struct shared {
	int drawn; /* lines above the cursor */
	bool left;
	struct {
		int number; /* of the step; 0: free */
		int64_t began_ns;
		char text[BUILD_BOARD_TEXT_MAX];
		char said[BUILD_BOARD_TEXT_MAX];
	} steps[BUILD_BOARD_STEPS_MAX];
};

struct build_board {
	int fd; /* locked by a process while it draws: such a lock ends with it */
	struct shared *shared;
};

struct build_board *build_board_new(void)
{
	own_fd int fd = memfd_create("board", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, sizeof(struct shared)) < 0)
		return NULL;
	void *shared = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		return NULL;
	struct build_board *board = mem_new_struct(struct build_board);
	board->shared = shared;
	board->fd = take_fd(&fd);
	return board;
}

void build_board_free(struct build_board *board)
{
	if (!board)
		return;
	munmap(board->shared, sizeof(*board->shared));
	close(board->fd);
	free(board);
}

/* ---- drawing ---- */

static void lock(const struct build_board *board, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET };

	fcntl(board->fd, F_SETLKW, &range);
}

static void add_line(struct str *to, int width, const char *text, const char *end)
{
	int room = width - 1 - (int)strlen(end);

	str_addf(to, " => %-*.*s%s\n", room - 4, room - 4, text, end);
}

static void add_steps(struct str *to, struct shared *shared, int width, int rows)
{
	int64_t now = moment_monotonic_ns();

	for (size_t i = 0; i < BUILD_BOARD_STEPS_MAX; i++) {
		char took[32];
		if (!shared->steps[i].number || shared->drawn + 3 > rows)
			continue;
		snprintf(took, sizeof(took), " %.1fs",
			 (double)(now - shared->steps[i].began_ns) / 1e9);
		add_line(to, width, shared->steps[i].text, took);
		shared->drawn++;
		if (!shared->steps[i].said[0])
			continue;
		str_addf(to, "    %.*s\n", width - 5, shared->steps[i].said);
		shared->drawn++;
	}
}

/* In one write. stays NULL: nothing does. */
static void draw(struct build_board *board, const char *stays, const char *end)
{
	struct shared *shared = board->shared;
	own_clear(str_clear) struct str text = { 0 };
	uint16_t rows = ROWS_DEFAULT, columns = COLUMNS_DEFAULT;

	if (shared->left)
		return;
	if (!terminal_size(&rows, &columns) || columns < COLUMNS_MIN)
		columns = COLUMNS_DEFAULT;
	if (shared->drawn)
		str_addf(&text, "\033[%dA\r\033[J", shared->drawn);
	shared->drawn = 0;
	if (stays)
		add_line(&text, columns, stays, end);
	add_steps(&text, shared, columns, rows);
	fd_write_all(STDERR_FILENO, text.text ? text.text : "", text.length);
}

/* ---- steps ---- */

static void keep(char to[BUILD_BOARD_TEXT_MAX], const char *text)
{
	snprintf(to, BUILD_BOARD_TEXT_MAX, "%s", text ? text : "");
}

/* Where the step is, or a place for it; -1: there is none. */
static int place_of(const struct shared *shared, int number)
{
	int place = -1;

	for (int i = BUILD_BOARD_STEPS_MAX; i-- > 0;) {
		if (shared->steps[i].number == number)
			return i;
		if (!shared->steps[i].number)
			place = i;
	}
	return place;
}

void build_board_show(struct build_board *board, int number, const char *text, const char *said)
{
	if (!board)
		return;
	lock(board, F_WRLCK);
	struct shared *shared = board->shared;
	int place = place_of(shared, number);
	if (place >= 0) {
		if (shared->steps[place].number != number)
			shared->steps[place].began_ns = moment_monotonic_ns();
		shared->steps[place].number = number;
		keep(shared->steps[place].text, text);
		keep(shared->steps[place].said, said);
	}
	draw(board, NULL, NULL);
	lock(board, F_UNLCK);
}

void build_board_tick(struct build_board *board)
{
	build_board_note(board, NULL);
}

void build_board_note(struct build_board *board, const char *line)
{
	if (!board)
		return;
	lock(board, F_WRLCK);
	draw(board, line, "");
	lock(board, F_UNLCK);
}

void build_board_end(struct build_board *board, int number, const char *text, const char *how)
{
	if (!board)
		return;
	lock(board, F_WRLCK);
	for (size_t i = 0; i < BUILD_BOARD_STEPS_MAX; i++)
		if (board->shared->steps[i].number == number)
			board->shared->steps[i].number = 0;
	draw(board, text, how);
	lock(board, F_UNLCK);
}

void build_board_leave(struct build_board *board)
{
	if (!board)
		return;
	lock(board, F_WRLCK);
	for (size_t i = 0; i < BUILD_BOARD_STEPS_MAX; i++)
		board->shared->steps[i].number = 0;
	draw(board, NULL, NULL);
	board->shared->left = true;
	lock(board, F_UNLCK);
}
