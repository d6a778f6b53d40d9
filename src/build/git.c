#include "build/git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"

bool build_git_is(const char *address)
{
	own_free char *path = mem_text_n(address, strcspn(address, "#"));

	if (str_starts(address, "git@") || str_starts(address, "git://") ||
	    str_starts(address, "ssh://") || str_starts(address, "github.com/"))
		return true;
	return (str_starts(address, "http://") || str_starts(address, "https://")) &&
	       str_ends(path, ".git");
}

bool build_git_is_local(const char *address)
{
	return str_starts(address, "file://");
}

/* Runs git in the folder; what it says goes to standard error. */
static int run(int folder_fd, const struct strv *arguments, struct err *e)
{
	pid_t child = fork();

	if (child < 0)
		return err_sys(e, "fork");
	if (child == 0) {
		process_reset_signals();
		/* nobody is there to ask */
		setenv("GIT_TERMINAL_PROMPT", "0", 1);
		setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		if (fchdir(folder_fd) == 0)
			execvp(arguments->items[0], arguments->items);
		_exit(errno == ENOENT ? 127 : 126);
	}
	int status = process_wait(child);
	int code = status < 0 ? 1 : process_exit_code(status);
	if (code == 127) {
		err_set(e, ERR_NOT_FOUND, "there is no git");
		return err_hint(e, "install git");
	}
	return code ? err_set(e, ERR_UNREACHABLE, "git ended with %d", code) : 0;
}

static void begin(struct strv *to, const char *verb)
{
	static const char *const safe[] = { "git",
					    "-c",
					    "core.hooksPath=/dev/null",
					    "-c",
					    "protocol.ext.allow=never",
					    "-c",
					    "core.symlinks=true",
					    "-c",
					    "advice.detachedHead=false" };

	for (size_t i = 0; i < COUNT_OF(safe); i++)
		strv_add(to, safe[i]);
	strv_add(to, verb);
}

static int fetch_ref(int tree_fd, const char *address, const char *ref, bool shallow, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	begin(&arguments, "fetch");
	strv_add(&arguments, "--quiet");
	if (shallow)
		strv_add(&arguments, "--depth=1");
	strv_add(&arguments, "--");
	strv_add(&arguments, address);
	strv_add(&arguments, str_empty(ref) ? "HEAD" : ref);
	return run(tree_fd, &arguments, e);
}

static int fetch(int folder_fd, const char *address, const char *ref, struct err *e)
{
	own_clear(strv_clear) struct strv init = { 0 }, checkout = { 0 };

	begin(&init, "init");
	strv_add(&init, "--quiet");
	strv_add(&init, "--template=");
	strv_add(&init, "tree");
	int r = run(folder_fd, &init, e);
	if (r < 0)
		return r;
	own_fd int tree = openat(folder_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "open the repository");
	/* a server of plain files has no part of a history to give */
	struct err shallow;
	r = fetch_ref(tree, address, ref, true, &shallow);
	if (r < 0)
		r = fetch_ref(tree, address, ref, false, e);
	if (r < 0)
		return r;
	begin(&checkout, "checkout");
	strv_add(&checkout, "--quiet");
	strv_add(&checkout, "FETCH_HEAD");
	return run(tree, &checkout, e);
}

/* The part of it that was asked for becomes the tree. */
static int take_folder(int folder_fd, const char *folder, struct err *e)
{
	own_fd int tree = openat(folder_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name;

	if (tree < 0)
		return err_sys(e, "open the repository");
	own_fd int parent = path_open_parent(tree, folder, false, &name, e);
	if (parent < 0)
		return parent;
	if (renameat(folder_fd, "tree", folder_fd, "whole") < 0 ||
	    renameat(parent, name, folder_fd, "tree") < 0)
		return err_sys(e, "the repository's folder %s", folder);
	return fd_remove_tree_at(folder_fd, "whole", e);
}

int build_git_clone(int folder_fd, const char *address, bool keep, struct err *e)
{
	const char *hash = strchr(address, '#');
	own_free char *ref = mem_text(hash ? hash + 1 : "");
	own_free char *plain = mem_text_n(address, strcspn(address, "#"));
	own_free char *where = str_starts(plain, "github.com/") ? mem_format("https://%s", plain)
								: mem_text(plain);
	char *folder = strchr(ref, ':');

	if (folder)
		*folder++ = '\0';
	if (*ref == '-' || *where == '-')
		return err_set(e, ERR_INVALID, "%s: not a repository", address);
	int r = fetch(folder_fd, where, ref, e);
	if (r == 0 && !keep)
		r = fd_remove_tree_at(folder_fd, "tree/.git", e);
	if (r == 0 && !str_empty(folder))
		r = take_folder(folder_fd, folder, e);
	return r < 0 ? err_add(e, "%s", address) : 0;
}
