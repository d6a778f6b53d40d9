#include "monitor/config.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "monitor/log.h"

#define LOG_FIELD(member)     offsetof(struct monitor_log_config, member)
#define LISTEN_FIELD(member)  offsetof(struct monitor_listen_config, member)
#define HEALTH_FIELD(member)  offsetof(struct monitor_health_config, member)
#define RESTART_FIELD(member) offsetof(struct monitor_restart_config, member)
#define CONFIG(member)        offsetof(struct monitor_config, member)

static const struct shape log_shape = {
	sizeof(struct monitor_log_config),
	(const struct shape_field[]){
		{ "driver", SHAPE_STRING, LOG_FIELD(driver) },
		{ "maxSize", SHAPE_INT, LOG_FIELD(max_size) },
		{ "maxFile", SHAPE_INT, LOG_FIELD(max_file) },
		{ "attributes", SHAPE_MAP, LOG_FIELD(attributes) },
		{ 0 },
	},
};

static const struct shape restart_shape = {
	sizeof(struct monitor_restart_config),
	(const struct shape_field[]){
		{ "policy", SHAPE_STRING, RESTART_FIELD(policy) },
		{ "maxRetries", SHAPE_INT, RESTART_FIELD(max_retries) },
		{ 0 },
	},
};

#define NETWORK_FIELD(member) offsetof(struct monitor_network_config, member)
static const struct shape network_shape = {
	sizeof(struct monitor_network_config),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, NETWORK_FIELD(id) },
		{ "name", SHAPE_STRING, NETWORK_FIELD(name) },
		{ "driver", SHAPE_STRING, NETWORK_FIELD(driver) },
		{ 0 },
	},
};

#define VOLUME_FIELD(member) offsetof(struct monitor_volume_config, member)
static const struct shape volume_shape = {
	sizeof(struct monitor_volume_config),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, VOLUME_FIELD(name) },
		{ "destination", SHAPE_STRING, VOLUME_FIELD(destination) },
		{ "propagation", SHAPE_STRING, VOLUME_FIELD(propagation) },
		{ "readOnly", SHAPE_BOOL, VOLUME_FIELD(read_only) },
		{ 0 },
	},
};

#define RULE_FIELD(member) offsetof(struct monitor_rule_config, member)
static const struct shape rule_shape = {
	sizeof(struct monitor_rule_config),
	(const struct shape_field[]){
		{ "resource", SHAPE_STRING, RULE_FIELD(resource) },
		{ "action", SHAPE_STRING, RULE_FIELD(action) },
		{ "amount", SHAPE_INT, RULE_FIELD(amount) },
		{ 0 },
	},
};

static const struct shape health_shape = {
	sizeof(struct monitor_health_config),
	(const struct shape_field[]){
		{ "command", SHAPE_STRINGS, HEALTH_FIELD(command) },
		{ "connect", SHAPE_STRING, HEALTH_FIELD(connect) },
		{ "interval", SHAPE_INT, HEALTH_FIELD(interval_ns) },
		{ "timeout", SHAPE_INT, HEALTH_FIELD(timeout_ns) },
		{ "startPeriod", SHAPE_INT, HEALTH_FIELD(start_period_ns) },
		{ "startInterval", SHAPE_INT, HEALTH_FIELD(start_interval_ns) },
		{ "retries", SHAPE_INT, HEALTH_FIELD(retries) },
		{ "onFailure", SHAPE_STRING, HEALTH_FIELD(on_failure) },
		{ 0 },
	},
};

const struct shape monitor_listen_config_shape = {
	sizeof(struct monitor_listen_config),
	(const struct shape_field[]){
		{ "fds", SHAPE_INT, LISTEN_FIELD(fds) },
		{ "names", SHAPE_STRING, LISTEN_FIELD(names) },
		{ 0 },
	},
};

