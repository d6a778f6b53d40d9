/* mount_label.h - linux.mountLabel: the SELinux context of all files of new filesystems. Which of
 * the kernel's four options carries it is told by crun's annotation run.oci.mount_context_type.
 * Labelled is what runc labels, and an overlay that is the root: not procfs and sysfs, whose labels
 * are the policy's, and nothing that is bound. A label here is "context=LABEL", or NULL: none. */
#pragma once

struct err;
struct oci_spec;

/* *ret is the caller's. ERR_UNSUPPORTED without SELinux. */
int runtime_mount_label_read(char **ret, const struct oci_spec *spec, struct err *e);

/* On the context (fsopen(2)) of a filesystem that is being made. */
int runtime_mount_label_option(int fs, const char *label, struct err *e);

/* For mqueue, which the kernel made with its IPC namespace and takes no options: the label is
 * written on its root folder. fd: the mount, readable or O_PATH. */
int runtime_mount_label_write(int fd, const char *label, struct err *e);
