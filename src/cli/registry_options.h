/* registry_options.h - the options of all commands that speak to a registry: a row of rows for
 * their tables, and what becomes of them on holm-image's command line. */
#pragma once
#include <stdbool.h>

struct err;
struct strv;

struct cli_registry_options {
	char *auth_file;
	char *credentials;
	bool tls_verify;
};

/* Within a table whose struct has a member `registry` of this type. */
#define CLI_REGISTRY_OPTIONS                                                                       \
	{ "authfile",                                                                              \
	  0,                                                                                       \
	  OPTION_STRING(registry.auth_file),                                                       \
	  "FILE",                                                                                  \
	  "logins, in place of the usual files",                                                   \
	  "file:" },                                                                               \
		{ "creds", 0, OPTION_STRING(registry.credentials), "USER:PASSWORD",                \
		  "as whom, whatever the files with logins say" },                                 \
	{                                                                                          \
		"tls-verify", 0, OPTION_FLAG(registry.tls_verify), NULL,                           \
			"ask for TLS and a certificate that is known (=false: do not)"             \
	}

void cli_registry_options_defaults(struct cli_registry_options *options);

/* Adds what holm-image is to know; credentials go by the environment, which nobody else reads.
 * ERR_INVALID for credentials without a user. */
int cli_registry_options_pass(const struct cli_registry_options *options, struct strv *arguments,
			      struct err *e);
