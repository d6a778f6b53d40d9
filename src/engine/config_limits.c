#include <stdlib.h>
#include <string.h>

#include "engine/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/rlimit.h"

/* Docker's own floors (moby: daemon/daemon_unix.go); below 6 MB no process could be started. */
enum { MEMORY_MIN = 6 << 20 };

/* Each reads option's text if it was given. */
static int read_bytes(int64_t *to, const char *option, const char *text, int64_t min, struct err *e)
{
	int64_t value;

	if (!text)
		return 0;
	if (number_parse_bytes(&value, text, e) < 0)
		return err_add(e, "%s", option);
	if (value != 0 && value < min)
		return err_set(e, ERR_INVALID, "%s %s: at least %lld MiB", option, text,
			       (long long)(min >> 20));
	*to = value;
	return 0;
}

static int read_number(int64_t *to, const char *option, const char *text, int64_t min, int64_t max,
		       struct err *e)
{
	if (!text)
		return 0;
	return number_parse_i64(to, text, min, max, e) < 0 ? err_add(e, "%s", option) : 0;
}

/* As the person wrote it; of what is changed later the other may have been said before. */
static const char *shown(char to[16], const char *text, int64_t bytes)
{
	if (text)
		return text;
	number_format_bytes(to, (uint64_t)bytes);
	return to;
}

static int check_memory(const struct container_limits *l, const struct create_options *o,
			struct err *e)
{
	char a[16], b[16];

	if (l->memory_reservation && l->memory && l->memory_reservation > l->memory)
		return err_set(e, ERR_INVALID, "--memory-reservation %s is more than --memory %s",
			       shown(a, o->memory_reservation, l->memory_reservation),
			       shown(b, o->memory, l->memory));
	if (l->memory_swap > 0 && !l->memory)
		return err_set(e, ERR_INVALID,
			       "--memory-swap %s needs --memory: it is both together",
			       shown(a, o->memory_swap, l->memory_swap));
	if (l->memory_swap > 0 && l->memory_swap < l->memory)
		return err_set(e, ERR_INVALID,
			       "--memory-swap %s is less than --memory %s: it is "
			       "memory and swap together",
			       shown(a, o->memory_swap, l->memory_swap),
			       shown(b, o->memory, l->memory));
	return 0;
}

static int set_memory(struct container_limits *l, const struct create_options *o, struct err *e)
{
	int r = read_bytes(&l->memory, "--memory", o->memory, MEMORY_MIN, e);
	if (r == 0)
		r = read_bytes(&l->memory_reservation, "--memory-reservation",
			       o->memory_reservation, MEMORY_MIN, e);
	if (r == 0 && str_equal(o->memory_swap, "-1"))
		l->memory_swap = -1;
	else if (r == 0)
		r = read_bytes(&l->memory_swap, "--memory-swap", o->memory_swap, 0, e);
	if (r < 0)
		return r;

	/* 0 takes the limit away, and with it that of both together */
	if (o->memory && !l->memory && !o->memory_swap)
		l->memory_swap = 0;
	r = check_memory(l, o, e);
	if (r == 0 && l->memory && !l->memory_swap)
		l->memory_swap = l->memory > INT64_MAX / 2 ? -1 : 2 * l->memory;
	return r;
}

static int set_oom(struct container_limits *l, const struct create_options *o, struct err *e)
{
	int64_t swappiness = -1;
	int r = read_number(&swappiness, "--memory-swappiness", o->memory_swappiness, -1, 100, e);
	if (r < 0)
		return r;
	if (o->memory_swappiness)
		free(take_ptr(&l->memory_swappiness));
	if (swappiness >= 0) {
		l->memory_swappiness = mem_new(1, sizeof(int64_t));
		*l->memory_swappiness = swappiness;
	}
	l->oom_kill_disable |= o->oom_kill_disable;
	return read_number(&l->oom_score_adj, "--oom-score-adj", o->oom_score_adj, -1000, 1000, e);
}

