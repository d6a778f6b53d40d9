/* log_print.h - records of a log as lines for a person: `logs`, `pod logs`. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct monitor_log_range;
struct monitor_log_record;

/* What goes in front of lines, and where the output is within one. */
struct cli_log_output {
	bool timestamps;
	const char *prefix; /* whose line it is; NULL: there is only one */
	char *details;      /* "a=1,b=2"; NULL: not asked for */
	bool inside[3];     /* by stream: the record before had no newline */
};

/* To stdout or stderr, as the record says. */
void cli_log_print(struct cli_log_output *out, const struct monitor_log_record *record);

/* --since, --until and --tail; each may be NULL. */
struct cli_log_range {
	char *since;
	char *until;
	char *tail;
};
int cli_log_print_range(struct monitor_log_range *ret, const struct cli_log_range *o,
			struct err *e);
