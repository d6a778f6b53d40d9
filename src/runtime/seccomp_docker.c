/* Docker's profile format (moby/profiles, seccomp/seccomp.go): OCI's, with rules that hold only
 * for some capabilities, architectures and kernels, and an archMap instead of a list. */
#include <string.h>
#include <sys/utsname.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/capability.h"
#include "runtime/seccomp.h"

struct docker_filter {
	struct strv caps;
	struct strv arches; /* Go's names: "amd64" */
	char *min_kernel;   /* "4.8" */
};

struct docker_call {
	char *name; /* the oldest form: one name */
	struct strv names;
	char *action;
	uint64_t *errno_ret;
	SHAPE_LIST_OF(struct oci_seccomp_arg) args;
	struct docker_filter includes;
	struct docker_filter excludes;
};

struct docker_arch {
	char *architecture;
	struct strv sub_architectures;
};

struct docker_profile {
	char *default_action;
	uint64_t *default_errno_ret;
	struct strv architectures;
	SHAPE_LIST_OF(struct docker_arch) arch_map;
	struct strv flags;
	char *listener_path;
	char *listener_metadata;
	SHAPE_LIST_OF(struct docker_call) calls;
};

static const struct shape filter_shape = {
	sizeof(struct docker_filter),
	(const struct shape_field[]){
		{ "caps", SHAPE_STRINGS, offsetof(struct docker_filter, caps) },
		{ "arches", SHAPE_STRINGS, offsetof(struct docker_filter, arches) },
		{ "minKernel", SHAPE_STRING, offsetof(struct docker_filter, min_kernel) },
		{ 0 },
	},
};

static const struct shape arg_shape = {
	sizeof(struct oci_seccomp_arg),
	(const struct shape_field[]){
		{ "index", SHAPE_U32, offsetof(struct oci_seccomp_arg, index) },
		{ "value", SHAPE_UINT, offsetof(struct oci_seccomp_arg, value) },
		{ "valueTwo", SHAPE_UINT, offsetof(struct oci_seccomp_arg, value_two) },
		{ "op", SHAPE_STRING, offsetof(struct oci_seccomp_arg, op) },
		{ 0 },
	},
};

static const struct shape call_shape = {
	sizeof(struct docker_call),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, offsetof(struct docker_call, name) },
		{ "names", SHAPE_STRINGS, offsetof(struct docker_call, names) },
		{ "action", SHAPE_STRING, offsetof(struct docker_call, action) },
		{ "errnoRet", SHAPE_OPTIONAL_UINT, offsetof(struct docker_call, errno_ret) },
		{ "args", SHAPE_LIST, offsetof(struct docker_call, args), &arg_shape },
		{ "includes", SHAPE_OBJECT, offsetof(struct docker_call, includes), &filter_shape },
		{ "excludes", SHAPE_OBJECT, offsetof(struct docker_call, excludes), &filter_shape },
		{ 0 },
	},
};

static const struct shape arch_shape = {
	sizeof(struct docker_arch),
	(const struct shape_field[]){
		{ "architecture", SHAPE_STRING, offsetof(struct docker_arch, architecture) },
		{ "subArchitectures", SHAPE_STRINGS,
		  offsetof(struct docker_arch, sub_architectures) },
		{ 0 },
	},
};

static const struct shape profile_shape = {
	sizeof(struct docker_profile),
	(const struct shape_field[]){
		{ "defaultAction", SHAPE_STRING, offsetof(struct docker_profile, default_action) },
		{ "defaultErrnoRet", SHAPE_OPTIONAL_UINT,
		  offsetof(struct docker_profile, default_errno_ret) },
		{ "architectures", SHAPE_STRINGS, offsetof(struct docker_profile, architectures) },
		{ "archMap", SHAPE_LIST, offsetof(struct docker_profile, arch_map), &arch_shape },
		{ "flags", SHAPE_STRINGS, offsetof(struct docker_profile, flags) },
		{ "listenerPath", SHAPE_STRING, offsetof(struct docker_profile, listener_path) },
		{ "listenerMetadata", SHAPE_STRING,
		  offsetof(struct docker_profile, listener_metadata) },
		{ "syscalls", SHAPE_LIST, offsetof(struct docker_profile, calls), &call_shape },
		{ 0 },
	},
};

/* What the conditions of the rules are held against. */
struct docker_host {
	const char *go_arch;
	const char *scmp_arch;
	uint64_t version;
	uint64_t capabilities;
};

static void docker_profile_clear(struct docker_profile *profile)
{
	shape_clear(&profile_shape, profile);
}

/* "4.8" as 4 * 65536 + 8. */
static int docker_version(uint64_t *ret, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	uint64_t major, minor;
	struct err ignored;

	strv_split(&parts, text, '.');
	if (parts.count != 2 ||
	    number_parse_u64(&major, parts.items[0], UINT16_MAX, &ignored) < 0 ||
	    number_parse_u64(&minor, parts.items[1], UINT16_MAX, &ignored) < 0)
		return err_set(e, ERR_INVALID, "seccomp: kernel version \"%s\": as in 4.8", text);
	*ret = major << 16 | minor;
	return 0;
}

