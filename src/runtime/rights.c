#include "runtime/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/channel.h"
#include "runtime/landlock.h"
#include "runtime/lsm.h"
#include "runtime/procfs.h"
#include "runtime/rlimit.h"
#include "runtime/seccomp_agent.h"
#include "runtime/user.h"

bool runtime_rights_is_default(const struct oci_spec *spec, const char *member)
{
	own_clear(strv_clear) struct strv members = { 0 };
	const char *text = shape_map_get(&spec->annotations, "org.holm.defaults");

	if (text)
		strv_split(&members, text, ',');
	return strv_contains(&members, member);
}

/* ---- in the parent ---- */

/* runtime-spec config.md#linux-process: what the runtime does not know is no error. */
static uint64_t parse_set(const struct strv *names)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->count; i++) {
		uint64_t one;
		struct err e;
		if (runtime_capability_parse(&one, names->items[i], &e) < 0)
			log_warning("%s", e.text);
		else
			set |= one;
	}
	return set;
}

static void parse_sets(struct runtime_capability_sets *ret, const struct oci_capabilities *c)
{
	*ret = (struct runtime_capability_sets){
		.bounding = parse_set(&c->bounding),
		.effective = parse_set(&c->effective),
		.permitted = parse_set(&c->permitted),
		.inheritable = parse_set(&c->inheritable),
		.ambient = parse_set(&c->ambient),
	};
}

/* exec without sets of its own has the container's. */
static void prepare_capabilities(struct runtime_rights *ret, const struct oci_spec *spec,
				 const struct oci_process *process)
{
	const struct oci_process *first = spec->process;
	const struct oci_capabilities *own = process->capabilities;
	struct runtime_capability_sets container = { 0 };

	if (first && first->capabilities)
		parse_sets(&container, first->capabilities);
	if (own)
		parse_sets(&ret->capabilities, own);
	else
		ret->capabilities = container;
	runtime_capability_restrict(&ret->capabilities, runtime_capability_own());
}

static int prepare_profile(struct runtime_rights *ret, const struct oci_spec *spec, struct err *e)
{
	const struct oci_seccomp *profile = spec->linux_.seccomp;
	int r = 0;

	if (shape_map_get(&spec->annotations, "run.oci.seccomp_fail_unknown_syscall"))
		r = runtime_seccomp_check_names(profile, e);
	if (r == 0)
		r = runtime_seccomp_compile(&ret->filter, profile, e);
	if (r == 0 && runtime_seccomp_notifies(&ret->filter))
		r = runtime_seccomp_agent_check(spec, e);
	if (r == 0 && profile->listener_metadata && str_empty(runtime_seccomp_agent_path(spec)))
		r = err_set(e, ERR_INVALID, "listenerMetadata without a listenerPath");
	return r < 0 ? err_add(e, "linux.seccomp") : 0;
}

static int prepare_filter(struct runtime_rights *ret, const struct oci_spec *spec, struct err *e)
{
	const char *name = shape_map_get(&spec->annotations, "org.holm.seccomp");
	const struct oci_seccomp *profile = spec->linux_.seccomp;

	if (profile && name)
		return err_set(e, ERR_INVALID, "linux.seccomp and org.holm.seccomp are both there");
	if (profile)
		return prepare_profile(ret, spec, e);
	if (!name)
		return 0;
	bool guest = strcmp(name, "guest") == 0, open = strcmp(name, "open") == 0;
	if (!guest && !open && strcmp(name, "default") != 0)
		return err_set(e, ERR_INVALID,
			       "org.holm.seccomp '%s' is not 'default', 'guest' or 'open'", name);
	const char *denied = shape_map_get(&spec->annotations, "org.holm.seccomp.deny");
	own_clear(strv_clear) struct strv names = { 0 };
	if (denied)
		strv_split(&names, denied, ',');
	const struct runtime_seccomp_default what = {
		.denied = &names,
		.capabilities = ret->capabilities.bounding,
		.guest = guest,
		.asks = str_equal(shape_map_get(&spec->annotations, "org.holm.seccomp.asks"),
				  "true"),
		.children = shape_map_get(&spec->annotations, "org.holm.seccomp.children"),
	};
	if (open && (!what.children || what.asks || names.count))
		return err_set(e, ERR_INVALID,
			       "org.holm.seccomp 'open' is for org.holm.seccomp.children alone");
	if ((what.asks || what.children) && str_empty(runtime_seccomp_agent_path(spec)))
		return err_set(e, ERR_INVALID,
			       "org.holm.seccomp.%s without run.oci.seccomp.receiver",
			       what.asks ? "asks" : "children");
	if (open)
		return runtime_seccomp_compile_open(&ret->filter, e);
	return runtime_seccomp_compile_default(&ret->filter, &what, e);
}

