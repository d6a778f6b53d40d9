#include "cli/log_print.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/since.h"
#include "monitor/log.h"

int cli_log_print_range(struct monitor_log_range *ret, const struct cli_log_range *o, struct err *e)
{
	ret->tail = -1;
	if (o->tail && strcmp(o->tail, "all") != 0) {
		int r = number_parse_i64(&ret->tail, o->tail, -1, INT64_MAX, e);
		if (r < 0)
			return err_add(e, "--tail");
	}
	int r = cli_since_parse(&ret->since_ns, "--since", o->since, e);
	return r < 0 ? r : cli_since_parse(&ret->until_ns, "--until", o->until, e);
}

static void begin_line(const struct cli_log_output *out, FILE *to, int64_t time_ns)
{
	if (out->prefix) {
		cli_print_clean(to, out->prefix);
		fputc(' ', to);
	}
	if (out->timestamps) {
		char time[MOMENT_TEXT_SIZE];
		moment_format(time, time_ns);
		fprintf(to, "%s ", time);
	}
	if (out->details) {
		cli_print_clean(to, out->details);
		fputc(' ', to);
	}
}

void cli_log_print(struct cli_log_output *out, const struct monitor_log_record *record)
{
	FILE *to = record->stream == MONITOR_LOG_STDOUT ? stdout : stderr;
	bool whole = record->text.length && record->text.text[record->text.length - 1] == '\n';

	if (to == stderr)
		fflush(stdout);
	if (!out->inside[record->stream])
		begin_line(out, to, record->time_ns);
	if (record->stream == MONITOR_LOG_NOTICE) {
		fputs("holm: ", to);
		cli_print_clean(to, record->text.text ? record->text.text : "");
		fputc('\n', to);
		return;
	}
	fwrite(record->text.text, 1, record->text.length, to);
	out->inside[record->stream] = !whole;
}
