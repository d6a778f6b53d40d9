#include "system/ready.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "monitor/client.h"

enum { CONSOLE_KEPT = 2048 };

static void keep(struct str *console, const struct monitor_frame *frame)
{
	str_add_n(console, (const char *)frame->payload, frame->length);
	if (console->length <= CONSOLE_KEPT)
		return;
	memmove(console->text, console->text + console->length - CONSOLE_KEPT, CONSOLE_KEPT);
	console->length = CONSOLE_KEPT;
	console->text[CONSOLE_KEPT] = '\0';
}

int system_ready_ended(const struct monitor_exit *end, struct err *e)
{
	return err_set(e, ERR_STATE, "its init ended before it was ready, with exit code %d",
		       end->code);
}

/* Of an end that another boot follows 0. */
static int hear_end(const struct monitor_frame *frame, struct err *e)
{
	struct monitor_exit end;

	if (monitor_get_exit(&end, frame) < 0)
		return err_set(e, ERR_CORRUPT, "the monitor sent what is no exit status");
	return end.flags & MONITOR_EXIT_RESTARTING ? 0 : system_ready_ended(&end, e);
}

int system_ready_await(struct monitor_client *client, struct str *console, struct err *e)
{
	struct monitor_frame frame;
	int r = monitor_client_send(client, MONITOR_AWAIT, NULL, 0, e);

	while (r >= 0) {
		r = monitor_client_read(client, &frame, e);
		if (r == 0)
			return err_set(e, ERR_UNREACHABLE,
				       "the container's monitor ended without a word");
		if (r < 0 && e->kind == ERR_TIMEOUT) /* it has nothing to say yet */
			r = 0;
		else if (r < 0 || frame.type == MONITOR_READY)
			return r < 0 ? r : 0;
		else if (frame.type == MONITOR_STDOUT)
			keep(console, &frame);
		else if (frame.type == MONITOR_ERROR)
			return monitor_get_err(e, &frame) < 0
				       ? err_set(e, ERR_CORRUPT,
						 "the monitor sent what is no error")
				       : -e->number;
		else if (frame.type == MONITOR_EXIT)
			r = hear_end(&frame, e);
	}
	return r;
}
