#include "monitor/restart.h"

#include "base/str.h"
#include "monitor/config.h"

enum { DELAY_FIRST_MS = 100, DELAY_MAX_MS = 60000, LONG_RUN_MS = 10000 };

bool monitor_restart_wanted(const struct monitor_restart_config *config, int code, int64_t count,
			    bool stopped)
{
	if (stopped || str_empty(config->policy) || str_equal(config->policy, "no"))
		return false;
	if (str_equal(config->policy, "on-failure"))
		return code != 0 && (config->max_retries == 0 || count < config->max_retries);
	return true;
}

int64_t monitor_restart_delay_ms(int64_t before_ms, int64_t ran_ms)
{
	if (before_ms == 0 || ran_ms >= LONG_RUN_MS)
		return DELAY_FIRST_MS;
	return before_ms * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : before_ms * 2;
}
