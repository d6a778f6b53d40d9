/* `holm login` and `holm logout`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "image/auth.h"
#include "image/auth_store.h"
#include "image/command.h"

enum { PASSWORD_MAX = 64 << 10 };

struct login_options {
	char *user;
	char *password;
	char *auth_file;
	bool password_stdin;
	bool get_login;
	bool tls_verify;
	bool all;
};

#define OPTIONS struct login_options
static const struct option login_table[] = {
	{ "authfile", 0, OPTION_STRING(auth_file), "FILE",
	  "keep the login there, not in the usual file", "file:" },
	{ "get-login", 0, OPTION_FLAG(get_login), NULL, "print as whom one is logged in, and end" },
	{ "password", 'p', OPTION_STRING(password), "PASSWORD",
	  "the password, for everybody on this machine to see" },
	{ "password-stdin", 0, OPTION_FLAG(password_stdin), NULL,
	  "read the password from the standard input" },
	{ "tls-verify", 0, OPTION_FLAG(tls_verify), NULL,
	  "ask for TLS and a certificate that is known (=false: do not)" },
	{ "username", 'u', OPTION_STRING(user), "USER", "as whom" },
	{ 0 },
};

static const struct option logout_table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "forget every login" },
	{ "authfile", 0, OPTION_STRING(auth_file), "FILE", "in this file, not in the usual ones",
	  "file:" },
	{ 0 },
};
#undef OPTIONS

/* Kept for as short as it takes, and then overwritten. */
static void clear_secret(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

/* "https://host/v1/" is "host", none is docker.io: as in the files with logins. */
static char *registry_of(const struct strv *args)
{
	return args->count ? image_auth_key(args->items[0]) : mem_text("docker.io");
}

/* ---- asking ---- */

static int read_line(char **ret, const char *question, struct err *e)
{
	size_t capacity = 0;

	fputs(question, stderr);
	fflush(stderr);
	if (getline(ret, &capacity, stdin) < 0)
		return err_set(e, ERR_INVALID, "the input ended");
	(*ret)[strcspn(*ret, "\r\n")] = '\0';
	return 0;
}

/* Without echo. What a signal ends leaves the terminal as the shell then sets it. */
static int read_hidden(char **ret, const char *question, struct err *e)
{
	struct termios before, quiet;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return err_sys(e, "read the terminal's settings");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	int r = read_line(ret, question, e);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return r;
}

static int read_password_stdin(char **ret, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	int r = fd_read_all(STDIN_FILENO, PASSWORD_MAX, &text, e);

	if (r < 0)
		return err_add(e, "--password-stdin");
	while (text.length && strchr("\r\n", text.text[text.length - 1]))
		text.text[--text.length] = '\0';
	if (!text.length || strlen(text.text) != text.length)
		return err_set(e, ERR_INVALID, "--password-stdin: no password came");
	*ret = mem_text(text.text);
	explicit_bzero(text.text, text.length);
	return 0;
}

static int ask_user(struct image_auth *auth, const char *known, struct err *e)
{
	own_free char *question =
		known ? mem_format("Username (%s): ", known) : mem_text("Username: ");
	int r = read_line(&auth->user, question, e);

	if (r == 0 && !*auth->user && known)
		mem_replace(&auth->user, known);
	if (r == 0 && !*auth->user)
		return err_set(e, ERR_INVALID, "a user is needed");
	return r;
}

static int check_options(const struct login_options *o, struct err *e)
{
	if (o->password && o->password_stdin)
		return err_set(e, ERR_INVALID,
			       "--password and --password-stdin exclude each other");
	if (o->password_stdin && !o->user)
		return err_set(e, ERR_INVALID, "--password-stdin needs --username");
	return 0;
}

/* From the options, the standard input, the terminal. */
static int find_login(struct image_auth *auth, const struct login_options *o, const char *known,
		      struct err *e)
{
	int r = check_options(o, e);

	if (r < 0)
		return r;
	if (o->password)
		fputs("WARNING! Using --password via the CLI is insecure. "
		      "Use --password-stdin.\n",
		      stderr);
	if ((!o->user || !(o->password || o->password_stdin)) && !isatty(STDIN_FILENO)) {
		err_set(e, ERR_INVALID, "the standard input is no terminal to ask at");
		return err_hint(e, "say --username and --password-stdin");
	}
	auth->user = mem_text(o->user);
	auth->password = mem_text(o->password);
	if (!auth->user)
		r = ask_user(auth, known, e);
	if (r == 0 && o->password_stdin)
		r = read_password_stdin(&auth->password, e);
	else if (r == 0 && !auth->password)
		r = read_hidden(&auth->password, "Password: ", e);
	if (r == 0 && (!*auth->user || strchr(auth->user, ':')))
		r = err_set(e, ERR_INVALID, "\"%s\" is no name of a user", auth->user);
	return r;
}

/* ---- login ---- */

static int verify(struct cli *cli, const struct login_options *o, const char *registry,
		  const struct image_auth *auth, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	own_clear(clear_secret) char *pair = mem_format("%s:%s", auth->user, auth->password);

	int r = cli_archive_arguments(cli, "login", &arguments, e);
	if (r < 0)
		return r;
	if (!o->tls_verify)
		strv_add(&arguments, "--no-tls-verify");
	strv_add(&arguments, "--");
	strv_add(&arguments, registry);
	if (setenv(IMAGE_COMMAND_CREDENTIALS, pair, 1) < 0)
		return err_sys(e, "set the environment");
	r = image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	unsetenv(IMAGE_COMMAND_CREDENTIALS);
	return r;
}

static int get_login(const char *registry, const struct image_auth *known, struct err *e)
{
	if (!known->user)
		return err_set(e, ERR_NOT_FOUND, "not logged in to %s", registry);
	cli_print_clean(stdout, known->user);
	putchar('\n');
	return 0;
}

static int log_in(struct cli *cli, const struct login_options *o, const char *registry,
		  const struct image_auth *known, struct err *e)
{
	const struct image_auth_files files = { o->auth_file };
	own_clear(image_auth_clear) struct image_auth auth = { 0 };
	own_free char *where = NULL;
	int r;

	/* who is logged in and says nothing new only wants to know whether that still holds */
	if (!o->user && !o->password && known->user && known->password &&
	    verify(cli, o, registry, known, e) == 0) {
		puts("Authenticating with existing credentials...\nLogin Succeeded");
		return 0;
	}
	r = find_login(&auth, o, known->user, e);
	if (r == 0)
		r = verify(cli, o, registry, &auth, e);
	if (r == 0)
		r = image_auth_store(&files, registry, &auth, &where, e);
	if (r < 0)
		return r;
	fprintf(stderr, "The login is kept %s %s\n",
		str_starts(where, "docker-credential-") ? "by" : "in", where);
	puts("Login Succeeded");
	return 0;
}

static int run_login(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct login_options *o = options;
	own_clear(image_auth_clear) struct image_auth known = { 0 };
	own_free char *registry = registry_of(args);
	own_free char *host = mem_text_n(registry, strcspn(registry, "/"));
	const char *only = o->auth_file ? o->auth_file : getenv("REGISTRY_AUTH_FILE");
	const struct image_auth_files files = { o->auth_file };
	int r = 0;

	/* a file that is to be written need not be there */
	if (str_empty(only) || access(only, F_OK) == 0)
		r = image_auth_find(&known, &files, host,
				    registry[strlen(host)] ? registry + strlen(host) + 1 : "", e);
	if (r < 0)
		return r;
	return o->get_login ? get_login(registry, &known, e) : log_in(cli, o, registry, &known, e);
}

/* ---- logout ---- */

static int run_logout(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct login_options *o = options;
	const struct image_auth_files files = { o->auth_file };
	own_free char *registry = registry_of(args);
	bool found = false;

	(void)cli;
	if (o->all && args->count)
		return err_set(e, ERR_INVALID, "--all and a registry exclude each other");
	int r = image_auth_store_forget(&files, o->all ? NULL : registry, &found, e);
	if (r < 0)
		return r;
	if (o->all)
		puts("Removed login credentials for all registries");
	else
		printf("%s %s\n", found ? "Removing login credentials for" : "Not logged in to",
		       registry);
	return 0;
}

static void login_defaults(void *options)
{
	((struct login_options *)options)->tls_verify = true;
}

const struct cli_command cli_login = {
	.names = "login",
	.section = "Registries",
	.arguments = "[OPTIONS] [REGISTRY]",
	.summary = "Log in to a registry",
	.options = login_table,
	.size = sizeof(struct login_options),
	.args_max = 1,
	.defaults = login_defaults,
	.run = run_login,
};

const struct cli_command cli_login_logout = {
	.names = "logout",
	.section = "Registries",
	.arguments = "[OPTIONS] [REGISTRY]",
	.summary = "Forget a login",
	.options = logout_table,
	.size = sizeof(struct login_options),
	.args_max = 1,
	.run = run_logout,
};
