#include "runtime/landlock_policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/strv.h"

/* uapi/linux/landlock.h of Linux 6.18 */
struct right {
	const char *name;
	uint64_t bit;
	int abi;      /* the first one that has it */
	bool of_file; /* means something for a file that is no folder */
};

static const struct right fs_rights[] = {
	{ "execute", 1 << 0, 1, true },
	{ "write_file", 1 << 1, 1, true },
	{ "read_file", 1 << 2, 1, true },
	{ "read_dir", 1 << 3, 1, false },
	{ "remove_dir", 1 << 4, 1, false },
	{ "remove_file", 1 << 5, 1, false },
	{ "make_char", 1 << 6, 1, false },
	{ "make_dir", 1 << 7, 1, false },
	{ "make_reg", 1 << 8, 1, false },
	{ "make_sock", 1 << 9, 1, false },
	{ "make_fifo", 1 << 10, 1, false },
	{ "make_block", 1 << 11, 1, false },
	{ "make_sym", 1 << 12, 1, false },
	{ "refer", 1 << 13, 2, false },
	{ "truncate", 1 << 14, 3, true },
	{ "ioctl_dev", 1 << 15, 5, true },
	{ 0 },
};

static const struct right net_rights[] = {
	{ "bind_tcp", 1 << 0, 4, false },
	{ "connect_tcp", 1 << 1, 4, false },
	{ 0 },
};

static const struct right scopes[] = {
	{ "abstract_unix_socket", 1 << 0, 6, false },
	{ "signal", 1 << 1, 6, false },
	{ 0 },
};

static const struct right restrict_flags[] = {
	{ "log_same_exec_off", 1 << 0, 7, false },
	{ "log_new_exec_on", 1 << 1, 7, false },
	{ "log_subdomains_off", 1 << 2, 7, false },
	{ 0 },
};

/* ---- the annotation ---- */

struct policy_rule {
	struct strv allowed;
	struct strv paths;
	struct shape_u32s ports;
};

struct policy_ruleset {
	struct strv fs, net, scoped;
};

struct policy_rules {
	SHAPE_LIST_OF(struct policy_rule) paths;
	SHAPE_LIST_OF(struct policy_rule) ports;
};

struct policy {
	struct policy_ruleset ruleset;
	struct policy_rules rules;
	struct strv flags;
	int64_t *abi;
	bool strict;
};

static const struct shape path_shape = {
	sizeof(struct policy_rule),
	(const struct shape_field[]){
		{ "allowedAccess", SHAPE_STRINGS, offsetof(struct policy_rule, allowed) },
		{ "paths", SHAPE_STRINGS, offsetof(struct policy_rule, paths) },
		{ 0 },
	},
};

static const struct shape port_shape = {
	sizeof(struct policy_rule),
	(const struct shape_field[]){
		{ "allowedAccess", SHAPE_STRINGS, offsetof(struct policy_rule, allowed) },
		{ "ports", SHAPE_U32S, offsetof(struct policy_rule, ports) },
		{ 0 },
	},
};

static const struct shape ruleset_shape = {
	sizeof(struct policy_ruleset),
	(const struct shape_field[]){
		{ "handledAccessFS", SHAPE_STRINGS, offsetof(struct policy_ruleset, fs) },
		{ "handledAccessNet", SHAPE_STRINGS, offsetof(struct policy_ruleset, net) },
		{ "scoped", SHAPE_STRINGS, offsetof(struct policy_ruleset, scoped) },
		{ 0 },
	},
};

static const struct shape rules_shape = {
	sizeof(struct policy_rules),
	(const struct shape_field[]){
		{ "pathBeneath", SHAPE_LIST, offsetof(struct policy_rules, paths), &path_shape },
		{ "netPort", SHAPE_LIST, offsetof(struct policy_rules, ports), &port_shape },
		{ 0 },
	},
};

static const struct shape policy_shape = {
	sizeof(struct policy),
	(const struct shape_field[]){
		{ "ruleset", SHAPE_OBJECT, offsetof(struct policy, ruleset), &ruleset_shape },
		{ "rules", SHAPE_OBJECT, offsetof(struct policy, rules), &rules_shape },
		{ "flags", SHAPE_STRINGS, offsetof(struct policy, flags) },
		{ "abi", SHAPE_OPTIONAL_INT, offsetof(struct policy, abi) },
		{ "disableBestEffort", SHAPE_BOOL, offsetof(struct policy, strict) },
		{ 0 },
	},
};

static void policy_clear(struct policy *policy)
{
	shape_clear(&policy_shape, policy);
}

/* ---- names to bits ---- */

struct reader {
	int abi;
	bool strict;
	bool reduced; /* something was left out */
};

static const struct right *find_right(const struct right *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static int read_rights(struct reader *reader, uint64_t *ret, const struct right *table,
		       const struct strv *names, const char *member, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct right *right = find_right(table, names->items[i]);
		if (!right)
			return err_set(e, ERR_INVALID, "%s '%s' is unknown", member,
				       names->items[i]);
		if (right->abi <= reader->abi)
			*ret |= right->bit;
		else if (reader->strict)
			return err_set(e, ERR_UNSUPPORTED,
				       "%s '%s' takes Landlock's ABI %d, this kernel has %d",
				       member, right->name, right->abi, reader->abi);
		else
			reader->reduced = true;
	}
	return 0;
}

