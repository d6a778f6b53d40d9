#include "cli/foreign.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "base/words.h"
#include "cli/assign.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/run.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "system/foreign.h"

/* "/srv/lxc/" without the slash at its end; the caller's. */
static char *find_folder(const struct foreign_kind *kind, const struct strv *args, struct err *e)
{
	bool user = user_ids_are_mapped() || geteuid() != 0;

	for (size_t i = 0; i < args->count; i++) {
		const char *path = args->items[i];
		if (!strchr(path, '/'))
			continue;
		own_free char *real = realpath(path, NULL);
		if (!real)
			err_sys(e, "%s", path);
		return take_ptr(&real);
	}
	if (!user)
		return mem_text(kind->folder);
	char *folder = kind->user_folder ? kind->user_folder() : NULL;
	if (!folder)
		err_set(e, ERR_INVALID, "--from %s: an ordinary user has none: name a folder",
			kind->name);
	return folder;
}

static int list_names(struct strv *to, const struct foreign_kind *kind, const char *folder,
		      const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv there = { 0 };

	int r = system_foreign_list(&there, kind, folder, e);
	for (size_t i = 0; r == 0 && i < args->count; i++) {
		if (strchr(args->items[i], '/'))
			continue;
		if (!strv_contains(&there, args->items[i]))
			return err_set(e, ERR_NOT_FOUND, "%s has no container '%s'", folder,
				       args->items[i]);
		strv_add(to, args->items[i]);
	}
	if (r == 0 && !to->count)
		strv_add_all(to, &there);
	if (r == 0 && !to->count)
		return err_set(e, ERR_NOT_FOUND, "no container is in %s", folder);
	return r;
}

/* The same as a command line. */
static void print_command(const struct foreign_machine *m)
{
	own_clear(strv_clear) struct strv words = { 0 };

	strv_add(&words, "holm");
	strv_add(&words, "create");
	for (size_t i = 0; i < m->settings.count; i++)
		strv_addf(&words, "--%s", m->settings.items[i]);
	for (size_t i = 0; i < m->hooks.count; i++)
		strv_addf(&words, "--hook=%s", m->hooks.items[i]);
	strv_add(&words, m->root);
	strv_add_all(&words, &m->command);
	own_free char *line = words_join(&words);
	cli_print_clean(stdout, line);
	putchar('\n');
}

static void print_notes(const struct foreign_machine *m)
{
	for (size_t i = 0; i < m->notes.count; i++)
		log_warning("%s: %s", m->name, m->notes.items[i]);
}

static int make(struct engine *engine, struct foreign_machine *m, bool dry_run, struct err *e)
{
	own_clear(create_options_clear) struct create_options o = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->settings.count; i++)
		r = cli_assign(cli_run_table, m->settings.items[i], &o, e);
	if (r < 0)
		return r;
	if (dry_run) {
		print_command(m);
		return 0;
	}
	r = system_foreign_make(engine, m, &o, &c, e);
	if (r < 0)
		return r;
	fputs("Imported container: ", stdout);
	cli_print_clean(stdout, c.name);
	putchar('\n');
	fflush(stdout);
	return 0;
}

static int import_one(struct engine *engine, const struct foreign_kind *kind, const char *folder,
		      const char *name, bool dry_run, struct err *e)
{
	own_clear(system_foreign_machine_clear) struct foreign_machine m = FOREIGN_MACHINE_NONE;

	int r = kind->read(&m, engine, folder, name, e);
	if (r == 0)
		r = make(engine, &m, dry_run, e);
	if (r == 0)
		print_notes(&m);
	return r;
}

int cli_foreign_import(struct cli *cli, const struct foreign_kind *kind, const struct strv *args,
		       bool dry_run, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct engine *engine;
	size_t failed = 0;

	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	own_free char *folder = find_folder(kind, args, e);
	if (!folder)
		return -e->number;
	r = list_names(&names, kind, folder, args, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.count; i++) {
		r = import_one(engine, kind, folder, names.items[i], dry_run, e);
		if (r == 0)
			continue;
		err_add(e, "container %s", names.items[i]);
		if (names.count == 1)
			return r;
		log_warning("%s", e->text);
		failed++;
	}
	return failed ? err_set(e, ERR_STATE, "%zu could not be taken; see above", failed) : 0;
}
