/* stage.h - the stages of a Dockerfile: where each begins and ends, what it stands on, what it
 * takes files from, and which of them are needed. For several platforms they are planned several
 * times, one plan behind the other in one list, as variables may make them differ. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/shape.h"

struct build_file;
struct build_word_scope;
struct err;

struct build_stage {
	char *name;     /* behind AS, in lower case; NULL: it has none */
	char *base;     /* what FROM says, variables replaced */
	char *platform; /* of --platform; NULL: not said */
	size_t plan;    /* which it is of, from 0 */
	size_t begin;   /* the number of that plan's first stage */
	int base_stage; /* the stage that base names; -1: it is an image */
	size_t first;   /* of its instructions in the file: FROM */
	size_t end;
	bool needed;
	bool *needs; /* those before it: files or the base */
};

struct build_stages {
	SHAPE_LIST_OF(struct build_stage) items;
	size_t plans;
};

/* Adds a plan. scope: of the ARGs before the first FROM. target: a stage's name or number, NULL:
 * the last; its number in the list goes to *ret_target. The caller clears *to, after a failure,
 * too. */
int build_stage_plan(struct build_stages *to, size_t *ret_target, const struct build_file *file,
		     const struct build_word_scope *scope, const char *target, struct err *e);
void build_stage_clear(struct build_stages *stages);

/* The stage before the one with this number, in its plan, that text names, or -1. */
int build_stage_find(const struct build_stages *stages, const char *text, size_t number);

/* What is no stage before it: may it be the name of an image? Not a number, nor the name of this
 * stage or a later one. */
int build_stage_check(const struct build_stages *stages, const char *text, size_t number,
		      struct err *e);
