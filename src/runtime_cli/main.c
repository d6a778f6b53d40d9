/* The program `holm-runtime`: finds the command, lets its table read the options, runs it, and
 * tells what went wrong on stderr and in the log that the caller reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/own.h"
#include "base/path.h"
#include "base/socket.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/user_namespace.h"
#include "runtime_cli/command.h"
#include "runtime_cli/seal.h"

#define OPTIONS struct runtime_cli
static const struct option table[] = {
	{ "root", 0, OPTION_STRING(root), "DIR", "where the state of containers lies", "folder:" },
	{ "log", 0, OPTION_STRING(log), "FILE",
	  "where to write warnings and errors; journald:ID or syslog:ID", "file:" },
	{ "log-format", 0, OPTION_STRING(log_format), "FORMAT", "text (the default) or json",
	  "text|json" },
	{ "log-level", 0, OPTION_STRING(log_level), "LEVEL", "error, warning or debug",
	  "error|warning|warn|info|debug" },
	{ "debug", 0, OPTION_FLAG(debug), NULL, "as --log-level debug" },
	{ "systemd-cgroup", 0, OPTION_FLAG(systemd_cgroup), NULL,
	  "let systemd make the cgroups; cgroupsPath is slice:prefix:name" },
	{ "cgroup-manager", 0, OPTION_STRING(cgroup_manager), "MANAGER",
	  "cgroupfs, systemd or disabled", "cgroupfs|systemd|disabled" },
	{ "rootless", 0, OPTION_STRING(rootless), "WORD", "accepted: it is found out",
	  "true|false|auto" },
	{ "criu", 0, OPTION_STRING(criu), "FILE", "accepted, as with runc: it is found in PATH",
	  "file:" },
	{ "version", 'v', OPTION_FLAG(version), NULL, "print the version" },
	{ "version", 'V', OPTION_FLAG(version), NULL, "crun's letter", NULL, true },
	{ 0 },
};
#undef OPTIONS

const struct option *runtime_cli_main_options(void)
{
	return table;
}

/* ---- help ---- */

static void print_help(void)
{
	own_clear(str_clear) struct str options = { 0 };

	puts("usage: holm-runtime [OPTIONS] COMMAND [ARGUMENTS]\n\n"
	     "An OCI runtime: makes containers from bundles, called as runc and crun are.\n");
	for (size_t i = 0; runtime_cli_commands[i]; i++)
		if (runtime_cli_commands[i]->summary)
			printf("  %-12s %s\n", runtime_cli_commands[i]->name,
			       runtime_cli_commands[i]->summary);
	option_help(table, &options);
	printf("\n%s", options.text ? options.text : "");
}

static void print_command_help(const struct runtime_cli_command *command)
{
	own_clear(str_clear) struct str options = { 0 };

	printf("usage: holm-runtime %s %s\n\n%s\n", command->name, command->arguments,
	       command->summary);
	if (command->options)
		option_help(command->options, &options);
	if (options.length)
		printf("\n%s", options.text);
}

/* Engines read the first two lines. */
static void print_version(void)
{
	printf("holm-runtime version %s\nspec: %s\n", HOLM_VERSION, OCI_RUNTIME_SPEC_VERSION);
}

/* ---- where things lie ---- */

static int set_root(struct runtime_cli *cli, struct err *e)
{
	const char *run = secure_getenv("XDG_RUNTIME_DIR");

	if (cli->root) {
		own_free char *given = take_ptr(&cli->root);
		own_free char *here = *given == '/' ? NULL : getcwd(NULL, 0);
		own_free char *whole = here ? path_join(here, given) : mem_text(given);
		cli->root = path_clean(whole);
		return 0;
	}
	/* root of a user namespace, as below podman without root, may not write to /run */
	if (!str_empty(run) && (geteuid() != 0 || runtime_user_namespace_is_inner()))
		cli->root = path_join(run, "holm/runtime");
	else if (geteuid() == 0)
		cli->root = mem_text("/run/holm/runtime");
	if (cli->root)
		return 0;
	err_set(e, ERR_INVALID, "there is no place for the state of containers");
	return err_hint(e, "XDG_RUNTIME_DIR is not set; --root DIR names one");
}

static void set_level(const struct runtime_cli *cli)
{
	if (cli->debug || str_equal(cli->log_level, "debug"))
		log_set_level(LOG_LEVEL_DEBUG);
	else if (str_equal(cli->log_level, "error"))
		log_set_level(LOG_LEVEL_ERROR);
}

/* "journald:ID" and "syslog:ID", as crun has them: ID is what the lines are found by. False: path
 * is that of a file. */
static bool open_service_log(int *ret, const char *path, struct err *e)
{
	static const struct {
		const char *prefix, *socket;
		enum log_format format;
	} services[] = {
		{ "journald:", "/run/systemd/journal/socket", LOG_FORMAT_JOURNAL },
		{ "syslog:", "/dev/log", LOG_FORMAT_SYSLOG },
	};

	for (size_t i = 0; i < COUNT_OF(services); i++) {
		if (!str_starts(path, services[i].prefix))
			continue;
		*ret = socket_connect(SOCK_DGRAM, services[i].socket, e);
		if (*ret < 0)
			return true;
		if (path[strlen(services[i].prefix)])
			log_set_program(path + strlen(services[i].prefix));
		log_set_output(*ret, services[i].format);
		return true;
	}
	return false;
}

