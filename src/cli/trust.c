/* `holm image trust show`: policy.json as a table. */
#include <stdio.h>

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
};

#define OPTIONS struct trust_options
static const struct option table[] = {
	{ "json", 'j', OPTION_FLAG(json), NULL, "as JSON" },
	{ "policypath", 0, OPTION_STRING(policy_path), "FILE",
	  "this file instead of the one that counts", "file:" },
	{ "raw", 0, OPTION_FLAG(raw), NULL, "the file as it is" },
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

static int run_show(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct trust_options *o = options;
	own(image_policy_free) struct image_policy *policy = NULL;
	own_clear(str_clear) struct str text = { 0 };
	own_free char *file = NULL;

	(void)cli;
	if (!str_equal(args->items[0], "show"))
		return err_set(e, ERR_INVALID, "'%s' is not understood: only show is",
			       args->items[0]);
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

const struct cli_command cli_trust = {
	.names = "image trust",
	.section = "Images",
	.arguments = "show [OPTIONS]",
	.summary = "Show which images policy.json accepts, and signed by whom",
	.options = table,
	.size = sizeof(struct trust_options),
	.args_min = 1,
	.args_max = 1,
	.run = run_show,
};
