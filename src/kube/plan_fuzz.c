/* A file of Kubernetes objects: whatever it is, it is understood or refused, and the plan of it. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "kube/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(kube_set_clear) struct kube_set set = { 0 };
	own_clear(kube_plan_clear) struct kube_plan plan = { 0 };
	const struct kube_plan_options o = { 0 };
	struct err e;

	log_set_level(LOG_LEVEL_ERROR);
	if (kube_set_add(&set, (const char *)bytes, length, "f", &e) == 0)
		kube_plan_make(&plan, &set, NULL, &o, &e);
	return 0;
}
