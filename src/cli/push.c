/* `holm push`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/own.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "cli/registry_options.h"
#include "engine/event.h"
#include "engine/image.h"
#include "image/command.h"
#include "image/reference.h"

/* A request for each byte is no way to send a layer. */
enum { CHUNK_MIN = 64 << 10 };

struct push_options {
	struct cli_registry_options registry;
	char *digest_file;
	char *chunk_size;
	char *platform;
	bool all_tags;
	bool quiet;
};

#define OPTIONS struct push_options
static const struct option table[] = {
	{ "all-tags", 'a', OPTION_FLAG(all_tags), NULL, "every tag of the name" },
	CLI_REGISTRY_OPTIONS,
	{ "chunk-size", 0, OPTION_STRING(chunk_size), "SIZE",
	  "send layers in requests of this size, as in 16m, where one is too long" },
	{ "digestfile", 0, OPTION_STRING(digest_file), "FILE",
	  "write the digest of the manifest there", "file:" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH",
	  "of a list of manifests this image alone, without the list" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the name alone" },
	{ 0 },
};
#undef OPTIONS

struct answer {
	struct engine *engine;
	const struct push_options *options;
	char digest[IMAGE_DIGEST_SIZE]; /* of the last one; "" */
};

/* "1: digest: sha256:... size: 527", as docker has it. */
static void print_pushed(void *arg, const struct image_progress *image)
{
	struct answer *answer = arg;
	const char *colon = strrchr(image->text, ':');

	snprintf(answer->digest, sizeof(answer->digest), "%s", image->digest);
	if (answer->options->quiet)
		cli_print_clean(stdout, image->text);
	else {
		cli_print_clean(stdout, colon ? colon + 1 : image->text);
		printf(": digest: %s size: %lld", image->digest, (long long)image->total);
	}
	putchar('\n');
	fflush(stdout);
	engine_event_image(answer->engine, "push", NULL, image->text);
}

static int write_digest(const struct answer *answer, struct err *e)
{
	const char *file = answer->options->digest_file;

	if (!file || !*answer->digest)
		return 0;
	return fd_write_file_at(AT_FDCWD, file, answer->digest, strlen(answer->digest), 0644, e);
}

static int add_chunk_size(const struct push_options *o, struct strv *to, struct err *e)
{
	int64_t bytes;

	if (!o->chunk_size)
		return 0;
	int r = number_parse_bytes(&bytes, o->chunk_size, e);
	if (r == 0 && bytes < CHUNK_MIN)
		r = err_set(e, ERR_INVALID, "%s is less than 64k", o->chunk_size);
	if (r < 0)
		return err_add(e, "--chunk-size");
	strv_addf(to, "--chunk-size=%lld", (long long)bytes);
	return 0;
}

/* An image and where it goes. For a platform the image is named by its digest, so that it goes
 * alone, and to the name that was given. */
static int add_operands(struct cli *cli, const struct push_options *o, const struct strv *args,
			struct strv *to, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_free char *reference = NULL;

	strv_add(to, "--");
	if (!o->platform) {
		strv_add_all(to, args);
		return 0;
	}
	if (o->all_tags)
		return err_set(e, ERR_INVALID, "--platform and --all-tags exclude each other");
	int r = engine_image_find_for(cli->engine, args->items[0], o->platform, &image, &reference,
				      e);
	if (r < 0)
		return r;
	strv_add(to, image.digest);
	strv_add(to, args->count > 1 ? args->items[1] : reference ? reference : args->items[0]);
	return 0;
}

static int run_push(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct push_options *o = options;
	own_clear(strv_clear) struct strv arguments = { 0 };
	struct answer answer = { .options = o };

	int r = cli_archive_arguments(cli, "push", &arguments, e);
	answer.engine = cli->engine;
	if (r == 0)
		r = cli_registry_options_pass(&o->registry, &arguments, e);
	if (r < 0)
		return r;
	if (o->all_tags)
		strv_add(&arguments, "--all-tags");
	r = add_chunk_size(o, &arguments, e);
	if (r == 0)
		r = add_operands(cli, o, args, &arguments, e);
	if (r < 0)
		return r;
	r = image_command_run_each(print_pushed, &answer, &arguments,
				   o->quiet ? IMAGE_SHOW_NOTHING : IMAGE_SHOW_PROGRESS, e);
	return r < 0 ? r : write_digest(&answer, e);
}

static void push_defaults(void *options)
{
	cli_registry_options_defaults(&((struct push_options *)options)->registry);
}

const struct cli_command cli_push = {
	.names = "push|image push",
	.section = "Images",
	.arguments = "[OPTIONS] NAME[:TAG] [DESTINATION]",
	.summary = "Send an image to a registry",
	.options = table,
	.size = sizeof(struct push_options),
	.args_min = 1,
	.args_max = 2,
	.values = "image:",
	.defaults = push_defaults,
	.run = run_push,
};
