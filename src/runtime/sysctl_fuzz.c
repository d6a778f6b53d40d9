/* Names that people type: whatever they are, what passes as a sysctl stays below /proc/sys. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "runtime/capability.h"
#include "runtime/rlimit.h"
#include "runtime/sysctl.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	char path[RUNTIME_SYSCTL_PATH_MAX];
	own_free char *text = mem_text_n((const char *)bytes, length);
	uint64_t set;
	int number;
	struct err e;

	if (runtime_sysctl_check(path, text, ~0UL, &e) == 0) {
		own_free char *framed = mem_format("/%s/", path);
		if (strstr(framed, "/../") || strstr(framed, "/./") || strstr(framed, "//"))
			abort();
	}
	if (runtime_capability_parse(&set, text, &e) == 0 && set == 0)
		abort();
	if (signal_name_parse(&number, text, &e) == 0 && (number < 1 || number > 64))
		abort();
	if (runtime_rlimit_parse(&number, text, &e) == 0 && !runtime_rlimit_name(number))
		abort();
	return 0;
}
