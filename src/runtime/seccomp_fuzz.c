/* A profile from outside becomes a filter that the kernel would take, and that ends, whatever the
 * profile says. */
#include <linux/audit.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/shape.h"
#include "oci/runtime_spec.h"
#include "runtime/seccomp.h"
#include "runtime/seccomp_interpreter.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct runtime_seccomp_filter filter = { 0 };
	struct oci_seccomp profile = { 0 };
	struct err e;

	if (runtime_seccomp_read_docker(&profile, (const char *)bytes, length, 0xff, &e) < 0)
		return 0;
	if (runtime_seccomp_compile(&filter, &profile, &e) == 0) {
		static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
						   AUDIT_ARCH_AARCH64 };
		if (!seccomp_interpreter_accepts(filter.items, filter.count))
			abort();
		for (size_t a = 0; a < 3; a++) {
			for (int number = -1; number < 1100; number++) {
				struct seccomp_data data = { .nr = number, .arch = arches[a] };
				seccomp_interpreter_run(filter.items, &data);
			}
		}
		runtime_seccomp_filter_clear(&filter);
	}
	shape_clear(&oci_seccomp_shape, &profile);
	return 0;
}
