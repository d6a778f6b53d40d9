/* step.h - one instruction after the other, within one stage. For the files of build/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "build/agent.h"
#include "build/context.h"
#include "build/file.h"
#include "build/once.h"
#include "build/stage.h"
#include "build/state.h"
#include "build/stop.h"
#include "build/target.h"
#include "build/word.h"
#include "storage/layer.h"

struct build_base;
struct build_import;
struct build_options;
struct build_progress;
struct engine;
struct err;

/* All that the stages of one build share. */
struct build {
	struct engine *engine;
	const struct build_options *o;
	struct build_context context;
	struct build_file file;
	SHAPE_LIST_OF(struct build_target) targets;
	struct build_stages stages; /* of all targets */
	SHAPE_LIST_OF(struct build_base) bases;
	struct build_state *states; /* one for each stage, once it is done */
	struct build_progress *progress;
	SHAPE_LIST_OF(struct layer_writer) folders; /* that steps wrote, locked */
	struct layer_writer places; /* a lowest folder for RUN: places for what is mounted */
	struct build_stop stop;
	struct build_once once;
	struct build_agents agents;
	SHAPE_LIST_OF(struct build_import) imports;
	size_t words_left; /* struct build_word_scope */
	bool time_given;
	int64_t time_s;
};

struct build_step {
	struct build *build;
	struct build_state *state;
	const struct build_instruction *at;
	size_t stage;
	int number;                      /* of it in the progress */
	bool debug;                      /* RUN: a person is at it */
	char portable[DIGEST_TEXT_SIZE]; /* the key of its layer for other stores */
};

/* The variables that an instruction sees. */
struct build_word_scope build_step_scope(const struct build_step *step);

/* Each does one instruction to the state. */
int build_step_config(struct build_step *step, struct err *e);
int build_step_arg(struct build_step *step, struct err *e);
int build_step_run(struct build_step *step, struct err *e);
int build_step_copy(struct build_step *step, struct err *e);
int build_step_workdir(struct build_step *step, struct err *e);

/* Before the first step, as one that is cached reads none of them: are the options for RUN's
 * containers right? */
int build_step_run_check(const struct build_options *o, struct err *e);

/* The here-document that this word of the instruction is, borrowed; NULL: it is none. */
const struct build_heredoc *build_step_heredoc(const struct build_step *step, size_t word);

/* Begins the key of a step with what this instruction does, and ends it with what its files hang on
 * so far, unless it does not hang on what is below (COPY --link). The key, the caller's, is this
 * store's; the one for others is noted in the step. */
struct storage_hash *build_step_key_begin(const struct build_step *step, const char *what);
char *build_step_key_end(struct build_step *step, struct storage_hash *hash, bool hangs);

/* The lowest folder of a RUN without mounts (places.h), made when one is first needed. The absolute
 * path in *ret is the caller's. */
int build_step_places(char **ret, struct build *build, struct err *e);

/* A new folder for what a step writes; build owns it. Its number in build->folders. */
int build_step_folder(struct build *build, size_t *ret, struct err *e);

/* It becomes the topmost layer, its times set to the state's. Takes key. */
int build_step_add(struct build_step *step, size_t folder, char *key, struct err *e);

/* The topmost layer is the one that the cache or another stage has for this key: takes key. False:
 * there is none, and other stages wait for this one to make it; key stays the caller's. */
bool build_step_cached(struct build_step *step, char *key);

/* The root of a state, to read; with folder >= 0 what is written goes there. A detached mount, the
 * caller's. */
int build_step_open_root(struct build *build, const struct build_state *state, int folder,
			 struct err *e);
