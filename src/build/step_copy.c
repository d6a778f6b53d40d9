/* COPY and ADD: from the context, another stage or an image, into a folder that is the upper one of
 * an overlay over the layers so far, so that links and folders of the image count. */
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
#include "build/archive.h"
#include "build/build.h"
#include "build/copy.h"
#include "build/expand.h"
#include "build/git.h"
#include "build/layer_sum.h"
#include "build/made.h"
#include "build/owner.h"
#include "build/progress.h"
#include "build/source.h"
#include "build/step.h"
#include "build/sum.h"
#include "build/tree.h"
#include "engine/engine.h"

/* One thing to copy. */
struct item {
	int fd;                 /* of the root it is in; borrowed */
	char *from;             /* below that */
	char *above;            /* --parents: the folders that come along; NULL: none */
	bool archive;           /* it is unpacked */
	struct build_tree tree; /* what it is; empty: to be read (layer_sum.h) */
	unsigned char sum[STORAGE_HASH_SIZE];
};

struct copying {
	struct build_step *step;
	struct build_source source;
	struct build_ignore exclude;
	struct build_tree_options options;
	SHAPE_LIST_OF(struct item) items;
	char *to; /* absolute; ends in a slash if a folder is meant */
	bool to_folder;
	char *owner; /* --chown, NULL: none */
	char *mode;  /* --chmod */
	bool link;   /* --link: the layers below do not matter */
};

static void copying_clear(struct copying *copying)
{
	for (size_t i = 0; i < copying->items.count; i++) {
		free(copying->items.items[i].from);
		free(copying->items.items[i].above);
		build_tree_clear(&copying->items.items[i].tree);
	}
	free(copying->items.items);
	build_source_close(&copying->source);
	build_ignore_clear(&copying->exclude);
	free(copying->to);
	free(copying->owner);
	free(copying->mode);
}

/* ---- what is asked for ---- */

static int expand_flag(char **ret, const struct build_step *step, const char *name, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	const char *value = build_file_flag(step->at, name);

	return value ? build_word_expand(ret, value, &scope, e) : 0;
}

/* A here-document keeps its name: what it stands for is read_sources()'s. */
static int expand_words(struct strv *to, const struct build_step *step, struct err *e)
{
	const struct build_word_scope scope = build_step_scope(step);
	int r = 0;

	for (size_t i = 0; r == 0 && i < step->at->words.count; i++) {
		const char *raw = step->at->words.items[i];
		char *word = NULL;
		if (build_step_heredoc(step, i))
			word = mem_text(raw);
		else
			r = build_word_expand(&word, raw, &scope, e);
		if (r == 0)
			strv_add_take(to, word);
	}
	return r;
}

static int read_exclude(struct copying *copying, struct err *e)
{
	const struct strv *flags = &copying->step->at->flags;
	int r = 0;

	for (size_t i = 0; r == 0 && i < flags->count; i++)
		if (str_starts(flags->items[i], "exclude="))
			r = build_ignore_add(&copying->exclude,
					     flags->items[i] + strlen("exclude="), e);
	return r;
}

/* The last word, below the working directory. */
static int set_destination(struct copying *copying, const struct strv *words, struct err *e)
{
	const char *to = words->items[words->count - 1];
	const char *folder = copying->step->state->config.config.working_dir;

	if (!*to)
		return err_set(e, ERR_INVALID, "the destination is empty");
	own_free char *whole =
		*to == '/' ? mem_text(to) : path_join(str_empty(folder) ? "/" : folder, to);
	copying->to_folder = str_ends(to, "/") || str_equal(to, ".") || str_ends(to, "/.") ||
			     str_equal(to, "..") || str_ends(to, "/..");
	copying->to = path_clean(whole);
	if (!copying->to[1])
		copying->to_folder = true;
	return 0;
}

/* ---- what there is ---- */

static struct item *add_item(struct copying *copying, int fd, const char *path)
{
	struct item *item = shape_list_add(&copying->items);

	*item = (struct item){ .fd = fd, .from = mem_text(path) };
	return item;
}