/* "0-3,7": digits in ranges and lists, each range upwards. */
static int check_cpu_list(const char *option, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++) {
		char *first = parts.items[i];
		char *dash = strchr(first, '-');
		uint64_t from, to;
		struct err detail;
		if (dash)
			*dash = '\0';
		bool good = number_parse_u64(&from, first, 8191, &detail) == 0;
		to = from;
		if (good && dash)
			good = number_parse_u64(&to, dash + 1, 8191, &detail) == 0;
		if (!good || to < from)
			return err_set(e, ERR_INVALID, "%s %s: not a list such as 0-3,7", option,
				       text);
	}
	return 0;
}

static int set_cpuset(struct container_limits *l, const struct create_options *o, struct err *e)
{
	if (!str_empty(o->cpuset_cpus)) {
		int r = check_cpu_list("--cpuset-cpus", o->cpuset_cpus, e);
		if (r < 0)
			return r;
		mem_replace(&l->cpuset_cpus, o->cpuset_cpus);
	}
	if (!str_empty(o->cpuset_mems)) {
		int r = check_cpu_list("--cpuset-mems", o->cpuset_mems, e);
		if (r < 0)
			return r;
		mem_replace(&l->cpuset_mems, o->cpuset_mems);
	}
	return 0;
}

static int set_cpu(struct container_limits *l, const struct create_options *o, int64_t cpus,
		   struct err *e)
{
	int64_t shares = (int64_t)l->cpu_shares, period = (int64_t)l->cpu_period;

	if (o->cpus && number_parse_nanocpus(&l->nanocpus, o->cpus, e) < 0)
		return err_add(e, "--cpus");
	if (o->cpus && l->nanocpus && l->nanocpus < 10000000)
		return err_set(e, ERR_INVALID, "--cpus %s: at least 0.01", o->cpus);
	if (cpus && l->nanocpus > cpus * 1000000000)
		return err_set(e, ERR_INVALID, "--cpus %s: this host has %lld", o->cpus,
			       (long long)cpus);
	int r = read_number(&shares, "--cpu-shares", o->cpu_shares, 0, 262144, e);
	if (r == 0)
		r = read_number(&period, "--cpu-period", o->cpu_period, 0, 1000000, e);
	if (r == 0)
		r = read_number(&l->cpu_quota, "--cpu-quota", o->cpu_quota, -1, INT64_MAX / 1000,
				e);
	if (r < 0)
		return r;
	if (shares == 1)
		return err_set(e, ERR_INVALID, "--cpu-shares 1: at least 2");
	if (period && period < 1000)
		return err_set(e, ERR_INVALID, "--cpu-period %s: 1000 to 1000000 microseconds",
			       o->cpu_period);
	if (l->cpu_quota > 0 && l->cpu_quota < 1000)
		return err_set(e, ERR_INVALID, "--cpu-quota %s: at least 1000 microseconds",
			       o->cpu_quota);
	if (l->nanocpus && (period || l->cpu_quota))
		return err_set(e, ERR_INVALID, "--cpus and --cpu-%s exclude each other",
			       period ? "period" : "quota");
	l->cpu_shares = (uint64_t)shares;
	l->cpu_period = (uint64_t)period;
	return set_cpuset(l, o, e);
}

static int set_pids(struct container_limits *l, const struct create_options *o, struct err *e)
{
	int64_t pids = l->pids ? l->pids : CONTAINER_PIDS_MAX;
	int r = read_number(&pids, "--pids-limit", o->pids_limit, -1, INT32_MAX, e);
	if (r < 0)
		return r;
	l->pids = pids ? pids : -1; /* Docker: 0 is none, too */
	return 0;
}

