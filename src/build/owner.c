#include "build/owner.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/user.h"

int build_owner_find(uid_t *ret_uid, gid_t *ret_gid, int root_fd, const char *text, struct err *e)
{
	own_clear(runtime_user_clear) struct runtime_user user = { 0 };
	const struct oci_user said = { .username = (char *)text };

	int r = runtime_user_resolve(&user, root_fd, &said, NULL, e);
	if (r < 0)
		return err_add(e, "--chown=%.100s", text);
	*ret_uid = user.uid;
	/* docker: a number alone is both */
	*ret_gid = text[strspn(text, "0123456789")] ? user.gid : user.uid;
	return 0;
}
