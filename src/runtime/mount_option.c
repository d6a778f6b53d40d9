#include "runtime/mount_option.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* Words that set (or, with off, clear) an attribute. Each also exists with an "r" in front,
 * for the whole tree. */
static const struct attribute {
	const char *word;
	uint64_t attribute;
	bool off;
} attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "rw", MOUNT_ATTR_RDONLY, true },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "suid", MOUNT_ATTR_NOSUID, true },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "dev", MOUNT_ATTR_NODEV, true },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "exec", MOUNT_ATTR_NOEXEC, true },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "diratime", MOUNT_ATTR_NODIRATIME, true },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ "symfollow", MOUNT_ATTR_NOSYMFOLLOW, true },
	{ "noatime", MOUNT_ATTR_NOATIME },
	{ "atime", MOUNT_ATTR_NOATIME, true },
	{ "relatime", MOUNT_ATTR_RELATIME },
	{ "norelatime", MOUNT_ATTR_STRICTATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME },
	{ "nostrictatime", MOUNT_ATTR_RELATIME },
};

static const struct {
	const char *word;
	uint64_t propagation;
} propagations[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
};

/* Words that mean nothing to the new mount API, or what it does anyway. */
static const char *const without_effect[] = { "defaults",   "async",    "nomand",
					      "loud",       "silent",   "_netdev",
					      "noiversion", "iversion", "nolazytime" };

/* fs/fs_context.c, common_set_sb_flag */
static const char *const supers[] = { "sync", "dirsync", "mand", "lazytime" };

static const struct {
	const char *word;
	size_t offset;
} switches[] = {
	{ "bind", offsetof(struct runtime_mount_options, bind) },
	{ "rbind", offsetof(struct runtime_mount_options, recursive) },
	{ "idmap", offsetof(struct runtime_mount_options, idmap) },
	{ "ridmap", offsetof(struct runtime_mount_options, idmap_all) },
	{ "copyup", offsetof(struct runtime_mount_options, copy_up) },
	{ "chown", offsetof(struct runtime_mount_options, give) },
	{ "tmpcopyup", offsetof(struct runtime_mount_options, tmp_copy_up) },
	{ "remount", offsetof(struct runtime_mount_options, remount) },
	{ "src-nofollow", offsetof(struct runtime_mount_options, src_nofollow) },
	{ "dest-nofollow", offsetof(struct runtime_mount_options, dest_nofollow) },
	{ "copy-symlink", offsetof(struct runtime_mount_options, copy_symlink) },
};

static bool is_atime(const struct attribute *a)
{
	return a->attribute == MOUNT_ATTR_RELATIME || (a->attribute & MOUNT_ATTR__ATIME);
}

/* The last word counts, as with mount(8). The kinds of atime are one field of several bits,
 * which mount_setattr(2) wants cleared as a whole. */
static void note_attribute(uint64_t *set, uint64_t *clear, const struct attribute *a)
{
	if (is_atime(a)) {
		*set &= ~(uint64_t)MOUNT_ATTR__ATIME;
		*set |= a->off ? MOUNT_ATTR_RELATIME : a->attribute;
		*clear |= MOUNT_ATTR__ATIME;
	} else if (a->off) {
		*set &= ~a->attribute;
		*clear |= a->attribute;
	} else {
		*set |= a->attribute;
		*clear &= ~a->attribute;
	}
}

static bool take_attribute(struct runtime_mount_options *o, const char *word)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (strcmp(word, attributes[i].word) == 0) {
			note_attribute(&o->set, &o->clear, &attributes[i]);
			return true;
		}
		if (*word == 'r' && strcmp(word + 1, attributes[i].word) == 0) {
			note_attribute(&o->set_all, &o->clear_all, &attributes[i]);
			return true;
		}
	}
	return false;
}

static bool take_propagation(struct runtime_mount_options *o, const char *word)
{
	bool all = *word == 'r';

	for (size_t i = 0; i < COUNT_OF(propagations); i++)
		if (strcmp(word + all, propagations[i].word) == 0) {
			o->propagation = propagations[i].propagation;
			o->propagation_all = all;
			return true;
		}
	return false;
}

static bool take_switch(struct runtime_mount_options *o, const char *word)
{
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		if (strcmp(word, switches[i].word) == 0) {
			*(bool *)((char *)o + switches[i].offset) = true;
			return true;
		}
	for (size_t i = 0; i < COUNT_OF(without_effect); i++)
		if (strcmp(word, without_effect[i]) == 0)
			return true;
	return false;
}

static bool is_super(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(supers); i++)
		if (strcmp(word, supers[i]) == 0)
			return true;
	return false;
}

/* "idmap=uids=0-1-10#10-11-10;gids=0-1-10", crun's. */
static bool take_idmap(struct runtime_mount_options *o, const char *word)
{
	bool all = *word == 'r';

	if (!str_starts(word + all, "idmap="))
		return false;
	mem_replace(&o->idmap_text, strchr(word, '=') + 1);
	o->idmap = true;
	o->idmap_all |= all;
	return true;
}

/* Beyond mount(8), of holm's own: see runtime.h. */
static bool take_source(struct runtime_mount_options *o, const char *word)
{
	if (str_starts(word, "lower="))
		strv_add(&o->lower, word + strlen("lower="));
	else if (str_starts(word, "data="))
		strv_add(&o->data, word + strlen("data="));
	else if (str_starts(word, "of="))
		mem_replace(&o->of, word + strlen("of="));
	else if (str_starts(word, "subpath="))
		mem_replace(&o->subpath, word + strlen("subpath="));
	else
		return false;
	return true;
}

void runtime_mount_options_parse(struct runtime_mount_options *ret, const struct strv *words)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (!take_attribute(ret, word) && !take_propagation(ret, word) &&
		    !take_switch(ret, word) && !take_idmap(ret, word) && !take_source(ret, word))
			strv_add(is_super(word) ? &ret->super : &ret->own, word);
	}
	ret->bind |= ret->recursive;
	ret->idmap |= ret->idmap_all;
}

void runtime_mount_options_clear(struct runtime_mount_options *options)
{
	strv_clear(&options->own);
	strv_clear(&options->super);
	strv_clear(&options->lower);
	strv_clear(&options->data);
	free(options->subpath);
	free(options->of);
	free(options->idmap_text);
	*options = (struct runtime_mount_options){ 0 };
}

void runtime_mount_options_names(struct strv *to)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		strv_add(to, attributes[i].word);
		strv_addf(to, "r%s", attributes[i].word);
	}
	for (size_t i = 0; i < COUNT_OF(propagations); i++) {
		strv_add(to, propagations[i].word);
		strv_addf(to, "r%s", propagations[i].word);
	}
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		strv_add(to, switches[i].word);
	for (size_t i = 0; i < COUNT_OF(without_effect); i++)
		strv_add(to, without_effect[i]);
	for (size_t i = 0; i < COUNT_OF(supers); i++)
		strv_add(to, supers[i]);
}
