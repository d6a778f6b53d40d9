/* trusted.h - may a program of the host be run by root, or by whoever this process is, without
 * doing what somebody else wants? */
#pragma once

struct err;

/* A file that none but the caller, root and root's group can change, and whose folders all the way
 * down are so, too, also those that symbolic links lead through. A folder like /tmp, whose names
 * only their owners can take away, is as good. ERR_PERMISSION says what is not so. */
int trusted_check(const char *path, struct err *e);