static int read_item(const struct copying *copying, const char *path, struct item *item,
		     struct err *e)
{
	return build_layer_sum_read(item->sum, &item->tree, &copying->source, path,
				    &copying->options, copying->step->build->engine->store, e);
}

/* --parents: what is above the thing in its path, behind a "/./" if there is one. */
static char *above_of(const char *word, const char *path)
{
	const char *pivot = strstr(word, "/./");
	own_free char *skipped = pivot ? mem_text_n(word, (size_t)(pivot - word)) : mem_text("");
	own_free char *absolute = path_join("/", skipped);
	own_free char *clean = path_clean(absolute);
	size_t skip = strlen(clean + 1);
	const char *slash = strrchr(path, '/');

	if (!slash || (size_t)(slash - path) <= skip)
		return mem_text("");
	return mem_text_n(path + skip + (skip > 0), (size_t)(slash - path) - skip - (skip > 0));
}

static bool is_flag_set(const struct build_step *step, const char *name, bool otherwise)
{
	const char *value = build_file_flag(step->at, name);

	return value ? !str_equal(value, "false") && !str_equal(value, "0") : otherwise;
}

static int add_source(struct copying *copying, const char *word, struct err *e)
{
	own_clear(strv_clear) struct strv paths = { 0 };
	size_t first = copying->items.count;
	bool unpack =
		copying->step->at->kind == BUILD_ADD && is_flag_set(copying->step, "unpack", true);
	bool parents = is_flag_set(copying->step, "parents", false);

	int r = build_expand(&paths, copying->source.fd, copying->source.ignore, word, e);
	if (r == 0 && !paths.count)
		build_progress_note(copying->step->build->progress, copying->step->number,
				    "nothing matches %s", word);
	for (size_t i = 0; r == 0 && i < paths.count; i++)
		r = read_item(copying, paths.items[i],
			      add_item(copying, copying->source.fd, paths.items[i]), e);
	for (size_t i = first; r == 0 && parents && i < copying->items.count; i++)
		copying->items.items[i].above = above_of(word, copying->items.items[i].from);
	for (size_t i = first; r == 0 && unpack && i < copying->items.count; i++) {
		struct item *item = &copying->items.items[i];
		if (S_ISREG(item->tree.items.items[0].mode))
			r = build_archive_is(&item->archive, item->fd, item->from, e);
	}
	return r;
}

/* What is no path below the source: it is made in a folder of its own first. */
static int add_made(struct copying *copying, const char *word, const struct build_heredoc *heredoc,
		    struct err *e)
{
	static const struct build_tree_options options = { 0 };
	struct build_step *step = copying->step;
	own_free char *name = NULL;
	size_t folder;

	int r = build_step_folder(step->build, &folder, e);
	if (r < 0)
		return r;
	int fd = step->build->folders.items[folder].fs_fd;
	r = heredoc ? build_made_heredoc(&name, fd, step, heredoc, e)
		    : build_made_fetch(&name, fd, step, word, e);
	if (r < 0)
		return r;
	struct item *item = add_item(copying, fd, name);
	r = build_tree_read(&item->tree, fd, name, &options, e);
	if (r < 0)
		return r;
	build_tree_sum(item->sum, &item->tree);
	if (heredoc || !is_flag_set(step, "unpack", false))
		return 0;
	return build_archive_is(&item->archive, item->fd, item->from, e);
}

static bool is_made(const struct build_step *step, size_t number, const char *word)
{
	return build_step_heredoc(step, number) ||
	       (step->at->kind == BUILD_ADD && build_made_is_remote(word));
}

/* A sum is of what is fetched. */
static int check_flags(const struct build_step *step, const struct strv *words, struct err *e)
{
	const char *sum = build_file_flag(step->at, "checksum");

	for (size_t i = 0; sum && i + 1 < words->count; i++) {
		const char *word = words->items[i];
		if (build_step_heredoc(step, i) || !build_made_is_remote(word))
			return err_set(e, ERR_INVALID, "--checksum: %s is no address", word);
		if (build_git_is(word))
			return err_set(e, ERR_UNSUPPORTED,
				       "--checksum: %s is a repository, whose commit is named by "
				       "#COMMIT",
				       word);
	}
	return sum ? oci_digest_check(sum, "--checksum", e) : 0;
}

