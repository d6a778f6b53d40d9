/* landlock.h - the system calls of landlock(7), for a policy of landlock_policy.h. */
#pragma once

struct err;
struct runtime_landlock_policy;

/* The kernel's ABI version; 0: it has no Landlock, or that is off. */
int runtime_landlock_abi(void);

/* A ruleset, its paths looked up below root_fd; leaves *ret_fd alone where the policy is empty. */
int runtime_landlock_open_in_child(int *ret_fd, const struct runtime_landlock_policy *policy,
				   int root_fd, struct err *e);

/* Takes no_new_privs or CAP_SYS_ADMIN in the user namespace. ruleset_fd -1 does nothing. */
int runtime_landlock_restrict_in_child(const struct runtime_landlock_policy *policy, int ruleset_fd,
				       struct err *e);
