/* template.h - images made from a distribution's own packages: "debian/bookworm", "alpine/3.20",
 * "fedora/40", "rocky/9", "busybox"; with "/system" behind it one that boots. */
#pragma once

struct err;
struct image_invocation;

/* Makes the image and gives it the name "template:NAME" (source.c has checked it); two at once
 * make it once. The distribution's tools run with the caller's rights, in a PID and a mount
 * namespace that end with this process; nothing stays of what failed. */
int image_template(const struct image_invocation *invocation, const char *name, struct err *e);