static int read_sources(struct copying *copying, const struct strv *words, struct err *e)
{
	const struct build_step *step = copying->step;
	size_t count = words->count - 1;
	int r = check_flags(step, words, e);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = is_made(step, i, words->items[i])
			    ? add_made(copying, words->items[i], build_step_heredoc(step, i), e)
			    : add_source(copying, words->items[i], e);
	if (r == 0 && copying->items.count > 1 && !copying->to_folder) {
		err_set(e, ERR_INVALID, "several things cannot become one: %s", copying->to);
		return err_hint(e, "end the destination with a slash: %s/", copying->to);
	}
	return r;
}

/* Is there a source that is looked for in the source's root? */
static bool needs_root(const struct copying *copying, const struct strv *words)
{
	for (size_t i = 0; i + 1 < words->count; i++)
		if (!is_made(copying->step, i, words->items[i]))
			return true;
	return false;
}

static char *make_key(const struct copying *copying)
{
	own(storage_hash_free) struct storage_hash *hash =
		build_step_key_begin(copying->step, copying->link ? NULL : "COPY");
	/* names are those of the image */
	bool named = copying->owner && copying->owner[strspn(copying->owner, "0123456789:")];

	build_sum_add(hash, copying->to);
	build_sum_add_number(hash, copying->to_folder);
	build_sum_add(hash, copying->owner);
	build_sum_add(hash, copying->mode);
	for (size_t i = 0; i < copying->items.count; i++) {
		const char *name = strrchr(copying->items.items[i].from, '/');
		build_sum_add(hash, name ? name + 1 : copying->items.items[i].from);
		build_sum_add(hash, copying->items.items[i].above);
		build_sum_add_number(hash, copying->items.items[i].archive);
		build_sum_add_bytes(hash, copying->items.items[i].sum, STORAGE_HASH_SIZE);
	}
	return build_step_key_end(copying->step, hash, !copying->link || named);
}

/* ---- copying ---- */

static bool is_folder(int root_fd, const char *path)
{
	own_fd int fd = path_try_open(root_fd, path, O_PATH | O_DIRECTORY, 0);

	return fd >= 0;
}

static int make_folder(int root_fd, const char *path, const struct build_copy_options *options,
		       struct err *e)
{
	own_fd int fd = path_try_open(root_fd, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd >= 0)
		return 0;
	own_fd int made = path_make_dirs(root_fd, path, 0755, e);
	if (made < 0)
		return made;
	if (options->owned && fchownat(made, "", options->uid, options->gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "set the owner of %s", path);
	return 0;
}

/* What is in the cache is not read. */
static int read_tree(const struct copying *copying, struct item *item, struct err *e)
{
	return item->tree.items.count
		       ? 0
		       : build_tree_read(&item->tree, item->fd, item->from, &copying->options, e);
}

static int copy_item(const struct copying *copying, struct item *item,
		     struct build_copy_options *options, struct err *e)
{
	own_free char *below = NULL;
	int unread = read_tree(copying, item, e);

	if (unread < 0)
		return unread;
	const struct build_entry *first = &item->tree.items.items[0];

	own_free char *joined = item->above ? path_join(copying->to, item->above) : NULL;
	own_free char *to = joined ? path_clean(joined) : mem_text(copying->to);
	const char *slash = strrchr(item->from, '/');

