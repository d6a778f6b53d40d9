#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"

int terminal_raw(struct terminal *terminal, int fd, struct err *e)
{
	struct termios raw;

	if (tcgetattr(fd, &terminal->before) < 0)
		return err_sys(e, "read the mode of the terminal");
	raw = terminal->before;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_sys(e, "put the terminal into raw mode");
	terminal->fd = fd;
	return 0;
}

void terminal_restore(struct terminal *terminal)
{
	if (terminal->fd < 0)
		return;
	tcsetattr(terminal->fd, TCSADRAIN, &terminal->before);
	terminal->fd = -1;
}

bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns)
{
	struct winsize size;

	for (int fd = 0; fd <= 2; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
			*ret_rows = size.ws_row;
			*ret_columns = size.ws_col;
			return true;
		}
	}
	return false;
}
