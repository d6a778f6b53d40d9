#include "monitor/journal.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/err.h"
#include "base/socket.h"
#include "base/str.h"
#include "monitor/protocol.h"

int monitor_journal_open(struct err *e)
{
	const struct timeval patience = { .tv_sec = 1 };
	int fd = socket_connect(SOCK_DGRAM, MONITOR_JOURNAL_SOCKET, e);

	if (fd >= 0) {
		/* one that takes nothing costs lines, not the container's life */
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		return fd;
	}
	e->kind = ERR_UNSUPPORTED;
	err_add(e, "--log-driver journald: no journal takes lines here");
	return err_hint(e, "systemd-journald brings it; --log-driver json-file needs nothing");
}

/* The form for text when there is no newline in it, else name, newline, length as LE64, bytes. */
void monitor_journal_add(struct str *to, const char *field, const void *bytes, size_t length)
{
	unsigned char size[8];

	str_add(to, field);
	if (length && memchr(bytes, '\n', length)) {
		monitor_put_u64(size, length);
		str_add_char(to, '\n');
		str_add_n(to, size, sizeof(size));
	} else {
		str_add_char(to, '=');
	}
	str_add_n(to, bytes, length);
	str_add_char(to, '\n');
}
