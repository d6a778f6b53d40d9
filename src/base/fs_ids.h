/* fs_ids.h - whose the files are that this process makes: setfsuid(2), without the loss of rights
 * that comes with it. A filesystem of a user namespace takes no file of an owner who has no id
 * there (EOVERFLOW), not even for the moment before chown(2). */
#pragma once
#include <sys/types.h>

struct err;

/* From now on uid's and gid's. The capabilities stay as they are. */
int fs_ids_set(uid_t uid, gid_t gid, struct err *e);
