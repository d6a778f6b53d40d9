/* The text of an annotation, as a variant. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime/cgroup_variant.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	own_clear(str_clear) struct str plain = { 0 };
	own_clear(str_clear) struct str seconds = { 0 };
	struct err e;

	/* what is taken has a signature and a value */
	if (runtime_cgroup_variant_add(&plain, text, false, &e) == 0 && plain.length < 4)
		abort();
	if (runtime_cgroup_variant_add(&seconds, text, true, &e) == 0 && seconds.length != 16)
		abort();
	return 0;
}
