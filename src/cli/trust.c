/* `holm image trust show` and `set`: policy.json as a table, and one rule of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "image/policy.h"

struct trust_options {
	bool json;
	bool raw;
	char *policy_path;
	char *type;
	struct strv keys;
};

#define OPTIONS struct trust_options
static const struct option table[] = {
	{ "json", 'j', OPTION_FLAG(json), NULL, "as JSON" },
	{ "policypath", 0, OPTION_STRING(policy_path), "FILE",
	  "this file instead of the one that counts", "file:" },
	{ "raw", 0, OPTION_FLAG(raw), NULL, "the file as it is" },
	{ "pubkeysfile", 'f', OPTION_STRINGS(keys), "FILE",
	  "with set: the public key of who must sign; of several all must", "file:" },
	{ "type", 't', OPTION_STRING(type), "TYPE",
	  "with set: signedBy (if nothing is said), accept or reject", "signedBy|accept|reject" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"transport", "TRANSPORT", "repo_name", "NAME", "type", "TYPE", "keys", "KEYS", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.transport}}\t{{.repo_name}}\t{{.type}}\t{{.keys}}",
	.headers = headers,
	.id = "repo_name",
};

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text));
}

/* podman's words. */
static struct json_object *describe(const struct image_policy_rule *rule,
				    const struct image_policy_requirement *q)
{
	static const char *const types[] = {
		[IMAGE_POLICY_ACCEPT] = "accept",
		[IMAGE_POLICY_REJECT] = "reject",
		[IMAGE_POLICY_SIGNED] = "signed",
		[IMAGE_POLICY_UNSUPPORTED] = "sigstoreSigned",
	};
	struct json_object *row = json_object_new_object();
	own_free char *keys =
		q->key_data ? mem_text("(in the file)") : strv_join(&q->key_paths, ", ");
	bool fallback = !*rule->transport;

	add_text(row, "transport",
		 fallback                               ? "all"
		 : str_equal(rule->transport, "docker") ? "repository"
							: rule->transport);
	add_text(row, "name", fallback ? "* (default)" : rule->scope);
	add_text(row, "repo_name", fallback ? "default" : rule->scope);
	add_text(row, "type", types[q->kind]);
	add_text(row, "keys", keys);
	return row;
}

static struct json_object *make_rows(const struct image_policy *policy)
{
	struct json_object *rows = json_object_new_array();
	struct image_policy_rule rule;

	for (size_t i = 0; image_policy_rule(&rule, policy, i); i++)
		for (size_t k = 0; k < rule.requirements->items.count; k++)
			json_object_array_add(rows,
					      describe(&rule, &rule.requirements->items.items[k]));
	return rows;
}

static int show(const struct image_policy *policy, bool json, struct err *e)
{
	own_json struct json_object *rows = make_rows(policy);

	if (!json)
		return cli_format_rows(&list, rows, NULL, false, e);
	cli_format_pretty(rows);
	return 0;
}

static int run_show(const struct trust_options *o, struct err *e)
{
	own(image_policy_free) struct image_policy *policy = NULL;
	own_clear(str_clear) struct str text = { 0 };
	own_free char *file = NULL;

	int r = image_policy_read(&text, &file, o->policy_path, e);
	if (r < 0)
		return r;
	if (!file) {
		err_set(e, ERR_NOT_FOUND, "there is no policy.json: every image is accepted");
		return err_hint(e,
				"/etc/containers/policy.json or ~/.config/containers/policy.json");
	}
	r = image_policy_parse(&policy, text.text ? text.text : "", text.length, file, e);
	if (r < 0)
		return r;
	if (!o->raw)
		return show(policy, o->json, e);
	fwrite(text.text, 1, text.length, stdout);
	return 0;
}

/* ---- set ---- */

static enum image_policy_kind kind_of(const char *type)
{
	return !type || str_equal(type, "signedBy") ? IMAGE_POLICY_SIGNED
	       : str_equal(type, "accept")          ? IMAGE_POLICY_ACCEPT
						    : IMAGE_POLICY_REJECT;
}

/* What policy.json compares with names of images: a host, and how much of the path one likes. Names
 * without a host are docker.io's there, too. */
static int check_scope(const char *scope, struct err *e)
{
	size_t host = strcspn(scope, "/");

	if (str_equal(scope, "default"))
		return 0;
	if (!host || scope[strlen(scope) - 1] == '/' || strstr(scope, "//") ||
	    scope[strcspn(scope, " \t\n?#")])
		return err_set(e, ERR_INVALID,
			       "'%s' is neither \"default\" nor a registry or a part of one",
			       scope);
	if (strcspn(scope, ".:") < host ||
	    (host == strlen("localhost") && strncmp(scope, "localhost", host) == 0))
		return 0;
	err_set(e, ERR_INVALID, "'%s' does not begin with the host of a registry", scope);
	return err_hint(e, "docker.io/library/%s is the whole name of such an image", scope);
}

static int find_keys(struct strv *to, const struct strv *files, struct err *e)
{
	for (size_t i = 0; i < files->count; i++) {
		own_free char *path = realpath(files->items[i], NULL);
		if (!path || access(path, R_OK) < 0)
			return err_sys(e, "--pubkeysfile %s", files->items[i]);
		strv_add(to, path);
	}
	return 0;
}

static int run_set(const struct trust_options *o, const char *scope, struct err *e)
{
	own_clear(strv_clear) struct strv keys = { 0 };
	enum image_policy_kind kind = kind_of(o->type);

	if (o->json || o->raw)
		return err_set(e, ERR_INVALID, "--json and --raw are for show");
	int r = check_scope(scope, e);
	if (r == 0)
		r = find_keys(&keys, &o->keys, e);
	if (r < 0)
		return r;
	if (kind == IMAGE_POLICY_SIGNED && !keys.count)
		return err_set(e, ERR_INVALID, "--type signedBy needs --pubkeysfile FILE");
	if (kind != IMAGE_POLICY_SIGNED && keys.count)
		return err_set(e, ERR_INVALID, "--type %s and --pubkeysfile exclude each other",
			       o->type);
	return image_policy_edit(o->policy_path, scope, kind, &keys, e);
}

static int run(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct trust_options *o = options;
	bool set = str_equal(args->items[0], "set");

	(void)cli;
	if (!set && !str_equal(args->items[0], "show"))
		return err_set(e, ERR_INVALID, "'%s' is not understood: show or set is",
			       args->items[0]);
	if (set && args->count != 2)
		return err_set(e, ERR_INVALID, "set takes a REGISTRY, or default");
	if (set)
		return run_set(o, args->items[1], e);
	if (args->count > 1 || o->type || o->keys.count)
		return err_set(e, ERR_INVALID,
			       "show takes no REGISTRY, and no --type and --pubkeysfile");
	return run_show(o, e);
}

const struct cli_command cli_trust = {
	.names = "image trust",
	.section = "Images",
	.arguments = "[OPTIONS] show|set [REGISTRY]",
	.summary = "Show or set which images policy.json accepts, and signed by whom",
	.options = table,
	.size = sizeof(struct trust_options),
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
