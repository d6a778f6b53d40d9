/* scratch.h - a store in a temporary folder, gone again at the end. For tests alone. */
#pragma once
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/unit.h"
#include "storage/store.h"

struct scratch_store {
	char path[48];
	struct store *store;
};

static inline void scratch_store_open(struct scratch_store *s)
{
	struct err e = { 0 };

	strcpy(s->path, "/tmp/holm-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->path));
	own_free char *root = mem_format("%s/root", s->path);
	own_free char *run = mem_format("%s/run", s->path);
	ck_assert_msg(store_open(&s->store, root, run, &e) == 0, "%s", e.text);
}

static inline void scratch_store_close(struct scratch_store *s)
{
	struct err e;

	if (s->store)
		store_close(s->store);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, s->path, &e), 0);
}
