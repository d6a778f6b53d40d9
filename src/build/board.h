/* board.h - the steps that run, at the lower end of a terminal: a line for each, and one for the
 * last that it said. The stages' processes share the board, and each draws all of it; what is done
 * goes up and stays. */
#pragma once
#include <stdbool.h>

struct build_board;

enum { BUILD_BOARD_STEPS_MAX = 32, BUILD_BOARD_TEXT_MAX = 512 };

/* Before the first fork. NULL: it cannot be made, and nothing is shown. */
struct build_board *build_board_new(void);
void build_board_free(struct build_board *board);

/* The step runs. said NULL: nothing yet. */
void build_board_show(struct build_board *board, int number, const char *text, const char *said);

/* Draws it again, with the time of now. */
void build_board_tick(struct build_board *board);

/* A line that stays. */
void build_board_note(struct build_board *board, const char *line);

/* The step runs no more; its line stays: what it is, and how it ended. */
void build_board_end(struct build_board *board, int number, const char *text, const char *how);

/* The terminal is somebody else's from now on. */
void build_board_leave(struct build_board *board);
