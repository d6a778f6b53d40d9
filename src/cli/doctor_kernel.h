/* doctor_kernel.h - what this kernel can, found out by asking it in a child that is thrown away:
 * for `holm doctor`. Nothing of the host is changed, but that the kernel may load a module. */
#pragma once
#include <stdbool.h>

/* 1: it can; 0: not; or a negative errno: it cannot be found out, -EPERM above all. */

/* Links of this kind ("veth", "macvlan"): ip-link(8). */
int cli_doctor_kernel_link(const char *kind);

int cli_doctor_kernel_nftables(void);

/* Is this security module ("bpf") among those that are active? */
int cli_doctor_kernel_lsm(const char *name);
