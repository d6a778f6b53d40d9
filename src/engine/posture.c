#include "engine/posture.h"

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/options.h"

enum kind { TEXT, FLAG, LIST };

struct choice {
	enum kind kind;
	size_t offset;
	const char *value;
};

#define O(member) offsetof(struct create_options, member)
#define END                                                                                        \
	{                                                                                          \
		TEXT, 0, NULL                                                                      \
	}

/* A tree of its own, and nothing else: what chroot(2) gives, without its ways out. */
static const struct choice chroot_choices[] = {
	{ TEXT, O(pid), "host" },      { TEXT, O(ipc), "host" },     { TEXT, O(uts), "host" },
	{ TEXT, O(cgroupns), "host" }, { LIST, O(network), "host" }, END,
};

static const struct choice container_choices[] = { END };

/* Ids of its own, no capability, none to be had, nothing of the tree to be written. */
static const struct choice hardened_choices[] = {
	{ LIST, O(cap_drop), "ALL" },
	{ LIST, O(security_opt), "no-new-privileges" },
	{ TEXT, O(userns), "auto" },
	{ FLAG, O(read_only), NULL },
	{ LIST, O(tmpfs), "/tmp:rw,noexec,nosuid,nodev,size=64m" },
	{ LIST, O(tmpfs), "/run:rw,noexec,nosuid,nodev,size=16m" },
	{ TEXT, O(pids_limit), "256" },
	END,
};

static const struct choice system_choices[] = { { FLAG, O(system), NULL }, END };

static const struct posture {
	const char *name;
	const struct choice *choices;
} postures[] = {
	{ "chroot", chroot_choices },
	{ "container", container_choices },
	{ "hardened", hardened_choices },
	{ "system", system_choices },
};

static void choose(struct create_options *o, const struct choice *choice)
{
	void *member = (char *)o + choice->offset;
	struct strv own;

	switch (choice->kind) {
	case FLAG:
		*(bool *)member = true;
		return;
	case TEXT:
		if (!*(char **)member)
			*(char **)member = mem_text(choice->value);
		return;
	case LIST:
		/* what a person says of networks is instead, of others besides */
		if (choice->offset == O(network) && o->network.count)
			return;
		own = *(struct strv *)member;
		*(struct strv *)member = (struct strv){ 0 };
		strv_add((struct strv *)member, choice->value);
		strv_add_all((struct strv *)member, &own);
		strv_clear(&own);
		return;
	}
}

int engine_posture_apply(struct create_options *o, struct err *e)
{
	if (!o->posture)
		return 0;
	for (size_t i = 0; i < COUNT_OF(postures); i++) {
		if (!str_equal(postures[i].name, o->posture))
			continue;
		for (const struct choice *c = postures[i].choices; c->value || c->kind == FLAG; c++)
			choose(o, c);
		return 0;
	}
	return err_set(e, ERR_INVALID,
		       "--posture %s: not one of chroot, container, hardened, system", o->posture);
}