/* "/dev/sda:1mb": the device's path and what the number is. */
static int split_device(char **ret_path, const char **ret_value, const char *option,
			const char *text, const char *form, struct err *e)
{
	const char *colon = strrchr(text, ':');

	if (!colon || !str_starts(text, "/") || !colon[1])
		return err_set(e, ERR_INVALID, "%s %s: not %s", option, text, form);
	own_free char *path = mem_text_n(text, (size_t)(colon - text));
	*ret_path = path_clean(path);
	*ret_value = colon + 1;
	return 0;
}

static int read_rate(struct container_device_limit *to, const char *option, const char *text,
		     bool bytes, struct err *e)
{
	const char *value;
	int64_t rate = 0;
	int r = split_device(&to->path, &value, option, text,
			     bytes ? "DEVICE:BYTES, as in /dev/sda:1mb"
				   : "DEVICE:COUNT, as in /dev/sda:1000",
			     e);
	if (r < 0)
		return r;
	r = bytes ? number_parse_bytes(&rate, value, e)
		  : number_parse_i64(&rate, value, 0, INT64_MAX, e);
	if (r < 0)
		return err_add(e, "%s %s", option, text);
	to->rate = (uint64_t)rate;
	return 0;
}

static void forget_rates(struct container_device_limits *limits)
{
	for (size_t i = 0; i < limits->count; i++)
		free(limits->items[i].path);
	free(limits->items);
	*limits = (struct container_device_limits){ 0 };
}

