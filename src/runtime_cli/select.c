#include "runtime_cli/select.h"

#include <regex.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/strv.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

static int compile(regex_t *expression, const char *text, struct err *e)
{
	char why[128];
	int r = regcomp(expression, text, REG_EXTENDED | REG_NOSUB);

	if (r == 0)
		return 0;
	regerror(r, expression, why, sizeof(why));
	return err_set(e, ERR_INVALID, "regular expression '%s': %s", text, why);
}

static int call_matching(struct runtime_cli *cli, const regex_t *expression, runtime_cli_call *call,
			 const void *context, struct err *e)
{
	own_clear(strv_clear) struct strv ids = { 0 };
	struct err later = { 0 };

	int r = runtime_cli_record_list(&ids, cli, e);
	for (size_t i = 0; i < ids.count; i++) {
		if (regexec(expression, ids.items[i], 0, NULL, 0) != 0)
			continue;
		struct err *to = r < 0 ? &later : e;
		if (call(cli, ids.items[i], context, to) == 0)
			continue;
		err_add(to, "%s", ids.items[i]);
		if (to == &later)
			log_error("%s", later.text);
		r = -e->number;
	}
	return r;
}

int runtime_cli_select(struct runtime_cli *cli, const char *id, bool regex, runtime_cli_call *call,
		       const void *context, struct err *e)
{
	regex_t expression;

	if (!regex)
		return call(cli, id, context, e);
	int r = compile(&expression, id, e);
	if (r < 0)
		return r;
	r = call_matching(cli, &expression, call, context, e);
	regfree(&expression);
	return r;
}
