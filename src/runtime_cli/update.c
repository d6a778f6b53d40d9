/* update.c - `update ID`: other limits for a container that runs, from options or from JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/update.h"
#include "runtime_cli/command.h"
#include "runtime_cli/input.h"
#include "runtime_cli/record.h"

struct update_options {
	char *resources;
	char *blkio_weight;
	char *cpu_period;
	char *cpu_quota;
	char *cpu_burst;
	char *cpu_share;
	char *cpu_rt_period;
	char *cpu_rt_runtime;
	char *cpu_idle;
	char *cpuset_cpus;
	char *cpuset_mems;
	char *memory;
	char *memory_reservation;
	char *memory_swap;
	char *kernel_memory;
	char *kernel_memory_tcp;
	char *pids_limit;
	char *l3_cache_schema;
	char *mem_bw_schema;
};

#define OPTIONS struct update_options
static const struct option table[] = {
	{ "resources", 'r', OPTION_STRING(resources), "FILE",
	  "linux.resources as JSON; - is the standard input", "file:" },
	{ "blkio-weight", 0, OPTION_STRING(blkio_weight), "N", "share of block I/O, 10 to 1000" },
	{ "cpu-period", 0, OPTION_STRING(cpu_period), "USEC", "period of the CPU quota" },
	{ "cpu-quota", 0, OPTION_STRING(cpu_quota), "USEC", "CPU time in each period" },
	{ "cpu-burst", 0, OPTION_STRING(cpu_burst), "USEC", "CPU time that may be saved up" },
	{ "cpu-share", 0, OPTION_STRING(cpu_share), "N", "share of the CPUs" },
	{ "cpu-rt-period", 0, OPTION_STRING(cpu_rt_period), "USEC", "period of realtime tasks" },
	{ "cpu-rt-runtime", 0, OPTION_STRING(cpu_rt_runtime), "USEC", "their time in each" },
	{ "cpu-idle", 0, OPTION_STRING(cpu_idle), "0|1", "run only when nobody else wants to" },
	{ "cpuset-cpus", 0, OPTION_STRING(cpuset_cpus), "LIST", "CPUs, as in 0-3,7" },
	{ "cpuset-mems", 0, OPTION_STRING(cpuset_mems), "LIST", "memory nodes" },
	{ "memory", 0, OPTION_STRING(memory), "SIZE", "memory limit; -1 is none" },
	{ "memory-reservation", 0, OPTION_STRING(memory_reservation), "SIZE",
	  "memory that is taken back first above this" },
	{ "memory-swap", 0, OPTION_STRING(memory_swap), "SIZE",
	  "limit of memory and swap together; -1 is none" },
	{ "kernel-memory", 0, OPTION_STRING(kernel_memory), "SIZE", "limit of kernel memory" },
	{ "kernel-memory-tcp", 0, OPTION_STRING(kernel_memory_tcp), "SIZE", "of it, for TCP" },
	{ "pids-limit", 0, OPTION_STRING(pids_limit), "N", "number of processes; -1 is no limit" },
	{ "l3-cache-schema", 0, OPTION_STRING(l3_cache_schema), "TEXT", "Intel RDT: L3 cache" },
	{ "mem-bw-schema", 0, OPTION_STRING(mem_bw_schema), "TEXT", "Intel RDT: bandwidth" },
	{ 0 },
};
#undef OPTIONS

/* ---- from options ---- */

static int read_unsigned(uint64_t **to, const char *text, struct err *e)
{
	uint64_t value;

	if (!text)
		return 0;
	int r = number_parse_u64(&value, text, UINT64_MAX, e);
	if (r < 0)
		return r;
	if (!*to)
		*to = mem_new_struct(uint64_t);
	**to = value;
	return 0;
}

static int store_signed(int64_t **to, int64_t value)
{
	if (!*to)
		*to = mem_new_struct(int64_t);
	**to = value;
	return 0;
}

static int read_signed(int64_t **to, const char *text, struct err *e)
{
	int64_t value;

	if (!text)
		return 0;
	int r = number_parse_i64(&value, text, -1, INT64_MAX, e);
	return r < 0 ? r : store_signed(to, value);
}

static int read_bytes(int64_t **to, const char *text, struct err *e)
{
	int64_t value;

	if (!text)
		return 0;
	if (str_equal(text, "-1"))
		return store_signed(to, -1);
	int r = number_parse_bytes(&value, text, e);
	return r < 0 ? r : store_signed(to, value);
}

/* runc takes durations of the quota as numbers that may be negative; a missing group of members is
 * made when its first is set. */