static int set_rates(struct container_limits *l, const struct create_options *o, struct err *e)
{
	const struct {
		const char *option;
		const struct strv *texts;
		struct container_device_limits *to;
		bool bytes;
	} rows[] = {
		{ "--device-read-bps", &o->device_read_bps, &l->read_bps, true },
		{ "--device-write-bps", &o->device_write_bps, &l->write_bps, true },
		{ "--device-read-iops", &o->device_read_iops, &l->read_iops, false },
		{ "--device-write-iops", &o->device_write_iops, &l->write_iops, false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* what is said later is instead */
		if (rows[i].texts->count)
			forget_rates(rows[i].to);
		for (size_t at = 0; at < rows[i].texts->count; at++) {
			if (!*rows[i].texts->items[at])
				continue;
			int r = read_rate(shape_list_add(rows[i].to), rows[i].option,
					  rows[i].texts->items[at], rows[i].bytes, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int set_weight(struct container_limits *l, const struct create_options *o, struct err *e)
{
	int64_t weight = (int64_t)l->blkio_weight;
	int r = read_number(&weight, "--blkio-weight", o->blkio_weight, 0, 1000, e);
	if (r < 0)
		return r;
	if (weight && weight < 10)
		return err_set(e, ERR_INVALID, "--blkio-weight %s: 10 to 1000", o->blkio_weight);
	l->blkio_weight = (uint64_t)weight;
	return 0;
}

static int set_block_io(struct container_limits *l, const struct create_options *o, struct err *e)
{
	int r = set_weight(l, o, e);

	for (size_t i = 0; r == 0 && i < o->blkio_weight_device.count; i++) {
		const char *text = o->blkio_weight_device.items[i], *value;
		struct container_device_limit *to = shape_list_add(&l->blkio_weight_device);
		r = split_device(&to->path, &value, "--blkio-weight-device", text,
				 "DEVICE:WEIGHT, as in /dev/sda:500", e);
		if (r == 0 && (number_parse_u64(&to->rate, value, 1000, e) < 0 || to->rate < 10))
			r = err_set(e, ERR_INVALID,
				    "--blkio-weight-device %s: the weight is 10 to 1000", text);
	}
	return r < 0 ? r : set_rates(l, o, e);
}

static int read_ulimit_value(int64_t *to, const char *text, struct err *e)
{
	if (!strcmp(text, "unlimited")) {
		*to = -1;
		return 0;
	}
	return number_parse_i64(to, text, -1, INT64_MAX, e);
}

static int read_ulimit(struct container_ulimit *to, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	int resource;

	if (!equals || equals == text)
		return err_set(e, ERR_INVALID, "not NAME=SOFT[:HARD], as in nofile=1024:4096");
	to->name = mem_text_n(text, (size_t)(equals - text));
	if (runtime_rlimit_parse(&resource, to->name, e) < 0)
		return -e->number;

	const char *colon = strchr(equals, ':');
	own_free char *soft =
		colon ? mem_text_n(equals + 1, (size_t)(colon - equals - 1)) : mem_text(equals + 1);
	int r = read_ulimit_value(&to->soft, soft, e);
	to->hard = to->soft;
	if (r == 0 && colon)
		r = read_ulimit_value(&to->hard, colon + 1, e);
	if (r < 0)
		return r;
	bool above = to->hard != -1 && (to->soft == -1 || to->soft > to->hard);
	return above ? err_set(e, ERR_INVALID, "the soft limit is above the hard one") : 0;
}

static int set_ulimits(struct container_limits *l, const struct create_options *o, struct err *e)
{
	/* what is said later is instead */
	for (size_t i = 0; o->ulimit.count && i < l->ulimits.count; i++)
		free(l->ulimits.items[i].name);
	if (o->ulimit.count)
		l->ulimits.count = 0;
	for (size_t i = 0; i < o->ulimit.count; i++)
		if (*o->ulimit.items[i] &&
		    read_ulimit(shape_list_add(&l->ulimits), o->ulimit.items[i], e) < 0)
			return err_add(e, "--ulimit %s", o->ulimit.items[i]);
	return 0;
}

static int set_cgroup_parent(struct container_limits *l, const struct create_options *o,
			     struct err *e)
{
	if (str_empty(o->cgroup_parent))
		return 0;
	own_clear(strv_clear) struct strv parts = { 0 };
	strv_split(&parts, o->cgroup_parent, '/');
	if (strv_contains(&parts, ".."))
		return err_set(e, ERR_INVALID, "--cgroup-parent %s: no '..'", o->cgroup_parent);
	l->cgroup_parent = path_clean(o->cgroup_parent);
	return 0;
}

static int set_view(struct container_limits *l, const struct create_options *o, struct err *e)
{
	static const char *const words[] = { CONTAINER_VIEW_LIMITS, CONTAINER_VIEW_HOST, NULL };

	if (o->view && !config_is_one_of(o->view, words))
		return err_set(e, ERR_INVALID, "--view %s: not one of limits, host", o->view);
	mem_replace(&l->view, o->view);
	return 0;
}

int config_change_limits(struct container *c, const struct create_options *o,
			 const struct config_context *context, struct err *e)
{
	struct container_limits *l = &c->limits;

	int r = set_memory(l, o, e);
	if (r == 0)
		r = set_cpu(l, o, context->cpus, e);
	if (r == 0)
		r = set_pids(l, o, e);
	if (r == 0)
		r = set_oom(l, o, e);
	if (r == 0)
		r = set_weight(l, o, e);
	if (r == 0)
		r = set_rates(l, o, e);
	if (r == 0)
		r = set_ulimits(l, o, e);
	return r < 0 ? r : config_rules(l, o, e);
}

int config_limits(struct container *c, const struct create_options *o,
		  const struct oci_image_process *image, const struct config_context *context,
		  struct err *e)
{
	struct container_limits *l = &c->limits;

	(void)image;
	int r = set_memory(l, o, e);
	if (r == 0)
		r = set_oom(l, o, e);
	if (r == 0)
		r = set_cpu(l, o, context->cpus, e);
	if (r == 0)
		r = set_pids(l, o, e);
	if (r == 0)
		r = set_block_io(l, o, e);
	if (r == 0)
		r = set_ulimits(l, o, e);
	if (r == 0)
		r = set_cgroup_parent(l, o, e);
	if (r == 0)
		r = set_view(l, o, e);
	if (r == 0)
		r = config_rules(l, o, e);
	return r;
}
