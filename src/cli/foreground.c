#include "cli/foreground.h"

#include <stdio.h>
#include <strings.h>

#include "base/err.h"
#include "base/terminal.h"
#include "cli/print.h"
#include "cli/relay.h"
#include "engine/engine.h"

int cli_foreground_streams(struct cli_relay_options *relay, const struct strv *attach,
			   bool interactive, struct err *e)
{
	relay->input = interactive;
	relay->output = relay->error = !attach->count;
	for (size_t i = 0; i < attach->count; i++) {
		const char *name = attach->items[i];
		if (strcasecmp(name, "stdin") == 0)
			relay->input = true;
		else if (strcasecmp(name, "stdout") == 0)
			relay->output = true;
		else if (strcasecmp(name, "stderr") == 0)
			relay->error = true;
		else
			return err_set(e, ERR_INVALID,
				       "--attach: '%s' is not stdin, stdout or stderr", name);
	}
	return 0;
}

void cli_foreground_size(struct start_options *start)
{
	uint16_t rows, columns;

	if (terminal_size(&rows, &columns)) {
		start->rows = rows;
		start->columns = columns;
	}
}

int cli_foreground(struct engine_session *session, const struct cli_relay_options *relay,
		   const char *name, struct err *e)
{
	int code = 0;
	int how = cli_relay(session, relay, &code, e);

	engine_session_close(session);
	if (how == CLI_RELAY_DETACHED && !code && name) {
		fputs("\nDetached; 'holm attach ", stderr);
		cli_print_clean(stderr, name);
		fputs("' comes back to it.\n", stderr);
	}
	return how < 0 ? how : code;
}