static int read_cpu(struct oci_resources *r, const struct update_options *o, struct err *e)
{
	if (!r->cpu)
		r->cpu = mem_new_struct(struct oci_resources_cpu);
	struct oci_resources_cpu *cpu = r->cpu;
	if (read_unsigned(&cpu->period, o->cpu_period, e) < 0)
		return err_add(e, "--cpu-period");
	if (read_signed(&cpu->quota, o->cpu_quota, e) < 0)
		return err_add(e, "--cpu-quota");
	if (read_unsigned(&cpu->burst, o->cpu_burst, e) < 0)
		return err_add(e, "--cpu-burst");
	if (read_unsigned(&cpu->shares, o->cpu_share, e) < 0)
		return err_add(e, "--cpu-share");
	if (read_unsigned(&cpu->realtime_period, o->cpu_rt_period, e) < 0)
		return err_add(e, "--cpu-rt-period");
	if (read_signed(&cpu->realtime_runtime, o->cpu_rt_runtime, e) < 0)
		return err_add(e, "--cpu-rt-runtime");
	if (read_signed(&cpu->idle, o->cpu_idle, e) < 0)
		return err_add(e, "--cpu-idle");
	if (o->cpuset_cpus)
		mem_replace(&cpu->cpus, o->cpuset_cpus);
	if (o->cpuset_mems)
		mem_replace(&cpu->mems, o->cpuset_mems);
	return 0;
}

static int read_memory(struct oci_resources *r, const struct update_options *o, struct err *e)
{
	if (!r->memory)
		r->memory = mem_new_struct(struct oci_resources_memory);
	struct oci_resources_memory *memory = r->memory;
	if (read_bytes(&memory->limit, o->memory, e) < 0)
		return err_add(e, "--memory");
	if (read_bytes(&memory->reservation, o->memory_reservation, e) < 0)
		return err_add(e, "--memory-reservation");
	if (read_bytes(&memory->swap, o->memory_swap, e) < 0)
		return err_add(e, "--memory-swap");
	if (read_bytes(&memory->kernel, o->kernel_memory, e) < 0)
		return err_add(e, "--kernel-memory");
	if (read_bytes(&memory->kernel_tcp, o->kernel_memory_tcp, e) < 0)
		return err_add(e, "--kernel-memory-tcp");
	return 0;
}

static int read_rest(struct oci_resources *r, const struct update_options *o, struct err *e)
{
	if (o->blkio_weight && !r->block_io)
		r->block_io = mem_new_struct(struct oci_resources_block_io);
	if (o->blkio_weight && read_unsigned(&r->block_io->weight, o->blkio_weight, e) < 0)
		return err_add(e, "--blkio-weight");
	if (o->pids_limit && !r->pids)
		r->pids = mem_new_struct(struct oci_resources_pids);
	if (o->pids_limit && read_signed(&r->pids->limit, o->pids_limit, e) < 0)
		return err_add(e, "--pids-limit");
	return 0;
}

/* ---- from JSON ---- */

static int read_json(struct oci_resources *to, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = runtime_cli_input_read(&text, path, e);
	if (r < 0)
		return r;
	r = shape_read_text(&oci_resources_shape, text.text ? text.text : "", text.length, to, e);
	return r < 0 ? err_add(e, "resources") : 0;
}

/* ---- Intel RDT ---- */

static bool asks_for_rdt(const struct update_options *o)
{
	return o->l3_cache_schema || o->mem_bw_schema;
}

/* Before anything is changed. */
static int check_rdt(const struct update_options *o, struct err *e)
{
	own_fd int root = asks_for_rdt(o) ? runtime_intel_rdt_open(e) : -1;

	if (!asks_for_rdt(o) || root >= 0)
		return 0;
	err_add(e, "--%s", o->l3_cache_schema ? "l3-cache-schema" : "mem-bw-schema");
	return -e->number;
}

static int update_rdt(struct runtime_cli_record *record, const struct update_options *o,
		      struct err *e)
{
	const struct oci_intel_rdt schemas = { .l3_cache_schema = o->l3_cache_schema,
					       .mem_bw_schema = o->mem_bw_schema };
	const struct runtime_store store = runtime_cli_record_storing(record);

	if (!asks_for_rdt(o))
		return 0;
	return runtime_update_intel_rdt(&record->container, &schemas, &store, e);
}

static int update(struct runtime_cli_record *record, const struct update_options *o, struct err *e)
{
	struct oci_resources resources = { 0 };
	struct err unstored;

	int r = check_rdt(o, e);
	if (r == 0)
		r = o->resources ? read_json(&resources, o->resources, e) : 0;
	if (r == 0)
		r = read_cpu(&resources, o, e);
	if (r == 0)
		r = read_memory(&resources, o, e);
	if (r == 0)
		r = read_rest(&resources, o, e);
	if (r == 0)
		r = runtime_update(&record->container, &resources, e);
	if (r == 0)
		r = update_rdt(record, o, e);
	shape_clear(&oci_resources_shape, &resources);
	int stored = runtime_cli_record_store(record, r < 0 ? &unstored : e);
	return r < 0 ? r : stored;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct update_options *o = options;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&record, cli, args->items[0], true, e);
	return r < 0 ? r : update(&record, o, e);
}

const struct runtime_cli_command runtime_cli_update = {
	.name = "update",
	.arguments = "[OPTIONS] ID",
	.summary = "change the limits of a running container",
	.options = table,
	.size = sizeof(struct update_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
