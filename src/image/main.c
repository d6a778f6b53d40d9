/* main.c - holm-image: everything that touches the network or parses archives, in a process of its
 * own, which gives up what it does not need before the first byte from outside.
 *
 *	holm-image VERB [OPTION...] OPERAND...
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "image/allow.h"
#include "image/build.h"
#include "image/cache.h"
#include "image/command.h"
#include "image/commit.h"
#include "image/copy.h"
#include "image/fetch_url.h"
#include "image/foreign.h"
#include "image/import.h"
#include "image/invocation.h"
#include "image/list.h"
#include "image/load.h"
#include "image/login.h"
#include "image/pull.h"
#include "image/push.h"
#include "image/report.h"
#include "image/save.h"
#include "image/search.h"
#include "image/sign_check.h"
#include "image/source.h"
#include "image/stored.h"
#include "image/stream.h"
#include "image/template.h"
#include "image/verify.h"
#include "image/volume.h"
#include "storage/store.h"

struct options {
	const char *root, *run, *platform, *auth_file, *message, *mirror;
	char *credentials; /* of the environment: nobody else is to see them */
	struct strv changes;
	struct oci_id_map ids;
	struct strv left_out;
	int progress_fd, folder_fd, request_fd;
	int64_t chunk;
	bool quiet, debug, no_verify, all_tags, all, amend, purge, whole, without_root,
		docker_types;
};

static const struct option long_options[] = {
	{ "root", required_argument, NULL, 'R' },
	{ "run", required_argument, NULL, 'S' },
	{ "platform", required_argument, NULL, 'p' },
	{ "progress-fd", required_argument, NULL, 'f' },
	{ "authfile", required_argument, NULL, 'a' },
	{ "message", required_argument, NULL, 'm' },
	{ "mirror", required_argument, NULL, 'i' },
	{ "change", required_argument, NULL, 'c' },
	{ "no-tls-verify", no_argument, NULL, 'n' },
	{ "chunk-size", required_argument, NULL, 'C' },
	{ "all-tags", no_argument, NULL, 'A' },
	{ "all", no_argument, NULL, 'E' },
	{ "amend", no_argument, NULL, 'M' },
	{ "purge", no_argument, NULL, 'P' },
	{ "folder-fd", required_argument, NULL, 'F' },
	{ "request-fd", required_argument, NULL, 'Q' },
	{ "leave-out", required_argument, NULL, 'l' },
	{ "map-uid", required_argument, NULL, 'u' },
	{ "map-gid", required_argument, NULL, 'g' },
	{ "without-root", no_argument, NULL, 'W' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "debug", no_argument, NULL, 'd' },
	{ "docker-types", no_argument, NULL, 'D' },
	{ "whole", no_argument, NULL, 'w' },
	{ 0 },
};

static int one_operand(const struct image_invocation *invocation, struct err *e)
{
	if (invocation->count == 1)
		return 0;
	return err_set(e, ERR_INVALID, "expected the name of one image");
}

static int pull_path(const struct image_invocation *invocation, const char *transport,
		     const char *path, struct err *e)
{
	int r = image_allow_path(transport, path, NULL, e);

	if (r < 0)
		return r;
	struct image_import import = {
		.store = invocation->store,
		.report = invocation->report,
		.path = path,
	};

	return image_import(&import, e);
}

static int pull_registry(const struct image_invocation *invocation, const char *name, struct err *e)
{
	struct image_pull pull = {
		.store = invocation->store,
		.report = invocation->report,
		.platform = &invocation->platform,
		.access = &invocation->access,
		.whole = invocation->whole,
		.all_tags = invocation->all_tags,
	};

	return image_pull(&pull, name, e);
}

/* Whatever a name may mean becomes an image of the store. */
static int verb_pull(const struct image_invocation *invocation, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	int r = one_operand(invocation, e);

	if (r == 0)
		r = image_source_parse(&source, invocation->operands[0], e);
	if (r == 0 && invocation->all_tags && source.transport != IMAGE_FROM_REGISTRY)
		r = err_set(e, ERR_INVALID, "--all-tags: only a registry has tags");
	if (r < 0)
		return r;
	switch (source.transport) {
	case IMAGE_FROM_REGISTRY:
		return pull_registry(invocation, source.name, e);
	case IMAGE_FROM_DIR:
		return pull_path(invocation, "dir", source.path, e);
	case IMAGE_FROM_TAR:
		return pull_path(invocation, "tar", source.path, e);
	case IMAGE_FROM_DISK:
		return err_set(e, ERR_UNSUPPORTED, "a disk image is no image that could be stored");
	case IMAGE_FROM_TEMPLATE:
		return image_template(invocation, source.path, e);
	default:
		return image_load_verb(invocation, e);
	}
}

static const struct verb {
	const char *name;
	image_verb *run;
} verbs[] = {
	{ "pull", verb_pull },
	{ "push", image_push_verb },
	{ "copy", image_copy_verb },
	{ "list", image_list_verb },
	{ "load", image_load_verb },
	{ "login", image_login_verb },
	{ "save", image_save_verb },
	{ "search", image_search_verb },
	{ "sign-check", image_sign_check_verb },
	{ "import", image_import_verb },
	{ "check", image_verify_verb },
	{ "foreign", image_foreign_verb },
	{ "mend", image_verify_mend_verb },
	{ "volume-export", image_volume_export_verb },
	{ "volume-import", image_volume_import_verb },
	{ "pack", image_stream_pack_verb },
	{ "unpack", image_stream_unpack_verb },
	{ "unpack-check", image_stream_unpack_check_verb },
	{ "pack-layer", image_stream_pack_layer_verb },
	{ "unpack-layer", image_stream_unpack_layer_verb },
	{ "build", image_build_verb },
	{ "cache", image_cache_verb },
	{ "commit", image_commit_verb },
	{ "fetch", image_fetch_url_verb },
	{ "restore", image_stored_restore_verb },
};

