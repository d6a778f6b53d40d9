#include "build/made.h"

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
#include "base/str.h"
#include "base/strv.h"
#include "build/build.h"
#include "build/git.h"
#include "build/step.h"
#include "build/sum.h"
#include "engine/engine.h"
#include "image/command.h"
#include "storage/store.h"

bool build_made_is_remote(const char *source)
{
	return str_starts(source, "http://") || str_starts(source, "https://") ||
	       build_git_is(source);
}

int build_made_heredoc(char **ret_name, int folder_fd, const struct build_step *step,
		       const struct build_heredoc *heredoc, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	own_free char *text = NULL;

	if (!path_is_name(heredoc->name))
		return err_set(e, ERR_INVALID, "<<%s: not the name of a file", heredoc->name);
	int r = 0;
	if (heredoc->quoted)
		text = mem_text(heredoc->text);
	else
		r = build_word_expand_text(&text, heredoc->text, &scope, e);
	if (r < 0)
		return r;
	r = fd_write_file_at(folder_fd, heredoc->name, text, strlen(text), 0644, e);
	if (r == 0)
		*ret_name = mem_text(heredoc->name);
	return r;
}

/* ---- addresses ---- */

/* Its last part, which the file is called. */
static char *name_of(const char *address)
{
	const char *host = strstr(address, "://") + 3;
	own_free char *path = mem_text_n(host, strcspn(host, "?#"));
	const char *slash = strrchr(path, '/');

	return mem_text(slash ? slash + 1 : "");
}

static int check_sum(int folder_fd, const char *name, const char *wanted, struct err *e)
{
	own(storage_hash_free) struct storage_hash *hash = storage_hash_new();
	char digest[DIGEST_TEXT_SIZE], chunk[16384];
	ssize_t n;

	own_fd int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		storage_hash_add(hash, chunk, (size_t)n);
	storage_hash_end(hash, digest);
	if (!str_equal(digest, wanted))
		return err_set(e, ERR_CORRUPT, "it is %s, and not %s", digest, wanted);
	return 0;
}

static int fetch(int folder_fd, const struct build_step *step, const char *address,
		 const char *name, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct store *store = step->build->engine->store;
	const struct image_command_files files = { folder_fd, -1 };

	image_command_begin(&arguments, "fetch", store);
	strv_add(&arguments, "--");
	strv_add(&arguments, address);
	strv_add(&arguments, name);
	return image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}

int build_made_fetch(char **ret_name, int folder_fd, const struct build_step *step,
		     const char *source, struct err *e)
{
	const char *sum = build_file_flag(step->at, "checksum");

	if (build_git_is(source)) {
		const char *keep = build_file_flag(step->at, "keep-git-dir");
		int r = build_git_clone(folder_fd, source, keep && !str_equal(keep, "false"), e);
		if (r == 0)
			*ret_name = mem_text("tree");
		return r;
	}
	own_free char *name = name_of(source);
	if (!path_is_name(name))
		return err_set(e, ERR_INVALID, "%s: its last part is no name of a file", source);
	int r = fetch(folder_fd, step, source, name, e);
	if (r == 0 && sum)
		r = check_sum(folder_fd, name, sum, e);
	if (r < 0)
		return err_add(e, "%s", source);
	*ret_name = take_ptr(&name);
	return 0;
}
