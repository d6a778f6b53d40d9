/* The annotation: whatever it says, no rule allows what is not handled. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/landlock_policy.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	own_clear(runtime_landlock_policy_clear) struct runtime_landlock_policy policy = { 0 };
	own_free char *text = NULL;
	struct err e;

	if (length == 0)
		return 0;
	log_set_level(LOG_LEVEL_ERROR);
	text = mem_text_n((const char *)bytes + 1, length - 1);
	if (runtime_landlock_policy_read(&policy, text, bytes[0] % 8, &e) < 0)
		return 0;
	for (size_t i = 0; i < policy.paths_count; i++)
		if (policy.paths[i].allowed & ~policy.handled_fs)
			abort();
	for (size_t i = 0; i < policy.ports_count; i++)
		if (policy.ports[i].allowed & ~policy.handled_net || policy.ports[i].port > 65535)
			abort();
	return 0;
}