static int take_fd_number(int *to, const char *name, struct err *e)
{
	uint64_t fd;
	int r = number_parse_u64(&fd, optarg, 1 << 20, e);

	if (r < 0)
		return err_add(e, "%s", name);
	*to = (int)fd;
	return 0;
}

static const struct member {
	int option;
	size_t offset;
} texts[] = {
	{ 'R', offsetof(struct options, root) },      { 'S', offsetof(struct options, run) },
	{ 'p', offsetof(struct options, platform) },  { 'a', offsetof(struct options, auth_file) },
	{ 'm', offsetof(struct options, message) },   { 'i', offsetof(struct options, mirror) },
}, flags[] = {
	{ 'n', offsetof(struct options, no_verify) }, { 'E', offsetof(struct options, all) },
	{ 'M', offsetof(struct options, amend) },     { 'P', offsetof(struct options, purge) },
	{ 'A', offsetof(struct options, all_tags) },  { 'q', offsetof(struct options, quiet) },
	{ 'd', offsetof(struct options, debug) },     { 'w', offsetof(struct options, whole) },
	{ 'W', offsetof(struct options, without_root) },
	{ 'D', offsetof(struct options, docker_types) },
};

static void *find_member(struct options *options, const struct member *members, size_t count,
			 int option)
{
	for (size_t i = 0; i < count; i++)
		if (members[i].option == option)
			return (char *)options + members[i].offset;
	return NULL;
}

static int take_option(struct options *options, int option, struct err *e)
{
	const char **text = find_member(options, texts, COUNT_OF(texts), option);
	bool *flag = find_member(options, flags, COUNT_OF(flags), option);

	if (text)
		*text = optarg;
	if (flag)
		*flag = true;
	if (text || flag)
		return 0;
	switch (option) {
	case 'c':
		strv_add(&options->changes, optarg);
		return 0;
	case 'l':
		strv_add(&options->left_out, optarg);
		return 0;
	case 'f':
		return take_fd_number(&options->progress_fd, "--progress-fd", e);
	case 'F':
		return take_fd_number(&options->folder_fd, "--folder-fd", e);
	case 'Q':
		return take_fd_number(&options->request_fd, "--request-fd", e);
	case 'C':
		return number_parse_i64(&options->chunk, optarg, 0, INT64_MAX, e);
	case 'u':
		return oci_id_map_parse(&options->ids.uids, optarg, e);
	case 'g':
		return oci_id_map_parse(&options->ids.gids, optarg, e);
	default:
		return err_set(e, ERR_INVALID, "unknown option");
	}
}

static int parse_options(struct options *options, int argc, char **argv, struct err *e)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+q", long_options, NULL)) >= 0) {
		if (option == '?')
			return err_set(e, ERR_INVALID, "option %.100s: unknown, or without value",
				       argv[optind - 1]);
		int r = take_option(options, option, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run(const struct verb *verb, const struct options *options, struct image_report *report,
	       char **operands, struct err *e)
{
	own(store_close) struct store *store = NULL;
	own_clear(oci_platform_clear) struct oci_platform platform = { 0 };

	if (oci_platform_parse(&platform, options->platform, e) < 0)
		return err_add(e, "--platform");
	int r = store_open(&store, options->root, options->run, e);
	if (r < 0)
		return r;
	struct image_invocation invocation = {
		.store = store,
		.report = report,
		.platform = platform,
		.access = { options->auth_file, options->credentials, options->no_verify },
		.all_tags = options->all_tags,
		.chunk = options->chunk,
		.all = options->all,
		.amend = options->amend,
		.purge = options->purge,
		.message = options->message,
		.mirror = options->mirror,
		.whole = options->whole,
		.changes = options->changes,
		.folder_fd = options->folder_fd,
		.request_fd = options->request_fd,
		.left_out = options->left_out,
		.ids = options->ids,
		.without_root = options->without_root,
		.docker_types = options->docker_types,
		.operands = operands,
	};
	while (operands[invocation.count])
		invocation.count++;
	return verb->run(&invocation, e);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int usage(void)
{
	fputs("usage: holm-image VERB [--root DIR] [--run DIR] [--platform OS/ARCH[/VARIANT]]\n"
	      "                  [--authfile FILE] [--progress-fd N] [--quiet] [--debug] "
	      "OPERAND...\n"
	      "verbs:",
	      stderr);
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		fprintf(stderr, " %s", verbs[i].name);
	fputs("\n", stderr);
	return 125;
}

int main(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	struct options options = { .progress_fd = -1, .folder_fd = -1, .request_fd = -1 };
	struct err e = { 0 };

	if (!verb)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	options.credentials = mem_text(getenv(IMAGE_COMMAND_CREDENTIALS));
	unsetenv(IMAGE_COMMAND_CREDENTIALS);
	int r = parse_options(&options, argc - 1, argv + 1, &e);
	if (options.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (options.progress_fd >= 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a parent that died wants nothing any more */
	own(image_report_free) struct image_report *report =
		image_report_new(options.progress_fd, options.quiet);
	if (r == 0)
		r = run(verb, &options, report, argv + 1 + optind, &e);
	strv_clear(&options.changes);
	free(options.credentials);
	strv_clear(&options.left_out);
	free(options.ids.uids.items);
	free(options.ids.gids.items);
	if (r == 0)
		return 0;
	image_report_error(report, &e);
	return err_exit_status(&e);
}
