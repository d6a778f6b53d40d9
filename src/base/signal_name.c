#include "base/signal_name.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"

#define SIGNAL(name)                                                                               \
	{                                                                                          \
#name, SIG##name                                                                   \
	}

/* The first name of a number is the one that signal_name() gives. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	SIGNAL(HUP),    SIGNAL(INT),    SIGNAL(QUIT), SIGNAL(ILL),  SIGNAL(TRAP), SIGNAL(ABRT),
	SIGNAL(BUS),    SIGNAL(FPE),    SIGNAL(KILL), SIGNAL(USR1), SIGNAL(SEGV), SIGNAL(USR2),
	SIGNAL(PIPE),   SIGNAL(ALRM),   SIGNAL(TERM), SIGNAL(CHLD), SIGNAL(CONT), SIGNAL(STOP),
	SIGNAL(TSTP),   SIGNAL(TTIN),   SIGNAL(TTOU), SIGNAL(URG),  SIGNAL(XCPU), SIGNAL(XFSZ),
	SIGNAL(PROF),   SIGNAL(VTALRM), SIGNAL(IO),   SIGNAL(PWR),  SIGNAL(SYS),  SIGNAL(WINCH),
	SIGNAL(IOT),    SIGNAL(CLD),    SIGNAL(POLL),
#ifdef SIGSTKFLT
	SIGNAL(STKFLT),
#endif
};

/* "RTMIN+3", "RTMAX-1", counted as kill -l and systemd do: from 34, the C library's SIGRTMIN. */
static int signal_name_parse_realtime(const char *name)
{
	uint64_t offset = 0;
	struct err e;
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	bool from_max = strncasecmp(name, "RTMAX", 5) == 0;

	if (!from_min && !from_max)
		return -1;
	if (name[5] == (from_min ? '+' : '-')) {
		if (number_parse_u64(&offset, name + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &e) < 0)
			return -1;
	} else if (name[5]) {
		return -1;
	}
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signal_name_parse(int *ret, const char *text, struct err *e)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;
	struct err ignored;

	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (strcasecmp(signals[i].name, name) == 0) {
			*ret = signals[i].number;
			return 0;
		}
	}
	int realtime = signal_name_parse_realtime(name);
	if (realtime > 0) {
		*ret = realtime;
		return 0;
	}
	if (number_parse_u64(&number, text, (uint64_t)SIGRTMAX, &ignored) == 0 && number > 0) {
		*ret = (int)number;
		return 0;
	}
	err_set(e, ERR_INVALID, "no signal \"%s\"", text);
	return err_hint(e, "names are those of kill -l, as in TERM, SIGHUP, RTMIN+3; or 1 to %d",
			SIGRTMAX);
}

const char *signal_name(int number, char to[SIGNAL_NAME_SIZE])
{
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (signals[i].number == number) {
			snprintf(to, SIGNAL_NAME_SIZE, "SIG%s", signals[i].name);
			return to;
		}
	}
	if (number < SIGRTMIN || number > SIGRTMAX)
		return NULL;
	if (number == SIGRTMIN)
		snprintf(to, SIGNAL_NAME_SIZE, "SIGRTMIN");
	else
		snprintf(to, SIGNAL_NAME_SIZE, "SIGRTMIN+%d", number - SIGRTMIN);
	return to;
}
