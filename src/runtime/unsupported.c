#include "runtime/unsupported.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "oci/runtime_spec.h"

int runtime_unsupported_check(const struct oci_spec *spec, struct err *e)
{
	const struct oci_linux *l = &spec->linux_;
	const struct {
		bool asked;
		const char *member;
	} table[] = {
		{ l->net_devices.count > 0, "linux.netDevices" },
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].asked)
			return err_set(e, ERR_UNSUPPORTED, "%s is not supported yet",
				       table[i].member);
	return 0;
}