	options->from_fd = item->fd;
	options->from = item->from;
	options->to = to;
	if (item->archive)
		return build_archive_unpack(copying->step->build->engine, item->fd, item->from,
					    options->to_fd, to, e);
	bool dir = S_ISDIR(first->mode);
	if (dir && !item->above) {
		int r = make_folder(options->to_fd, to, options, e);
		return r < 0 ? r : build_copy(&item->tree, options, e);
	}
	if (dir || item->above || copying->to_folder || is_folder(options->to_fd, to)) {
		int r = make_folder(options->to_fd, to, options, e);
		if (r < 0)
			return r;
		below = path_join(to, slash ? slash + 1 : item->from);
		options->to = below;
	}
	return build_copy(&item->tree, options, e);
}

/* Where it is copied to. With --link that is nothing but the new layer. */
static int open_target(const struct copying *copying, size_t folder, struct err *e)
{
	struct build *build = copying->step->build;

	if (!copying->link)
		return build_step_open_root(build, copying->step->state, (int)folder, e);
	int fd = fcntl(build->folders.items[folder].fs_fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, "open the layer") : fd;
}

static int find_owner(const struct copying *copying, struct build_copy_options *options,
		      struct err *e)
{
	if (!copying->owner)
		return 0;
	options->owned = true;
	own_fd int root = build_step_open_root(copying->step->build, copying->step->state, -1, e);
	return root < 0 ? root
			: build_owner_find(&options->uid, &options->gid, root, copying->owner, e);
}

static int copy_all(const struct copying *copying, size_t folder, struct err *e)
{
	struct build_copy_options options = { .mode = copying->mode,
					      .stop_fd = copying->step->build->stop.fd };

	int r = find_owner(copying, &options, e);
	if (r < 0)
		return r;
	own_fd int root = open_target(copying, folder, e);
	if (root < 0)
		return root;
	options.to_fd = root;
	for (size_t i = 0; r == 0 && i < copying->items.count; i++)
		r = copy_item(copying, &copying->items.items[i], &options, e);
	return r;
}

static int copy_to_layer(struct copying *copying, char *key, struct err *e)
{
	struct build_step *step = copying->step;
	size_t folder;

	int r = build_step_folder(step->build, &folder, e);
	if (r == 0)
		r = copy_all(copying, folder, e);
	if (r == 0)
		r = fd_remove_tree_at(step->build->folders.items[folder].lock, "work", e);
	if (r < 0) {
		free(key);
		return r;
	}
	return build_step_add(step, folder, key, e);
}

static int prepare(struct copying *copying, const struct strv *words, struct err *e)
{
	struct build_step *step = copying->step;
	own_free char *from = NULL;
	mode_t mode;

	if (words->count < 2)
		return err_set(e, ERR_INVALID, "%s: not SOURCE... DESTINATION",
			       build_file_name(step->at->kind));
	int r = expand_flag(&copying->owner, step, "chown", e);
	if (r == 0)
		r = expand_flag(&copying->mode, step, "chmod", e);
	if (r == 0 && copying->mode)
		r = build_copy_mode(&mode, copying->mode, S_IFREG, e);
	if (r == 0)
		r = expand_flag(&from, step, "from", e);
	if (r == 0)
		r = read_exclude(copying, e);
	copying->link = is_flag_set(step, "link", false);
	if (r == 0)
		r = set_destination(copying, words, e);
	if (r == 0 && needs_root(copying, words))
		r = build_source_open(&copying->source, step, from, e);
	copying->options = (struct build_tree_options){
		.ignore = copying->source.ignore,
		.exclude = &copying->exclude,
		.owners = copying->source.owners,
		.stop_fd = step->build->stop.fd,
		.cache = copying->source.stays ? step->build->engine->store : NULL,
	};
	return r < 0 ? r : read_sources(copying, words, e);
}

int build_step_copy(struct build_step *step, struct err *e)
{
	own_clear(copying_clear) struct copying copying = { .step = step,
							    .source = BUILD_SOURCE_NONE };
	own_clear(strv_clear) struct strv words = { 0 };

	int r = expand_words(&words, step, e);
	if (r == 0)
		r = prepare(&copying, &words, e);
	if (r < 0)
		return r;
	char *key = make_key(&copying);
	if (!build_step_cached(step, key))
		r = copy_to_layer(&copying, key, e);
	if (r == 0)
		build_state_history(step->state, step->at->text, false);
	return r;
}
