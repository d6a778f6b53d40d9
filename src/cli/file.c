/* `holm file push`, `holm file pull` and `holm file edit`: single files of a container, named as in
 * "web/etc/hosts". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/copy.h"
#include "engine/engine.h"
#include "system/file.h"

/* "web/etc/hosts" or "web:/etc/hosts". *path is borrowed from text, the container the caller's. */
static int split(char **container, const char **path, const char *text, struct err *e)
{
	size_t length = strcspn(text, ":/");

	if (!length || !text[length] || !text[length + 1])
		return err_set(e, ERR_INVALID, "%s: not CONTAINER/PATH, as in web/etc/hosts", text);
	*container = mem_text_n(text, length);
	*path = text + length + (text[length] == ':');
	return 0;
}

static int copy(struct cli *cli, const struct engine_copy_end *from,
		const struct engine_copy_end *to, struct err *e)
{
	const struct engine_copy_options how = { 0 };
	struct engine *engine;
	uint64_t bytes;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_copy(engine, from, to, &how, &bytes, e);
}

static int run_push(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_free char *container = NULL;
	const char *path;

	(void)options;
	int r = split(&container, &path, args->items[args->count - 1], e);
	for (size_t i = 0; r == 0 && i + 1 < args->count; i++) {
		const struct engine_copy_end from = { NULL, args->items[i] };
		const struct engine_copy_end to = { container, path };
		r = copy(cli, &from, &to, e);
	}
	return r;
}

/* The bytes of the file, as incus gives them; what is asked of `holm cp` is a tar. */
static int print(struct cli *cli, const char *container, const char *path, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = system_file_read(engine, container, path, &bytes, e);
	if (r < 0 || !bytes.length)
		return r;
	r = fd_write_all(STDOUT_FILENO, bytes.text, bytes.length);
	return r < 0 ? err_number(e, -r, "write to standard output") : 0;
}

static int pull(struct cli *cli, const char *what, const char *where, struct err *e)
{
	own_free char *container = NULL;
	const char *path;

	int r = split(&container, &path, what, e);
	if (r < 0)
		return r;
	if (str_equal(where, "-"))
		return print(cli, container, path, e);
	const struct engine_copy_end from = { container, path };
	const struct engine_copy_end to = { NULL, where };
	return copy(cli, &from, &to, e);
}

static int run_pull(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	int r = 0;

	(void)options;
	for (size_t i = 0; r == 0 && i + 1 < args->count; i++)
		r = pull(cli, args->items[i], args->items[args->count - 1], e);
	return r;
}

/* ---- edit ---- */

/* As sudoedit(8), crontab(1): the words of a shell, so that VISUAL="code --wait" works. */
static int run_editor(const char *path, struct err *e)
{
	const char *visual = getenv("VISUAL");
	const char *editor = !str_empty(visual) ? visual : getenv("EDITOR");

	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		own_free char *line = mem_format("%s \"$1\"", str_empty(editor) ? "vi" : editor);
		execl("/bin/sh", "sh", "-c", line, "holm", path, NULL);
		_exit(127);
	}
	int status = process_wait(pid);
	if (status < 0 || process_exit_code(status) != 0)
		return err_set(e, ERR_INVALID,
			       "the editor failed: the file in the container is as it was");
	return 0;
}

/* Through a file of one's own, with the same name, in a folder that nobody else enters. */
static int edit_copy(struct str *text, const char *folder, const char *name, struct err *e)
{
	own_free char *path = mem_format("%s/%s", folder, name);
	own_fd int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, "open %s", folder);
	int r = fd_write_file_at(dir, name, text->length ? text->text : "", text->length, 0600, e);
	if (r == 0)
		r = run_editor(path, e);
	str_clear(text);
	if (r == 0)
		r = fd_read_file_at(dir, name, SYSTEM_FILE_BYTES_MAX, text, e);
	unlinkat(dir, name, 0);
	return r;
}

static int edit(struct engine *engine, const char *container, const char *path, struct err *e)
{
	own_clear(str_clear) struct str before = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	const char *tmp = getenv("TMPDIR");
	own_free char *folder = mem_format("%s/holm-edit.XXXXXX", str_empty(tmp) ? "/tmp" : tmp);
	const char *slash = strrchr(path, '/');

	int r = system_file_read(engine, container, path, &before, e);
	if (r < 0)
		return r;
	if (!mkdtemp(folder))
		return err_sys(e, "make the folder %s", folder);
	str_add_n(&text, before.length ? before.text : "", before.length);
	r = edit_copy(&text, folder, slash && slash[1] ? slash + 1 : "file", e);
	rmdir(folder);
	bool same = r == 0 && text.length == before.length &&
		    (!text.length || memcmp(text.text, before.text, text.length) == 0);
	return r < 0 || same ? r : system_file_write(engine, container, path, &text, e);
}

static int run_edit(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_free char *container = NULL;
	struct engine *engine;
	const char *path;

	(void)options;
	int r = split(&container, &path, args->items[0], e);
	if (r < 0)
		return r;
	r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : edit(engine, container, path, e);
}

const struct cli_command cli_file_push = {
	.names = "file push",
	.section = "Systems",
	.arguments = "FILE [FILE...] CONTAINER/PATH",
	.summary = "Copy files of the host into a container",
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "file:",
	.run = run_push,
};

const struct cli_command cli_file_pull = {
	.names = "file pull",
	.section = "Systems",
	.arguments = "CONTAINER/PATH [CONTAINER/PATH...] FILE|-",
	.summary = "Copy files out of a container",
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_pull,
};

const struct cli_command cli_file_edit = {
	.names = "file edit",
	.section = "Systems",
	.arguments = "CONTAINER/PATH",
	.summary = "Open a file of a container in an editor",
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_edit,
};
