/* fault.h - places where a test may end the program as kill -9 would: HOLM_FAULT=create.record.
 * Compiled in with -DHOLM_FAULTS alone. */
#pragma once

#ifdef HOLM_FAULTS
void fault_point(const char *name);
#else
static inline void fault_point(const char *name)
{
	(void)name;
}
#endif
