/* journal.h - the lines of a container in systemd's journal, as journalctl(1) tells them. */
#pragma once
#include <stdbool.h>

struct err;
struct monitor_log_range;
struct monitor_log_record;

typedef int cli_journal_report(void *arg, const struct monitor_log_record *record, struct err *e);

/* Reports the lines of the container with this full id. With goes_on, new ones, too, until that
 * says false. ERR_UNSUPPORTED: there is no journalctl here. */
int cli_journal_read(const char *id, const struct monitor_log_range *range,
		     bool (*goes_on)(void *arg), void *goes_on_arg, cli_journal_report *report,
		     void *report_arg, struct err *e);
