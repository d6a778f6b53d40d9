/* mount_label.h - linux.mountLabel: the SELinux context of all files of new filesystems. Which of
 * the kernel's four options carries it is told by crun's annotation run.oci.mount_context_type. */
#pragma once

struct err;
struct oci_spec;

/* *ret: "context=LABEL", the caller's, or NULL. ERR_UNSUPPORTED without SELinux. */
int runtime_mount_label_read(char **ret, const struct oci_spec *spec, struct err *e);
