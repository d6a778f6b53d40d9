/* file.h - a Dockerfile as a list of instructions: directives, comments, continuations, flags,
 * here-documents and JSON forms taken apart, nothing expanded yet
 * (docs.docker.com/reference/dockerfile). Pure. Every error names its line. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/shape.h"

struct err;

enum {
	BUILD_FILE_BYTES_MAX = 4 << 20,
	BUILD_FILE_LINE_MAX = 1 << 20, /* of an instruction, with its continuations */
	BUILD_FILE_INSTRUCTIONS_MAX = 10000,
	BUILD_FILE_HEREDOCS_MAX = 100, /* of one instruction */
};

struct build_heredoc {
	char *name;
	char *text;
	bool quoted;   /* no variables in it */
	bool unindent; /* <<-: without the tabs that its lines begin with */
};

enum build_kind {
	BUILD_ADD,
	BUILD_ARG,
	BUILD_CMD,
	BUILD_COPY,
	BUILD_ENTRYPOINT,
	BUILD_ENV,
	BUILD_EXPOSE,
	BUILD_FROM,
	BUILD_HEALTHCHECK,
	BUILD_LABEL,
	BUILD_MAINTAINER,
	BUILD_ONBUILD,
	BUILD_RUN,
	BUILD_SHELL,
	BUILD_STOPSIGNAL,
	BUILD_USER,
	BUILD_VOLUME,
	BUILD_WORKDIR,
	BUILD_KINDS,
};

struct build_instruction {
	enum build_kind kind;
	int line, last_line;
	char *text;        /* as it stands, in one line, without here-documents */
	struct strv flags; /* "mount=type=cache,target=/x", "link" */
	char *rest;        /* behind the flags, without blanks at either end */
	bool json;         /* rest is an array of strings: words */
	struct strv words; /* else of COPY and ADD the words, quotes and all */
	SHAPE_LIST_OF(struct build_heredoc) heredocs;
};

struct build_file {
	SHAPE_LIST_OF(struct build_instruction) items;
	char escape;
	char *syntax; /* of "# syntax=", accepted and not used */
};

/* Reads length bytes; name is for errors. The caller clears *ret, after a failure, too. */
int build_file_parse(struct build_file *ret, const char *name, const char *text, size_t length,
		     struct err *e);
void build_file_clear(struct build_file *file);

/* "COPY" */
const char *build_file_name(enum build_kind kind);

/* The value of the flag name, borrowed ("" for one without), or NULL. */
const char *build_file_flag(const struct build_instruction *instruction, const char *name);