static int docker_host_read(struct docker_host *host, struct err *e)
{
	struct utsname name;

	uname(&name);
	if (str_equal(name.machine, "x86_64")) {
		host->go_arch = "amd64";
		host->scmp_arch = "SCMP_ARCH_X86_64";
	} else if (str_equal(name.machine, "aarch64")) {
		host->go_arch = "arm64";
		host->scmp_arch = "SCMP_ARCH_AARCH64";
	} else {
		return err_set(e, ERR_UNSUPPORTED, "no seccomp filters for architecture %s",
			       name.machine);
	}
	/* what comes behind "6.18" is the distribution's */
	name.release[strspn(name.release, "0123456789.")] = '\0';
	char *second = strchr(name.release, '.');
	char *third = second ? strchr(second + 1, '.') : NULL;
	if (third)
		*third = '\0';
	return docker_version(&host->version, name.release, e);
}

/* 1 if the host's kernel is at least this one, 0 if not. */
static int docker_kernel_is(const struct docker_host *host, const char *text, struct err *e)
{
	uint64_t version;

	int r = docker_version(&version, text, e);
	return r < 0 ? r : host->version >= version;
}

/* Capabilities by names that are unknown here are none that the container has. */
static bool docker_has_capability(const struct docker_host *host, const char *name)
{
	uint64_t set = 0;
	struct err ignored;

	return runtime_capability_parse(&set, name, &ignored) == 0 &&
	       (host->capabilities & set) == set;
}

/* 1: the rule is for this container. All that includes lists must hold, nothing of excludes. */
static int docker_applies(const struct docker_call *call, const struct docker_host *host,
			  struct err *e)
{
	const struct docker_filter *in = &call->includes;
	const struct docker_filter *out = &call->excludes;
	int r;

	if (in->arches.count > 0 && !strv_contains(&in->arches, host->go_arch))
		return 0;
	if (strv_contains(&out->arches, host->go_arch))
		return 0;
	for (size_t i = 0; i < in->caps.count; i++) {
		if (!docker_has_capability(host, in->caps.items[i]))
			return 0;
	}
	for (size_t i = 0; i < out->caps.count; i++) {
		if (docker_has_capability(host, out->caps.items[i]))
			return 0;
	}
	if (in->min_kernel && (r = docker_kernel_is(host, in->min_kernel, e)) <= 0)
		return r;
	if (out->min_kernel && (r = docker_kernel_is(host, out->min_kernel, e)) != 0)
		return r < 0 ? r : 0;
	return 1;
}

static int docker_call_take(struct oci_seccomp *to, struct docker_call *call, struct err *e)
{
	if (call->name && call->names.count > 0)
		return err_set(e, ERR_INVALID,
			       "seccomp: a rule has \"name\" and \"names\"; one of them only");
	struct oci_seccomp_syscall *entry = shape_list_add(&to->syscalls);
	entry->names = call->names;
	call->names = (struct strv){ 0 };
	if (call->name)
		strv_add_take(&entry->names, take_ptr(&call->name));
	entry->action = take_ptr(&call->action);
	entry->errno_ret = take_ptr(&call->errno_ret);
	entry->args.items = take_ptr(&call->args.items);
	entry->args.count = call->args.count;
	call->args.count = 0;
	return 0;
}

static int docker_architectures(struct oci_seccomp *to, struct docker_profile *from,
				const struct docker_host *host, struct err *e)
{
	if (from->architectures.count > 0 && from->arch_map.count > 0)
		return err_set(e, ERR_INVALID,
			       "seccomp: a profile has \"architectures\" and \"archMap\"; one of "
			       "them only");
	strv_add_all(&to->architectures, &from->architectures);
	for (size_t i = 0; i < from->arch_map.count; i++) {
		const struct docker_arch *arch = &from->arch_map.items[i];
		if (!str_equal(arch->architecture, host->scmp_arch))
			continue;
		strv_add(&to->architectures, arch->architecture);
		strv_add_all(&to->architectures, &arch->sub_architectures);
	}
	return 0;
}

static int docker_convert(struct oci_seccomp *to, struct docker_profile *from,
			  const struct docker_host *host, struct err *e)
{
	int r = docker_architectures(to, from, host, e);

	for (size_t i = 0; r == 0 && i < from->calls.count; i++) {
		r = docker_applies(&from->calls.items[i], host, e);
		if (r > 0)
			r = docker_call_take(to, &from->calls.items[i], e);
	}
	if (r < 0)
		return r;
	to->default_action = take_ptr(&from->default_action);
	to->default_errno_ret = take_ptr(&from->default_errno_ret);
	to->listener_path = take_ptr(&from->listener_path);
	to->listener_metadata = take_ptr(&from->listener_metadata);
	strv_add_all(&to->flags, &from->flags);
	return 0;
}

int runtime_seccomp_read_docker(struct oci_seccomp *ret, const char *text, size_t length,
				uint64_t capabilities, struct err *e)
{
	own_json struct json_object *object = NULL;
	own_clear(docker_profile_clear) struct docker_profile profile = { 0 };
	struct docker_host host = { .capabilities = capabilities };
	struct oci_seccomp result = { 0 };

	int r = json_parse(&object, text, length, "seccomp profile", e);
	if (r == 0)
		r = shape_read(&profile_shape, object, &profile, e);
	if (r == 0)
		r = docker_host_read(&host, e);
	if (r == 0)
		r = docker_convert(&result, &profile, &host, e);
	if (r < 0) {
		shape_clear(&oci_seccomp_shape, &result);
		return r;
	}
	*ret = result;
	return 0;
}
