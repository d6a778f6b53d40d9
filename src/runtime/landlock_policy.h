/* landlock_policy.h - what a process may do to files, TCP ports, abstract sockets and other
 * processes: landlock(7), on top of all other rights. From the annotation org.holm.landlock, a JSON
 * object in the shape of the open proposal for the runtime-spec (opencontainers/runtime-spec#1111,
 * #1241), with what kernels have got since under the kernel's names:
 *
 *	{ "ruleset": { "handledAccessFS": ["write_file", "make_reg"],
 *		       "handledAccessNet": ["bind_tcp"], "scoped": ["signal"] },
 *	  "rules": { "pathBeneath": [{ "allowedAccess": ["write_file"], "paths": ["/tmp"] }],
 *		     "netPort": [{ "allowedAccess": ["bind_tcp"], "ports": [8080] }] },
 *	  "flags": ["log_new_exec_on"], "abi": 4, "disableBestEffort": true }
 *
 * What is handled is forbidden but for what the rules allow. Rights that the kernel does not know
 * are left out with a warning, or refused with disableBestEffort; a kernel whose ABI is older than
 * abi is refused in any case. Each exec has a domain of its own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;

enum { RUNTIME_LANDLOCK_ABI = 7 }; /* the newest that is known here: Linux 6.15 */

struct runtime_landlock_path {
	uint64_t allowed; /* LANDLOCK_ACCESS_FS_* */
	char *path;       /* in the container */
};

struct runtime_landlock_port {
	uint64_t allowed; /* LANDLOCK_ACCESS_NET_* */
	uint64_t port;
};

struct runtime_landlock_policy {
	uint64_t handled_fs; /* these three as in struct landlock_ruleset_attr; all 0: no ruleset */
	uint64_t handled_net;
	uint64_t scoped;
	uint32_t flags; /* LANDLOCK_RESTRICT_SELF_* */
	struct runtime_landlock_path *paths;
	size_t paths_count;
	struct runtime_landlock_port *ports;
	size_t ports_count;
};

/* The annotation's text as rules for a kernel of this ABI. ERR_INVALID and ERR_CORRUPT with the
 * member, ERR_UNSUPPORTED. The caller clears *ret, after a failure, too. */
int runtime_landlock_policy_read(struct runtime_landlock_policy *ret, const char *text, int abi,
				 struct err *e);
void runtime_landlock_policy_clear(struct runtime_landlock_policy *policy);

/* LANDLOCK_ACCESS_FS_* that mean something for a file that is no folder. */
uint64_t runtime_landlock_policy_of_file(uint64_t access);
