/* rules.h - what a container has in the host's nftables, and takes along at its end: the elements
 * that the files MONITOR_RULES (its published ports) and MONITOR_LIMITS of its run folder name
 * (wire/nftables.h), written by the engine. */
#pragma once

#define MONITOR_RULES  "rules"
#define MONITOR_LIMITS "limits"

/* Takes them back; what cannot be is told by a warning. No such file: there is nothing. Returns a
 * descriptor or -1, the caller's, to be closed when nobody waits: the kernel does so only after a
 * grace period (net/netfilter/nf_tables_api.c, nft_rcv_nl_event()). */
int monitor_rules_remove(int run_dir_fd);

/* Of the limits alone. */
void monitor_rules_remove_limits(int run_dir_fd);
