#include "runtime/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/path.h"
#include "runtime/landlock_policy.h"

/* uapi/linux/landlock.h of Linux 6.18 */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};
struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};
enum { RULE_NET_PORT = 2 };

int runtime_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static int add_path(int ruleset, const struct runtime_landlock_path *path, int root_fd,
		    struct err *e)
{
	struct landlock_path_beneath_attr attr = { .allowed_access = path->allowed };
	struct stat st;

	own_fd int fd = path_open(root_fd, path->path, O_PATH, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at %s", path->path);
	if (!S_ISDIR(st.st_mode))
		attr.allowed_access = runtime_landlock_policy_of_file(attr.allowed_access);
	attr.parent_fd = fd;
	if (attr.allowed_access &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0)
		return err_sys(e, "add the rule for %s", path->path);
	return 0;
}

static int add_port(int ruleset, const struct runtime_landlock_port *port, struct err *e)
{
	struct net_port_attr attr = { port->allowed, port->port };

	if (attr.allowed_access &&
	    syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0) < 0)
		return err_sys(e, "add the rule for port %llu", (unsigned long long)port->port);
	return 0;
}

static int add_rules(int ruleset, const struct runtime_landlock_policy *policy, int root_fd,
		     struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < policy->paths_count; i++)
		r = add_path(ruleset, &policy->paths[i], root_fd, e);
	for (size_t i = 0; r == 0 && i < policy->ports_count; i++)
		r = add_port(ruleset, &policy->ports[i], e);
	return r < 0 ? err_add(e, "org.holm.landlock") : 0;
}

int runtime_landlock_open_in_child(int *ret_fd, const struct runtime_landlock_policy *policy,
				   int root_fd, struct err *e)
{
	/* an older kernel takes the longer struct when what it does not know is 0 */
	const struct ruleset_attr attr = { policy->handled_fs, policy->handled_net,
					   policy->scoped };

	if (!policy->handled_fs && !policy->handled_net && !policy->scoped)
		return 0;
	own_fd int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return err_sys(e, "org.holm.landlock: make a ruleset");
	int r = add_rules(fd, policy, root_fd, e);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	return 0;
}

int runtime_landlock_restrict_in_child(const struct runtime_landlock_policy *policy, int ruleset_fd,
				       struct err *e)
{
	if (ruleset_fd < 0)
		return 0;
	if (syscall(SYS_landlock_restrict_self, ruleset_fd, policy->flags) < 0)
		return err_sys(e, "org.holm.landlock: restrict the process");
	return 0;
}
