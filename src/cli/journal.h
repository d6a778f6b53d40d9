/* journal.h - the lines of a container in systemd's journal, as journalctl(1) tells them. */
#pragma once
#include <stdbool.h>

#include "base/own.h"

struct err;
struct monitor_log_range;
struct monitor_log_record;
struct cli_journal;

/* The lines of the container with this full id; with follow, new ones, too, without an end. */
int cli_journal_open(struct cli_journal **ret, const char *id,
		     const struct monitor_log_range *range, bool follow, struct err *e);
void cli_journal_close(struct cli_journal *journal);
OWN_DEFINE(cli_journal_close, struct cli_journal *)

/* Becomes readable when there is more to read. */
int cli_journal_fd(const struct cli_journal *journal);

/* The next line, borrowed until the next call: 1, or 0: there is none now; with wait, none any
 * more. ERR_UNSUPPORTED: there is no journalctl here. */
int cli_journal_next(struct cli_journal *journal, bool wait, const struct monitor_log_record **ret,
		     struct err *e);