static int prepare_landlock(struct runtime_rights *ret, const struct oci_spec *spec, struct err *e)
{
	const char *text = shape_map_get(&spec->annotations, "org.holm.landlock");

	return text ? runtime_landlock_policy_read(&ret->landlock, text, runtime_landlock_abi(), e)
		    : 0;
}

/* seen: a bit for each resource so far; one that is there twice is an error (runtime-spec
 * config.md#posix-process). */
static int prepare_rlimit(struct runtime_rights *ret, const struct oci_spec *spec,
			  const struct oci_rlimit *from, unsigned *seen, struct err *e)
{
	struct runtime_rlimit *to = &ret->rlimits[ret->rlimits_count++];
	int resource;

	*to = (struct runtime_rlimit){ from->type, from->soft, from->hard };
	int r = runtime_rlimit_parse(&resource, from->type ? from->type : "", e);
	if (r < 0)
		return r;
	if (*seen & 1U << resource)
		return err_set(e, ERR_INVALID, "%s is there twice", from->type);
	*seen |= 1U << resource;
	if (runtime_rights_is_default(spec, from->type) &&
	    runtime_rlimit_clamp(resource, &to->soft, &to->hard))
		log_warning("%s is lowered to %llu, which is all that this process may give",
			    from->type, (unsigned long long)to->hard);
	return 0;
}

static int prepare_rlimits(struct runtime_rights *ret, const struct oci_spec *spec,
			   const struct oci_process *process, struct err *e)
{
	const struct oci_process *from = process;
	unsigned seen = 0;

	if (process->rlimits.count == 0 && spec->process)
		from = spec->process;
	ret->rlimits = mem_new(from->rlimits.count + 1, sizeof(*ret->rlimits));
	for (size_t i = 0; i < from->rlimits.count; i++) {
		if (prepare_rlimit(ret, spec, &from->rlimits.items[i], &seen, e) < 0)
			return err_add(e, "process.rlimits[%zu].type", i);
	}
	return 0;
}

/* crun's, for folders that a group of the caller's may read: podman run --group-add keep-groups */
static bool keeps_groups(const struct oci_spec *spec)
{
	const char *text = shape_map_get(&spec->annotations, "run.oci.keep_original_groups");

	return text && !str_equal(text, "0");
}

static const char *either(const char *own, const char *container)
{
	return str_empty(own) ? container : own;
}

int runtime_rights_prepare_in_parent(struct runtime_rights *ret, const struct oci_spec *spec,
				     const struct oci_process *process, struct err *e)
{
	const struct oci_process *first = spec->process ? spec->process : process;

	ret->no_new_privileges = process->no_new_privileges || first->no_new_privileges;
	ret->apparmor = either(process->apparmor_profile, first->apparmor_profile);
	ret->selinux = either(process->selinux_label, first->selinux_label);
	ret->keep_groups = keeps_groups(spec);
	prepare_capabilities(ret, spec, process);
	int r = runtime_lsm_check_in_parent(&ret->apparmor, ret->selinux, e);
	if (r < 0)
		return r;
	r = prepare_filter(ret, spec, e);
	if (r < 0)
		return r;
	r = prepare_landlock(ret, spec, e);
	return r < 0 ? r : prepare_rlimits(ret, spec, process, e);
}

void runtime_rights_clear(struct runtime_rights *rights)
{
	runtime_seccomp_filter_clear(&rights->filter);
	runtime_landlock_policy_clear(&rights->landlock);
	free(rights->rlimits);
	*rights = (struct runtime_rights){ 0 };
}

static int64_t own_oom_score(void)
{
	char text[16] = "";
	own_fd int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strtol(text, NULL, 10) : 0;
}

bool runtime_rights_has_oom_score(const struct oci_process *process)
{
	return process->oom_score_adj && *process->oom_score_adj != own_oom_score();
}

