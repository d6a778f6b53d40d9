#include "cli/inherited.h"

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "base/strv.h"
#include "runtime/inherited.h"

static int add_listed(struct runtime_inherited *to, const char *list, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	int r = 0;

	strv_split(&parts, list, ',');
	for (size_t i = 0; r == 0 && i < parts.count; i++) {
		int64_t fd;
		r = number_parse_i64(&fd, parts.items[i], 0, INT32_MAX, e);
		if (r == 0)
			r = runtime_inherited_add(to, fd, 1, e);
	}
	return r < 0 ? err_add(e, "--preserve-fd %s", list) : 0;
}

int cli_inherited_find(struct runtime_inherited *ret, int64_t preserve_fds,
		       const struct strv *preserve_fd, struct err *e)
{
	*ret = (struct runtime_inherited){ 0 };
	int r = runtime_inherited_listen(ret, e);
	if (r < 0)
		return r;
	r = runtime_inherited_add(ret, RUNTIME_INHERITED_FIRST, preserve_fds, e);
	if (r < 0)
		return err_add(e, "--preserve-fds %lld", (long long)preserve_fds);
	for (size_t i = 0; r == 0 && i < preserve_fd->count; i++)
		r = add_listed(ret, preserve_fd->items[i], e);
	return r;
}
