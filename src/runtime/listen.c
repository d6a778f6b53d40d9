#include "runtime/listen.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"
#include "base/str.h"

enum { FIRST_FD = 3, COUNT_MAX = 1024 };

int runtime_listen_count(size_t *ret, struct err *e)
{
	const char *text = getenv("LISTEN_FDS"), *pid_text = getenv("LISTEN_PID");
	uint64_t count = 0, pid = 0;

	*ret = 0;
	if (str_empty(text))
		return 0;
	if (!str_empty(pid_text) && (number_parse_u64(&pid, pid_text, INT32_MAX, e) < 0))
		return err_add(e, "LISTEN_PID");
	if (pid && pid != (uint64_t)getpid())
		return 0; /* left over from a process before us */
	if (number_parse_u64(&count, text, COUNT_MAX, e) < 0)
		return err_add(e, "LISTEN_FDS");
	for (uint64_t i = 0; i < count; i++)
		if (fcntl(FIRST_FD + (int)i, F_GETFD) < 0)
			return err_set(e, ERR_INVALID, "LISTEN_FDS: descriptor %d is not open",
				       FIRST_FD + (int)i);
	*ret = (size_t)count;
	return 0;
}
