#include "cli/since.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"

int cli_since_parse(int64_t *ret, const char *option, const char *text, struct err *e)
{
	struct err ignored;
	int64_t span;

	if (!text)
		return 0;
	/* a bare number is a point in time, as docker has it, not a span */
	if (text[strspn(text, "0123456789.")] &&
	    number_parse_duration_ns(&span, text, &ignored) == 0) {
		*ret = moment_now_ns() - span;
		return 0;
	}
	own_free char *day = mem_format("%sT00:00:00Z", text);
	if (strlen(text) == strlen("2026-01-31") && moment_parse(ret, day, &ignored) == 0)
		return 0;
	return moment_parse(ret, text, e) < 0 ? err_add(e, "%s", option) : 0;
}
