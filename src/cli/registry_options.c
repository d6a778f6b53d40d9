#include "cli/registry_options.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/strv.h"
#include "image/command.h"

void cli_registry_options_defaults(struct cli_registry_options *options)
{
	options->tls_verify = true;
}

int cli_registry_options_pass(const struct cli_registry_options *options, struct strv *arguments,
			      struct err *e)
{
	if (options->auth_file)
		strv_addf(arguments, "--authfile=%s", options->auth_file);
	if (!options->tls_verify)
		strv_add(arguments, "--no-tls-verify");
	unsetenv(IMAGE_COMMAND_CREDENTIALS);
	if (!options->credentials)
		return 0;
	if (*options->credentials == '\0' || *options->credentials == ':')
		return err_set(e, ERR_INVALID, "--creds: expected USER:PASSWORD");
	if (setenv(IMAGE_COMMAND_CREDENTIALS, options->credentials, 1) < 0)
		return err_sys(e, "set the environment");
	return 0;
}