int runtime_rights_set_oom_score(int pid, const struct oci_spec *spec,
				 const struct oci_process *process, struct err *e)
{
	char path[48], text[24];
	int64_t score = *process->oom_score_adj;

	if (score < -1000 || score > 1000)
		return err_set(e, ERR_INVALID,
			       "process.oomScoreAdj %lld is not within -1000 to 1000",
			       (long long)score);
	own_fd int proc = runtime_procfs_open(e);
	if (proc < 0)
		return proc;
	snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
	snprintf(text, sizeof(text), "%lld", (long long)score);
	int r = runtime_procfs_write(proc, path, text, e);
	if (r != -EACCES)
		return r;
	/* proc(5): lowering it takes CAP_SYS_RESOURCE */
	if (!runtime_rights_is_default(spec, "oomScoreAdj"))
		return err_hint(e, "to lower it below its own, holm needs CAP_SYS_RESOURCE");
	log_warning("oomScoreAdj stays at %lld, which is the least that this process may give",
		    (long long)own_oom_score());
	return 0;
}

/* ---- in the child ---- */

int runtime_rights_label_in_child(const struct runtime_rights *rights, int proc_fd, struct err *e)
{
	int r = runtime_lsm_set_apparmor_in_child(proc_fd, rights->apparmor, e);

	return r < 0 ? r : runtime_lsm_set_selinux_in_child(proc_fd, rights->selinux, e);
}

int runtime_rights_limit_in_child(const struct runtime_rights *rights, struct err *e)
{
	for (size_t i = 0; i < rights->rlimits_count; i++) {
		const struct runtime_rlimit *l = &rights->rlimits[i];
		int r = runtime_rlimit_apply_in_child(l->name, l->soft, l->hard, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where it is forbidden (user_namespaces(7)) there are no others than the caller's own. */
static int set_groups(const struct runtime_user *user, struct err *e)
{
	gid_t *groups = mem_new(user->groups_count + 1, sizeof(*groups));

	groups[0] = user->gid;
	for (size_t i = 0; i < user->groups_count; i++)
		groups[i + 1] = user->groups[i];
	int r = setgroups(user->groups_count + 1, groups);
	free(groups);
	if (r < 0)
		return err_sys(e, "set the supplementary groups");
	return 0;
}

static int explain_id(struct err *e, const char *file)
{
	if (e->number != EINVAL)
		return -e->number;
	return err_hint(e,
			"the id is not in the container's map: an ordinary user's container has "
			"the ids that %s gives, and one alone without",
			file);
}

static int set_ids(const struct runtime_user *user, bool keep_groups, struct err *e)
{
	int r = keep_groups ? 0 : set_groups(user, e);
	if (r < 0)
		return r;
	if (setresgid(user->gid, user->gid, user->gid) < 0) {
		err_sys(e, "become group %u", user->gid);
		return explain_id(e, "/etc/subgid");
	}
	if (setresuid(user->uid, user->uid, user->uid) < 0) {
		err_sys(e, "become user %u", user->uid);
		return explain_id(e, "/etc/subuid");
	}
	return 0;
}

/* Landlock's domain, then the filter. */
static int confine(const struct runtime_rights *rights, int ruleset_fd, int channel, struct err *e)
{
	int r = runtime_landlock_restrict_in_child(&rights->landlock, ruleset_fd, e);

	if (r < 0 || !rights->filter.count)
		return r;
	own_fd int listener = runtime_seccomp_install_in_child(&rights->filter, e);
	if (listener <= 0)
		return take_fd(&listener);
	return runtime_channel_send(channel, RUNTIME_MESSAGE_LISTENER, 0, &listener, 1, e);
}

/* Without no_new_privs both need CAP_SYS_ADMIN, so they come first; with it, last, so that they
 * meet as few of the runtime's own calls as can be. */
int runtime_rights_take_in_child(const struct runtime_rights *rights,
				 const struct runtime_user *user, int ruleset_fd, int channel,
				 struct err *e)
{
	const struct runtime_capability_sets *sets = &rights->capabilities;
	bool early = !rights->no_new_privileges;

	int r = runtime_capability_drop_bounding_in_child(sets->bounding, e);
	if (r == 0 && early)
		r = confine(rights, ruleset_fd, channel, e);
	if (r == 0)
		r = runtime_capability_keep_in_child(e);
	if (r == 0)
		r = set_ids(user, rights->groups_denied || rights->keep_groups, e);
	if (r == 0)
		r = runtime_capability_apply_in_child(sets, e);
	if (r < 0)
		return r;
	if (rights->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no_new_privs");
	return early ? 0 : confine(rights, ruleset_fd, channel, e);
}
