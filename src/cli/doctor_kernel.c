#include "cli/doctor_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "wire/netlink.h"

enum { LSM_BYTES_MAX = 4096 };

/* In a network namespace of the child's own, which goes with it. The child's exit status is 0, 1,
 * or 2 plus an errno, as far as that fits. */
static int in_child(int (*probe)(const char *about), const char *about)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int r = unshare(CLONE_NEWNET) < 0 ? -errno : probe(about);
		_exit(r < 0 ? 2 - r : r);
	}
	int status = process_wait(pid);
	if (status < 0)
		return status;
	if (!WIFEXITED(status))
		return -EIO;
	return WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : 2 - WEXITSTATUS(status);
}

/* A link of a kind that is not known is refused as such; of one that is, for what else it lacks. */
static int probe_link(const char *kind)
{
	const struct ifinfomsg family = { .ifi_family = AF_UNSPEC };
	struct wire_netlink_request request = { 0 };
	struct err e;

	own_fd int socket = wire_netlink_open(&e);
	if (socket < 0)
		return socket;
	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &family,
			   sizeof(family));
	size_t info = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, kind);
	wire_netlink_nest_end(&request, info);
	int r = wire_netlink_call(socket, &request, NULL, NULL, &e);
	wire_netlink_request_clear(&request);
	if (r == -EPERM || r == -EACCES)
		return r;
	return r != -EOPNOTSUPP;
}

static int probe_nftables(const char *about)
{
	const struct nfgenmsg family = { .nfgen_family = AF_UNSPEC };
	struct wire_netlink_request request = { 0 };
	struct err e;

	(void)about;
	own_fd int socket = wire_netlink_open_filter(&e);
	if (socket < 0)
		return socket == -EPROTONOSUPPORT ? 0 : socket;
	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, &family,
			   sizeof(family));
	int r = wire_netlink_call(socket, &request, NULL, NULL, &e);
	wire_netlink_request_clear(&request);
	if (r == -EPERM || r == -EACCES)
		return r;
	return r == 0;
}

int cli_doctor_kernel_link(const char *kind)
{
	return in_child(probe_link, kind);
}

int cli_doctor_kernel_nftables(void)
{
	return in_child(probe_nftables, NULL);
}

/* The file lies on a securityfs, which need not be mounted: one that nobody else sees will do. */
int cli_doctor_kernel_lsm(const char *name)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(strv_clear) struct strv active = { 0 };
	struct err e;

	own_fd int fs = fsopen("securityfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return errno == ENODEV ? 0 : -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	own_fd int mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		return -errno;
	int r = fd_read_file_at(mount, "lsm", LSM_BYTES_MAX, &text, &e);
	if (r < 0)
		return r;
	strv_split(&active, text.text ? text.text : "", ',');
	return strv_contains(&active, name);
}
