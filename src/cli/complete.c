/* `holm __complete -- WORD...`: what the last word, still being typed, could become; for the
 * scripts in completions/. One candidate a line. A last line ":files" or ":folders" asks the shell
 * to add its own. Never an error: there is nobody to read it. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/print.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "engine/pods.h"
#include "image/reference.h"
#include "network/record.h"
#include "storage/index.h"
#include "storage/list.h"
#include "storage/secret.h"
#include "storage/volume.h"

struct completion {
	struct cli *cli;
	const char *prefix; /* what has been typed of the word */
	const char *before; /* goes in front of each candidate: "--name=" */
	const struct strv *words;
	size_t at; /* the word after those that are understood */
};

static void offer(const struct completion *c, const char *candidate)
{
	if (!str_starts(candidate, c->prefix))
		return;
	fputs(c->before, stdout);
	cli_print_clean(stdout, candidate);
	putchar('\n');
}

/* ---- values ---- */

static bool state_fits(enum container_status status, const char *wanted)
{
	bool live = status == CONTAINER_RUNNING || status == CONTAINER_PAUSED;

	if (str_equal(wanted, "running"))
		return live;
	if (str_equal(wanted, "paused"))
		return status == CONTAINER_PAUSED;
	return !*wanted || !live;
}

static void offer_containers(const struct completion *c, const char *wanted)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };
	struct engine *engine;
	struct err ignored;

	if (cli_command_engine(c->cli, &engine, &ignored) < 0 ||
	    engine_list(engine, &all, &rows, &ignored) < 0)
		return;
	for (size_t i = 0; i < rows.count; i++)
		if (state_fits(rows.items[i].state.status, wanted))
			offer(c, rows.items[i].container.name);
}

/* Both "busybox:latest" and "busybox" for it. */
static void offer_image(const struct completion *c, const char *reference)
{
	own_free char *name = mem_text(image_reference_familiar(reference));

	offer(c, name);
	if (str_ends(name, ":latest")) {
		name[strlen(name) - strlen(":latest")] = '\0';
		offer(c, name);
	}
}

static void offer_images(const struct completion *c)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(strv_clear) struct strv lists = { 0 };
	struct store *store;
	struct err ignored;

	if (cli_command_store(c->cli, &store, &ignored) < 0 ||
	    storage_index_read(&index, store, &ignored) < 0)
		return;
	storage_list_names(&lists, store, &ignored);
	for (size_t i = 0; i < index.entries.count; i++)
		if (index.entries.items[i].reference)
			offer_image(c, index.entries.items[i].reference);
	for (size_t i = 0; i < lists.count; i++)
		offer_image(c, lists.items[i]);
}

static void offer_networks(const struct completion *c)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };
	struct store *store;
	struct err ignored;

	if (cli_command_store(c->cli, &store, &ignored) < 0 ||
	    network_record_list(&networks, store, &ignored) < 0)
		return;
	for (size_t i = 0; i < networks.items.count; i++)
		offer(c, networks.items.items[i].name);
}

static void offer_volumes(const struct completion *c)
{
	own_clear(storage_volumes_clear) struct storage_volumes volumes = { 0 };
	struct store *store;
	struct err ignored;

	if (cli_command_store(c->cli, &store, &ignored) < 0 ||
	    storage_volume_list(&volumes, store, &ignored) < 0)
		return;
	for (size_t i = 0; i < volumes.items.count; i++)
		offer(c, volumes.items.items[i].name);
}

static void offer_pods(const struct completion *c)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	struct engine *engine;
	struct err ignored;

	if (cli_command_engine(c->cli, &engine, &ignored) < 0 ||
	    engine_pods_list(engine, &pods, &ignored) < 0)
		return;
	for (size_t i = 0; i < pods.items.count; i++)
		offer(c, pods.items.items[i].pod->container.name);
}

static void offer_secrets(const struct completion *c)
{
	own_clear(storage_secrets_clear) struct storage_secrets secrets = { 0 };
	struct store *store;
	struct err ignored;

	if (cli_command_store(c->cli, &store, &ignored) < 0 ||
	    storage_secret_list(&secrets, store, &ignored) < 0)
		return;
	for (size_t i = 0; i < secrets.items.count; i++)
		offer(c, secrets.items.items[i].name);
}

/* All commands, or those of one group ("image "). */
static void offer_commands(const struct completion *c, const char *group)
{
	own_clear(strv_clear) struct strv seen = { 0 };

	for (size_t i = 0; cli_commands[i]; i++) {
		own_clear(strv_clear) struct strv names = { 0 };
		if (!cli_commands[i]->section)
			continue;
		strv_split(&names, cli_commands[i]->names, '|');
		for (size_t k = 0; k < names.count; k++) {
			if (!str_starts(names.items[k], group))
				continue;
			const char *name = names.items[k] + strlen(group);
			own_free char *word = mem_text_n(name, strcspn(name, " "));
			if (!strv_contains(&seen, word))
				strv_add(&seen, word);
		}
	}
	for (size_t i = 0; i < seen.count; i++)
		offer(c, seen.items[i]);
}

