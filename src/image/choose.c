#include "image/choose.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"
#include "base/strv.h"

enum { CHOICE_TRIES = 3 };

bool image_choose_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* One line of at most size - 1 bytes, without its end. False at the end of input. */
static bool read_line(int fd, char *line, size_t size)
{
	size_t length = 0;

	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (c == '\n')
			break;
		if (length + 1 < size)
			line[length++] = c;
	}
	line[length] = '\0';
	return true;
}

int image_choose(const char *question, const struct strv *items, int in_fd, struct err *e)
{
	for (int attempt = 0; attempt < CHOICE_TRIES; attempt++) {
		char line[16];
		struct err ignored;
		uint64_t number;
		fprintf(stderr, "%s\n", question);
		for (size_t i = 0; i < items->count; i++)
			fprintf(stderr, "  %zu) %s\n", i + 1, items->items[i]);
		fprintf(stderr, "Number: ");
		if (!read_line(in_fd, line, sizeof(line)))
			break;
		if (number_parse_u64(&number, line, items->count, &ignored) == 0 && number > 0)
			return (int)number - 1;
	}
	return err_set(e, ERR_INVALID, "none was chosen");
}
