#include "system/shell.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/tree.h"

/* A program of that name, as the container would find it; the caller frees. NULL: it has none. */
static char *find(int root_fd, const char *name)
{
	static const char *const folders[] = { "/bin", "/usr/bin", "/usr/local/bin" };
	struct stat st;

	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		own_free char *path = path_join(folders[i], name);
		own_fd int fd = path_try_open(root_fd, path, O_PATH, 0);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111)
			return take_ptr(&path);
	}
	return NULL;
}

/* Words as one line that a POSIX shell takes apart into the same words. */
static char *quote(const struct strv *words)
{
	struct str line = { 0 };

	for (size_t i = 0; i < words->count; i++) {
		str_add(&line, i ? " '" : "'");
		for (const char *c = words->items[i]; *c; c++)
			if (*c == '\'')
				str_add(&line, "'\\''");
			else
				str_add_char(&line, *c);
		str_add_char(&line, '\'');
	}
	return str_take(&line);
}

/* login(1) wants a terminal. -f: who calls it has been let in; without, it asks. */
static bool use_login(int root_fd, const struct system_shell *shell, struct strv *to)
{
	own_free char *login = find(root_fd, "login");

	if (!login || !shell->tty || shell->command->count)
		return false;
	strv_add(to, login);
	if (!shell->asks) {
		strv_add(to, "-f");
		strv_add(to, shell->user ? shell->user : "root");
	}
	return true;
}

static bool use_su(int root_fd, const struct system_shell *shell, struct strv *to)
{
	own_free char *su = find(root_fd, "su");

	if (!su)
		return false;
	strv_add(to, su);
	strv_add(to, "-l");
	if (shell->command->count) {
		strv_add(to, "-c");
		strv_add_take(to, quote(shell->command));
	}
	strv_add(to, shell->user ? shell->user : "root");
	return true;
}

static void use_sh(const struct system_shell *shell, struct exec_options *to)
{
	strv_add_all(&to->command, shell->command);
	if (!shell->command->count) {
		strv_add(&to->command, "/bin/sh");
		strv_add(&to->command, "-l");
	}
	to->user = mem_text(shell->user ? shell->user : "0:0");
}

/* What login and su take for an option is no name of a user. */
static int check_user(const char *user, struct err *e)
{
	if (!user)
		return 0;
	if (!*user || *user == '-' || strchr(user, ':'))
		return err_set(e, ERR_INVALID, "--user '%s': not the name of a user", user);
	return config_check_user("--user", user, e);
}

int system_shell_choose(struct engine *engine, const struct system_shell *shell,
			struct exec_options *to, struct err *e)
{
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;
	struct container_state state;

	int r = check_user(shell->user, e);
	if (r == 0)
		r = engine_load(engine, shell->container, NULL, &state, e);
	if (r < 0)
		return r;
	if (state.status != CONTAINER_RUNNING) {
		err_set(e, ERR_STATE, "container %s is not running", shell->container);
		return err_hint(e, "start it first: holm start %s", shell->container);
	}
	r = engine_tree_open(engine, shell->container, ENGINE_TREE_WITH_MOUNTS, &tree, e);
	if (r < 0)
		return r;
	to->container = mem_text(shell->container);
	to->tty = shell->tty;
	to->interactive = true;
	if (use_login(tree.root_fd, shell, &to->command))
		return 0;
	if (shell->asks)
		return err_set(e, ERR_UNSUPPORTED, "container %s has no login program",
			       shell->container);
	if (!use_su(tree.root_fd, shell, &to->command))
		use_sh(shell, to);
	return 0;
}