static void offer_values(const struct completion *c, const char *values)
{
	own_clear(strv_clear) struct strv words = { 0 };

	if (!values)
		return;
	if (str_starts(values, "container:"))
		offer_containers(c, values + strlen("container:"));
	else if (str_equal(values, "image:"))
		offer_images(c);
	else if (str_equal(values, "network:"))
		offer_networks(c);
	else if (str_equal(values, "volume:"))
		offer_volumes(c);
	else if (str_equal(values, "pod:"))
		offer_pods(c);
	else if (str_equal(values, "secret:"))
		offer_secrets(c);
	else if (str_equal(values, "command:"))
		offer_commands(c, "");
	else if (str_equal(values, "file:"))
		puts(":files");
	else if (str_equal(values, "folder:"))
		puts(":folders");
	else
		strv_split(&words, values, '|');
	for (size_t i = 0; i < words.count; i++)
		offer(c, words.items[i]);
}

/* ---- options ---- */

static void offer_options(const struct completion *c, const struct option *table)
{
	for (const struct option *o = table; o && o->name; o++) {
		own_free char *name = mem_format("--%s", o->name);
		own_free char *no = mem_format("--no-%s", o->name);
		if (o->type == OPTION_TYPE_HEADING || o->hidden)
			continue;
		offer(c, name);
		if (o->type == OPTION_TYPE_TOGGLE)
			offer(c, no);
	}
	offer(c, "--help");
}

/* The option whose value the next word is, or NULL. */
static const struct option *awaits_value(const struct option *table, const char *word)
{
	const struct option *option = NULL;

	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-')
		return (option = option_find(table, word + 2, strlen(word + 2))) &&
				       option_takes_value(option)
			       ? option
			       : NULL;
	for (const char *letter = word + 1; *letter; letter++) {
		option = option_find_letter(table, *letter);
		if (!option)
			return NULL;
		if (option_takes_value(option))
			return letter[1] ? NULL : option;
	}
	return NULL;
}

/* "--name=prefix" being typed: offers values with "--name=" in front. */
static bool offer_assigned(struct completion *c, const struct option *table)
{
	size_t length = strcspn(c->prefix, "=");

	if (!str_starts(c->prefix, "--") || !c->prefix[length])
		return false;
	const struct option *option = option_find(table, c->prefix + 2, length - 2);
	own_free char *before = mem_text_n(c->prefix, length + 1);
	c->before = before;
	c->prefix += length + 1;
	if (option)
		offer_values(c, option->values);
	c->before = "";
	return true;
}

/* Walks over the words in front of the last one. Returns how many arguments they hold; *pending is
 * the option that waits for its value, *closed tells that options are over. */
static size_t walk(struct completion *c, const struct option *table, bool first_ends,
		   const struct option **pending, bool *closed)
{
	size_t arguments = 0;

	*pending = NULL;
	*closed = false;
	for (; c->at + 1 < c->words->count; c->at++) {
		const char *word = c->words->items[c->at];
		if (*pending) {
			*pending = NULL;
		} else if (!*closed && strcmp(word, "--") == 0) {
			*closed = true;
		} else if (!*closed && word[0] == '-' && word[1]) {
			*pending = awaits_value(table, word);
		} else {
			arguments++;
			*closed = *closed || first_ends;
			if (first_ends)
				return arguments;
		}
	}
	return arguments;
}

static void complete_command(struct completion *c, const struct cli_command *command)
{
	own_free struct option *table = cli_which_table(command);
	const struct option *pending;
	bool closed;
	size_t arguments = walk(c, table, command->mode == OPTION_FIRST, &pending, &closed);

	if (pending)
		offer_values(c, pending->values);
	else if (!closed && offer_assigned(c, table))
		return;
	else if (!closed && c->prefix[0] == '-')
		offer_options(c, table);
	else if (arguments < command->args_max && !(command->mode == OPTION_FIRST && arguments))
		offer_values(c, command->values);
}

static void complete(struct completion *c)
{
	const struct option *pending;
	bool closed;
	size_t arguments = walk(c, cli_main_options(), true, &pending, &closed);

	if (pending) {
		offer_values(c, pending->values);
		return;
	}
	if (!arguments) {
		if (!offer_assigned(c, cli_main_options()) && c->prefix[0] == '-')
			offer_options(c, cli_main_options());
		else if (c->prefix[0] != '-')
			offer_commands(c, "");
		return;
	}
	const char *word = c->words->items[c->at++];
	own_free char *name = mem_text(word);
	if (cli_command_is_group(word)) {
		own_free char *group = mem_format("%s ", word);
		if (c->at + 1 == c->words->count) {
			offer_commands(c, group);
			return;
		}
		free(name);
		name = mem_format("%s%s", group, c->words->items[c->at++]);
	}
	const struct cli_command *command = cli_command_find(name);
	if (command)
		complete_command(c, command);
}

static int run_complete(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)options, (void)e;
	struct completion c = {
		.cli = cli, .words = args, .before = "", .prefix = args->items[args->count - 1]
	};

	log_set_level(LOG_LEVEL_ERROR);
	complete(&c);
	return 0;
}

const struct cli_command cli_complete = {
	.names = "__complete",
	.arguments = "-- WORD...",
	.summary = "For the shells' completion",
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.run = run_complete,
};
