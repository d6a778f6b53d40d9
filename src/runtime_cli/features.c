/* features.c - `features`: what this runtime can do, as JSON (runtime-spec v1.3 features.md). The
 * words come from the tables that read them, so that it tells the truth. */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/capability.h"
#include "runtime/memory_policy.h"
#include "runtime/mount_option.h"
#include "runtime/namespace.h"
#include "runtime/seccomp.h"
#include "runtime/word.h"
#include "runtime_cli/command.h"

/* ---- pieces ---- */

static struct json_object *array(const struct strv *words)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < words->count; i++)
		json_object_array_add(array, json_object_new_string(words->items[i]));
	return array;
}

static struct json_object *words(const struct runtime_word *table)
{
	struct json_object *array = json_object_new_array();

	for (; table->word; table++)
		json_object_array_add(array, json_object_new_string(table->word));
	return array;
}

static struct json_object *literal(const char *text)
{
	return json_tokener_parse(text);
}

static struct json_object *enabled(void)
{
	return literal("{\"enabled\": true}");
}

/* ---- linux ---- */

static struct json_object *namespaces(void)
{
	own_clear(strv_clear) struct strv names = { 0 };
	const struct runtime_namespaces all = { .own = ~(uint64_t)0 };

	runtime_namespace_names(&names, &all);
	return array(&names);
}

static struct json_object *capabilities(void)
{
	own_clear(strv_clear) struct strv names = { 0 };

	runtime_capability_names(&names, ~(uint64_t)0);
	return array(&names);
}

static struct json_object *seccomp(void)
{
	own_clear(runtime_seccomp_names_clear) struct runtime_seccomp_names names = { 0 };
	struct json_object *object = enabled();

	runtime_seccomp_names(&names);
	json_object_object_add(object, "actions", array(&names.actions));
	json_object_object_add(object, "operators", array(&names.operators));
	json_object_object_add(object, "archs", array(&names.architectures));
	json_object_object_add(object, "knownFlags", array(&names.flags));
	json_object_object_add(object, "supportedFlags", array(&names.kernel_flags));
	return object;
}

static struct json_object *memory_policy(void)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "modes", words(runtime_memory_policy_modes));
	json_object_object_add(object, "flags", words(runtime_memory_policy_flags));
	return object;
}

static struct json_object *linux_features(void)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "namespaces", namespaces());
	json_object_object_add(object, "capabilities", capabilities());
	json_object_object_add(object, "cgroup",
			       literal("{\"v1\": true, \"v2\": true, \"systemd\": true,"
				       " \"systemdUser\": true, \"rdma\": true}"));
	json_object_object_add(object, "seccomp", seccomp());
	json_object_object_add(object, "apparmor", enabled());
	json_object_object_add(object, "selinux", enabled());
	json_object_object_add(object, "intelRdt",
			       literal("{\"enabled\": true, \"schemata\": true,"
				       " \"monitoring\": true}"));
	json_object_object_add(object, "memoryPolicy", memory_policy());
	json_object_object_add(object, "mountExtensions",
			       literal("{\"idmap\": {\"enabled\": true}}"));
	json_object_object_add(object, "netDevices", enabled());
	return object;
}

/* ---- the whole ---- */

static struct json_object *mount_options(void)
{
	own_clear(strv_clear) struct strv names = { 0 };

	runtime_mount_options_names(&names);
	return array(&names);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_json struct json_object *features = json_object_new_object();
	(void)cli;
	(void)options;
	(void)args;
	(void)e;

	json_object_object_add(features, "ociVersionMin", json_object_new_string("1.0.0"));
	json_object_object_add(features, "ociVersionMax",
			       json_object_new_string(OCI_RUNTIME_SPEC_VERSION));
	json_object_object_add(features, "hooks",
			       literal("[\"prestart\", \"createRuntime\", \"createContainer\","
				       " \"startContainer\", \"poststart\", \"poststop\"]"));
	json_object_object_add(features, "mountOptions", mount_options());
	json_object_object_add(features, "linux", linux_features());
	json_object_object_add(features, "annotations",
			       literal("{\"org.opencontainers.runc.checkpoint.enabled\": \"true\","
				       " \"run.oci.crun.checkpoint.enabled\": \"true\"}"));
	json_object_object_add(
		features, "potentiallyUnsafeConfigAnnotations",
		literal("[\"org.criu.config\", \"org.systemd.property.\", \"run.oci.\","
			" \"org.holm.\"]"));
	puts(json_object_to_json_string_ext(features, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

const struct runtime_cli_command runtime_cli_features = {
	.name = "features",
	.arguments = "",
	.summary = "print what this runtime can do, as JSON",
	.run = run,
};