static int read_ruleset(struct reader *reader, struct runtime_landlock_policy *ret,
			const struct policy *p, struct err *e)
{
	uint64_t flags = 0;

	if (!p->ruleset.fs.count && !p->ruleset.net.count && !p->ruleset.scoped.count)
		return err_set(e, ERR_INVALID, "ruleset handles nothing");
	int r = read_rights(reader, &ret->handled_fs, fs_rights, &p->ruleset.fs,
			    "ruleset.handledAccessFS", e);
	if (r == 0)
		r = read_rights(reader, &ret->handled_net, net_rights, &p->ruleset.net,
				"ruleset.handledAccessNet", e);
	if (r == 0)
		r = read_rights(reader, &ret->scoped, scopes, &p->ruleset.scoped, "ruleset.scoped",
				e);
	if (r == 0)
		r = read_rights(reader, &flags, restrict_flags, &p->flags, "flags", e);
	ret->flags = (uint32_t)flags;
	return r;
}

/* The kernel refuses to allow what is not handled. */
static int read_allowed(struct reader *reader, uint64_t *ret, const struct right *table,
			uint64_t handled, const struct strv *names, const char *member,
			struct err *e)
{
	*ret = 0;
	int r = read_rights(reader, ret, table, names, member, e);
	if (r == 0 && names->count == 0)
		return err_set(e, ERR_INVALID, "%s is empty", member);
	if (r == 0 && (*ret & ~handled))
		return err_set(e, ERR_INVALID, "%s is more than what the ruleset handles", member);
	return r;
}

static int read_paths(struct reader *reader, struct runtime_landlock_policy *ret,
		      const struct policy *p, struct err *e)
{
	for (size_t i = 0; i < p->rules.paths.count; i++) {
		const struct policy_rule *rule = &p->rules.paths.items[i];
		uint64_t allowed;
		int r = read_allowed(reader, &allowed, fs_rights, ret->handled_fs, &rule->allowed,
				     "rules.pathBeneath.allowedAccess", e);
		if (r < 0)
			return r;
		ret->paths = mem_resize(ret->paths, ret->paths_count + rule->paths.count + 1,
					sizeof(*ret->paths));
		for (size_t j = 0; j < rule->paths.count; j++)
			ret->paths[ret->paths_count++] = (struct runtime_landlock_path){
				allowed,
				mem_text(rule->paths.items[j]),
			};
	}
	return 0;
}

static int read_ports(struct reader *reader, struct runtime_landlock_policy *ret,
		      const struct policy *p, struct err *e)
{
	for (size_t i = 0; i < p->rules.ports.count; i++) {
		const struct policy_rule *rule = &p->rules.ports.items[i];
		uint64_t allowed;
		int r = read_allowed(reader, &allowed, net_rights, ret->handled_net, &rule->allowed,
				     "rules.netPort.allowedAccess", e);
		if (r < 0)
			return r;
		ret->ports = mem_resize(ret->ports, ret->ports_count + rule->ports.count + 1,
					sizeof(*ret->ports));
		for (size_t j = 0; j < rule->ports.count; j++) {
			if (rule->ports.items[j] > UINT16_MAX)
				return err_set(e, ERR_INVALID, "rules.netPort.ports: %u is no port",
					       rule->ports.items[j]);
			ret->ports[ret->ports_count++] =
				(struct runtime_landlock_port){ allowed, rule->ports.items[j] };
		}
	}
	return 0;
}

static int read_policy(struct runtime_landlock_policy *ret, const struct policy *p, int abi,
		       struct err *e)
{
	struct reader reader = { .abi = abi, .strict = p->strict };

	if (p->abi && *p->abi > abi)
		return err_set(e, ERR_UNSUPPORTED,
			       "Landlock's ABI %lld is asked for, this kernel has %d",
			       (long long)*p->abi, abi);
	int r = read_ruleset(&reader, ret, p, e);
	if (r == 0)
		r = read_paths(&reader, ret, p, e);
	if (r == 0)
		r = read_ports(&reader, ret, p, e);
	if (r == 0 && reader.reduced)
		log_warning("org.holm.landlock: this kernel has Landlock's ABI %d only; what it "
			    "does not know is left out",
			    abi);
	return r;
}

int runtime_landlock_policy_read(struct runtime_landlock_policy *ret, const char *text, int abi,
				 struct err *e)
{
	own_clear(policy_clear) struct policy policy = { 0 };
	own_json struct json_object *object = NULL;

	int r = json_parse(&object, text, strlen(text), "it", e);
	if (r == 0)
		r = shape_read(&policy_shape, object, &policy, e);
	if (r == 0)
		r = read_policy(ret, &policy, abi, e);
	return r < 0 ? err_add(e, "org.holm.landlock") : 0;
}

void runtime_landlock_policy_clear(struct runtime_landlock_policy *policy)
{
	for (size_t i = 0; i < policy->paths_count; i++)
		free(policy->paths[i].path);
	free(policy->paths);
	free(policy->ports);
	*policy = (struct runtime_landlock_policy){ 0 };
}

uint64_t runtime_landlock_policy_of_file(uint64_t access)
{
	uint64_t all = 0;

	for (const struct right *right = fs_rights; right->name; right++)
		all |= right->of_file ? right->bit : 0;
	return access & all;
}