const struct shape monitor_config_shape = {
	sizeof(struct monitor_config),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, CONFIG(id) },
		{ "name", SHAPE_STRING, CONFIG(name) },
		{ "root", SHAPE_STRING, CONFIG(root) },
		{ "remove", SHAPE_BOOL, CONFIG(remove) },
		{ "volumes", SHAPE_STRINGS, CONFIG(volumes) },
		{ "log", SHAPE_OBJECT, CONFIG(log), &log_shape },
		{ "restart", SHAPE_OBJECT, CONFIG(restart), &restart_shape },
		{ "health", SHAPE_OBJECT, CONFIG(health), &health_shape },
		{ "restartCount", SHAPE_INT, CONFIG(restart_count) },
		{ "stdinOpen", SHAPE_BOOL, CONFIG(stdin_open) },
		{ "stdinOnce", SHAPE_BOOL, CONFIG(stdin_once) },
		{ "stopSignal", SHAPE_INT, CONFIG(stop_signal) },
		{ "stopTimeout", SHAPE_OPTIONAL_INT, CONFIG(stop_timeout_s) },
		{ "event", SHAPE_MAP, CONFIG(event) },
		{ "mounts", SHAPE_LIST, CONFIG(mounts), &volume_shape },
		{ "networks", SHAPE_LIST, CONFIG(networks), &network_shape },
		{ "rules", SHAPE_LIST, CONFIG(rules), &rule_shape },
		{ "ownScope", SHAPE_BOOL, CONFIG(own_scope) },
		{ "timeout", SHAPE_INT, CONFIG(timeout_s) },
		{ "listen", SHAPE_OBJECT, CONFIG(listen), &monitor_listen_config_shape },
		{ "guest", SHAPE_BOOL, CONFIG(guest) },
		{ "guestFolder", SHAPE_STRING, CONFIG(guest_folder) },
		{ "checkpoint", SHAPE_STRING, CONFIG(checkpoint) },
		{ 0 },
	},
};

static bool is_known(const char *text, const char *const known[])
{
	for (size_t i = 0; known[i]; i++)
		if (strcmp(text, known[i]) == 0)
			return true;
	return false;
}

static int check_lists(const struct monitor_config *config, struct err *e)
{
	for (size_t i = 0; i < config->rules.count; i++)
		if (!config->rules.items[i].resource || !config->rules.items[i].action)
			return err_set(e, ERR_CORRUPT, "monitor.json: rule %zu is not whole", i);
	for (size_t i = 0; i < config->volumes.count; i++)
		if (!path_is_name(config->volumes.items[i]))
			return err_set(e, ERR_CORRUPT, "monitor.json: volume '%s'",
				       config->volumes.items[i]);
	return 0;
}

static int check(const struct monitor_config *config, struct err *e)
{
	static const char *const drivers[] = { "json-file", "local", "journald", "none", NULL };
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped",
						NULL };
	static const char *const actions[] = { "none", "kill", "restart", "stop", NULL };

	if (!config->id || !path_is_name(config->id))
		return err_set(e, ERR_CORRUPT, "monitor.json: id is missing");
	if (config->name && !path_is_name(config->name))
		return err_set(e, ERR_CORRUPT, "monitor.json: name '%s'", config->name);
	if (!config->root || config->root[0] != '/')
		return err_set(e, ERR_CORRUPT, "monitor.json: root is not an absolute path");
	if (config->log.driver && !is_known(config->log.driver, drivers))
		return err_set(e, ERR_UNSUPPORTED, "log driver '%s' is not known",
			       config->log.driver);
	if (config->log.max_file < 0 || config->log.max_file > MONITOR_LOG_FILES_MAX)
		return err_set(e, ERR_INVALID, "log max-file is 1 to %d", MONITOR_LOG_FILES_MAX);
	if (config->restart.policy && !is_known(config->restart.policy, policies))
		return err_set(e, ERR_INVALID, "restart policy '%s' is not known",
			       config->restart.policy);
	if (config->health.on_failure && !is_known(config->health.on_failure, actions))
		return err_set(e, ERR_INVALID, "health action '%s' is not known",
			       config->health.on_failure);
	return check_lists(config, e);
}

int monitor_config_read_at(struct monitor_config *ret, int run_dir_fd, struct err *e)
{
	struct monitor_config config = { 0 };

	int r = shape_read_at(&monitor_config_shape, run_dir_fd, "monitor.json",
			      MONITOR_CONFIG_BYTES_MAX, &config, e);
	if (r < 0)
		return r;
	r = check(&config, e);
	if (r < 0) {
		shape_clear(&monitor_config_shape, &config);
		return r;
	}
	*ret = config;
	return 0;
}
