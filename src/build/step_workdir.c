/* WORKDIR: a folder that is made if it is not there, and where the rest of the stage is at. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "build/step.h"
#include "build/sum.h"

static int set_folder(struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	char **folder = &step->state->config.config.working_dir;
	own_free char *said = NULL;

	int r = build_word_expand(&said, step->at->rest, &scope, e);
	if (r < 0)
		return r;
	if (!*said)
		return err_set(e, ERR_INVALID, "the folder's name is empty");
	own_free char *whole =
		*said == '/' ? mem_text(said) : path_join(str_empty(*folder) ? "/" : *folder, said);
	free(*folder);
	*folder = path_clean(whole);
	return 0;
}

/* Nothing where the image has it. */
static bool is_there(const struct build_step *step, struct err *e)
{
	own_fd int root = build_step_open_root(step->build, step->state, -1, e);
	own_fd int fd = root < 0 ? -1
				 : path_try_open(root, step->state->config.config.working_dir,
						 O_PATH | O_DIRECTORY, 0);
	return fd >= 0;
}

static int make_folder(struct build_step *step, size_t folder, struct err *e)
{
	own_fd int root = build_step_open_root(step->build, step->state, (int)folder, e);
	own_fd int fd =
		root < 0 ? root
			 : path_make_dirs(root, step->state->config.config.working_dir, 0755, e);
	return fd < 0 ? fd : 0;
}

int build_step_workdir(struct build_step *step, struct err *e)
{
	size_t folder;

	int r = set_folder(step, e);
	if (r < 0)
		return r;
	if (is_there(step, e)) {
		build_state_history(step->state, step->at->text, true);
		return 0;
	}
	own(storage_hash_free) struct storage_hash *hash = build_step_key_begin(step, "WORKDIR");
	build_sum_add(hash, step->state->config.config.working_dir);
	char *key = build_step_key_end(step, hash, true);
	if (!build_step_cached(step, key)) {
		r = build_step_folder(step->build, &folder, e);
		if (r == 0)
			r = make_folder(step, folder, e);
		if (r == 0)
			r = fd_remove_tree_at(step->build->folders.items[folder].lock, "work", e);
		if (r < 0) {
			free(key);
			return r;
		}
		r = build_step_add(step, folder, key, e);
	}
	if (r == 0)
		build_state_history(step->state, step->at->text, false);
	return r;
}
