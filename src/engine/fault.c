#include "engine/fault.h"

#ifdef HOLM_FAULTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void fault_point(const char *name)
{
	const char *wanted = getenv("HOLM_FAULT");

	if (wanted && !strcmp(wanted, name))
		raise(SIGKILL);
}
#endif