static int open_log(struct runtime_cli *cli, struct err *e)
{
	const char *path = cli->log;
	int fd;

	set_level(cli);
	if (str_empty(path))
		return 0;
	if (open_service_log(&fd, path, e)) {
		cli->log_is_open = fd >= 0;
		return fd < 0 ? err_add(e, "--log %s", path) : 0;
	}
	path += str_starts(path, "file:") ? strlen("file:") : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "open the log %s", path);
	cli->log_is_open = true;
	log_set_output(fd, str_equal(cli->log_format, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
	return 0;
}

/* ---- dispatch ---- */

static int find_command(struct runtime_cli *cli, const char *name, struct err *e)
{
	const char *best = NULL;

	for (size_t i = 0; runtime_cli_commands[i]; i++) {
		if (strcmp(runtime_cli_commands[i]->name, name) == 0) {
			cli->command = runtime_cli_commands[i];
			return 0;
		}
		nearest_offer(&best, name, runtime_cli_commands[i]->name);
	}
	err_set(e, ERR_INVALID, "unknown command '%s'", name);
	return best ? err_hint(e, "did you mean '%s'?", best) : -e->number;
}

/* "help", "help run", as with runc */
static int help(struct runtime_cli *cli, const struct strv *words, struct err *e)
{
	int r = words->count > 1 ? find_command(cli, words->items[1], e) : 0;

	if (r == 0 && cli->command)
		print_command_help(cli->command);
	else if (r == 0)
		print_help();
	return r;
}

static int check_count(const struct runtime_cli_command *command, size_t count, struct err *e)
{
	if (count >= command->args_min && count <= command->args_max)
		return 0;
	return err_set(e, ERR_INVALID, "%s arguments: usage: holm-runtime %s %s",
		       count < command->args_min ? "too few" : "too many", command->name,
		       command->arguments);
}

static int run_command(struct runtime_cli *cli, const struct strv *words, struct err *e)
{
	const struct runtime_cli_command *command = cli->command;
	static const struct option none[] = { { 0 } };
	const struct option *options = command->options ? command->options : none;
	own_free void *values = mem_new(1, command->size ? command->size : 1);
	struct option_line line = { 0 };

	if (command->defaults)
		command->defaults(values);
	int r = option_parse(options, command->mode, words->items + 1, words->count - 1, values,
			     &line, e);
	if (r == 0 && line.help)
		print_command_help(command);
	else if (r == 0)
		r = check_count(command, line.args.count, e);
	if (r == 0 && !line.help && command->sealed)
		r = runtime_cli_seal(&cli->sealed_fd, cli->argv, e);
	if (r == 0 && !line.help)
		r = command->run(cli, values, &line.args, e);
	if (r < 0 && line.args.count)
		err_add(e, "%s %s", command->name, line.args.items[0]);
	else if (r < 0)
		err_add(e, "%s", command->name);
	option_clear(options, values);
	strv_clear(&line.args);
	return r;
}

static int start(struct runtime_cli *cli, const struct strv *words, struct err *e)
{
	int r = open_log(cli, e);

	if (r < 0)
		return r;
	if (cli->version) {
		print_version();
		return 0;
	}
	if (!words->count || str_equal(words->items[0], "help"))
		return help(cli, words, e);
	r = find_command(cli, words->items[0], e);
	if (r == 0)
		r = set_root(cli, e);
	if (r < 0)
		return r;
	return run_command(cli, words, e);
}

/* A full disk behind `holm-runtime state x > file` must not pass for success. */
static int flush_output(struct err *e)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_sys(e, "write to the standard output");
}

/* In the log for the engine, and on stderr for whoever looks there. */
static int report(const struct runtime_cli *cli, const struct err *e)
{
	const char *between = e->hint[0] ? ": " : "";

	if (cli->log_is_open)
		log_error("%s%s%s", e->text, between, e->hint);
	log_set_output(STDERR_FILENO, LOG_FORMAT_PLAIN);
	fd_fill_standard();
	log_set_program("holm-runtime");
	log_error("%s%s%s", e->text, between, e->hint);
	int status = err_exit_status(e);
	return status == 125 ? 1 : status;
}

int main(int argc, char **argv)
{
	struct runtime_cli cli = { .argv = argv, .sealed_fd = -1 };
	struct option_line line = { 0 };
	struct err e;

	log_set_program("holm-runtime");
	int status = option_parse(table, OPTION_FIRST, argv + 1, argc ? (size_t)argc - 1 : 0, &cli,
				  &line, &e);
	if (status == 0 && line.help)
		print_help();
	else if (status == 0)
		status = start(&cli, &line.args, &e);
	if (status >= 0 && flush_output(&e) < 0)
		status = -e.number;
	if (status < 0)
		status = report(&cli, &e);
	option_clear(table, &cli);
	strv_clear(&line.args);
	return status;
}
