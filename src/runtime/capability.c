#include "runtime/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/strv.h"

/* The place of a name is its number; <linux/capability.h>, complete as of Linux 6.18. */
static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

#define BIT(n) (UINT64_C(1) << (n))

const uint64_t runtime_capability_default =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
	BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) |
	BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL);

const uint64_t runtime_capability_system =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
	BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) |
	BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_NET_ADMIN) |
	BIT(CAP_NET_RAW) | BIT(CAP_NET_BROADCAST) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_BOOT) |
	BIT(CAP_MKNOD) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_RESOURCE) |
	BIT(CAP_SYS_TTY_CONFIG) | BIT(CAP_IPC_OWNER) | BIT(CAP_LEASE) | BIT(CAP_LINUX_IMMUTABLE);

const char *runtime_capability_name(unsigned number)
{
	return number < COUNT_OF(names) ? names[number] : NULL;
}

int runtime_capability_parse(uint64_t *ret, const char *name, struct err *e)
{
	const char *bare = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	if (strcasecmp(name, "ALL") == 0) {
		*ret = BIT(COUNT_OF(names)) - 1;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcasecmp(names[i] + 4, bare) == 0) {
			*ret = BIT(i);
			return 0;
		}
	}
	err_set(e, ERR_INVALID, "no capability \"%s\"", name);
	return err_hint(e, "names are those of capabilities(7), as in NET_ADMIN or CAP_NET_ADMIN; "
			   "or ALL");
}

int runtime_capability_parse_all(uint64_t *ret, const struct strv *list, struct err *e)
{
	uint64_t all = 0;

	for (size_t i = 0; i < list->count; i++) {
		uint64_t one;
		int r = runtime_capability_parse(&one, list->items[i], e);
		if (r < 0)
			return r;
		all |= one;
	}
	*ret = all;
	return 0;
}

void runtime_capability_names(struct strv *to, uint64_t set)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (set & BIT(i))
			strv_add(to, names[i]);
	}
}

uint64_t runtime_capability_own(void)
{
	uint64_t own = 0;

	for (unsigned i = 0; i < 64; i++) {
		int r = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
		if (r < 0)
			break;
		if (r > 0)
			own |= BIT(i);
	}
	return own;
}

void runtime_capability_restrict(struct runtime_capability_sets *sets, uint64_t own)
{
	sets->bounding &= own;
	sets->permitted &= own;
	sets->inheritable &= own;
	sets->effective &= sets->permitted;
	sets->ambient &= sets->permitted & sets->inheritable;
}

/* EINVAL: the kernel has no more. Who may not drop any need not drop what is not there. */
int runtime_capability_drop_bounding_in_child(uint64_t bounding, struct err *e)
{
	for (unsigned i = 0; i < 64; i++) {
		if (bounding & BIT(i) || prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break;
		if (errno != EPERM || prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0)
			return err_number(e, EPERM, "drop capability %u from the bounding set", i);
	}
	return 0;
}

int runtime_capability_keep_in_child(struct err *e)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(e, "keep capabilities over the change of user");
	return 0;
}

static int capability_set(const struct runtime_capability_sets *sets, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t missing = sets->permitted;

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(e, "read the capabilities of this process");
	missing &= ~(data[0].permitted | (uint64_t)data[1].permitted << 32);
	if (missing) {
		unsigned first = (unsigned)__builtin_ctzll(missing);
		const char *name = runtime_capability_name(first);
		return err_number(e, EPERM, "give the container %s, which this process has not",
				  name ? name : "a capability");
	}
	for (unsigned i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(sets->effective >> (32 * i));
		data[i].permitted = (uint32_t)(sets->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(sets->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(e, "set the capabilities");
	return 0;
}

int runtime_capability_apply_in_child(const struct runtime_capability_sets *sets, struct err *e)
{
	/* One of the old ambient set would else survive into the container. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "clear the ambient capabilities");
	int r = capability_set(sets, e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 64; i++) {
		if (!(sets->ambient & BIT(i)))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return err_sys(e, "raise capability %u into the ambient set", i);
	}
	return 0;
}
