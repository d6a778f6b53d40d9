/* RUN: a container of the same engine on the layers so far, whose upper folder is the new layer. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "build/allow.h"
#include "build/build.h"
#include "build/heredoc.h"
#include "build/progress.h"
#include "build/run_mounts.h"
#include "build/step.h"
#include "build/sum.h"
#include "engine/create.h"
#include "engine/engine.h"
#include "storage/store.h"

/* Usable without an ARG, and in no key: they say how the network is reached, not what comes of
 * it. */
static const char *const proxies[] = { "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
				       "FTP_PROXY",  "ftp_proxy",  "NO_PROXY",    "no_proxy",
				       "ALL_PROXY",  "all_proxy" };

/* ---- what is run ---- */

/* The one word <<EOF: the here-document is the script. */
static bool is_script(const struct build_instruction *at, char escape)
{
	return at->heredocs.count == 1 &&
	       build_heredoc_length(at->rest, escape) == strlen(at->rest);
}

/* Else the shell gets it with the line. */
static char *script_of(const struct build_instruction *at, char escape)
{
	struct str script = { 0 };

	if (is_script(at, escape))
		return mem_text(at->heredocs.items[0].text);
	str_add(&script, at->rest);
	for (size_t i = 0; i < at->heredocs.count; i++)
		str_addf(&script, "\n%s%s", at->heredocs.items[i].text, at->heredocs.items[i].name);
	return str_take(&script);
}

/* A script that says itself what runs it is a file. */
static bool is_program(const struct build_step *step)
{
	const struct build_instruction *at = step->at;

	return is_script(at, step->build->file.escape) &&
	       str_starts(at->heredocs.items[0].text, "#!");
}

static void add_command(struct strv *to, const struct build_step *step)
{
	const struct strv *shell = &step->state->config.config.shell;

	if (is_program(step)) {
		strv_addf(to, "/dev/pipes/%s", step->at->heredocs.items[0].name);
		return;
	}

	if (step->at->json) {
		strv_add_all(to, &step->at->words);
		return;
	}
	strv_add_all(to, shell);
	if (!shell->count) {
		strv_add(to, "/bin/sh");
		strv_add(to, "-c");
	}
	strv_add_take(to, script_of(step->at, step->build->file.escape));
}

static const char *network_of(const struct build_step *step)
{
	const char *said = build_file_flag(step->at, "network");

	if (str_equal(said, "default"))
		said = NULL;
	return said ? said : step->build->o->network;
}

static bool is_insecure(const struct build_step *step)
{
	return str_equal(build_file_flag(step->at, "security"), "insecure");
}

static char *make_key(struct build_step *step, const struct strv *command,
		      const struct build_run_mounts *mounts)
{
	own(storage_hash_free) struct storage_hash *hash = build_step_key_begin(step, "RUN");
	const struct oci_image_process *process = &step->state->config.config;

	build_sum_add_all(hash, command);
	if (is_program(step))
		build_sum_add(hash, step->at->heredocs.items[0].text);
	build_sum_add_all(hash, &process->env);
	build_sum_add_all(hash, &step->state->args);
	build_sum_add(hash, process->user);
	build_sum_add(hash, process->working_dir);
	build_sum_add(hash, network_of(step));
	build_sum_add_number(hash, is_insecure(step));
	build_run_mounts_sum(hash, mounts);
	return build_step_key_end(step, hash, true);
}

/* ---- the container ---- */

static void add_env(struct strv *to, const struct build_step *step)
{
	const struct strv *env = &step->state->config.config.env;

	for (size_t i = 0; i < COUNT_OF(proxies); i++) {
		const char *value = strv_value(&step->build->o->build_arg, proxies[i]);
		if (value)
			strv_addf(to, "%s=%s", proxies[i], value);
	}
	for (size_t i = 0; i < step->state->args.count; i++) {
		const char *arg = step->state->args.items[i];
		own_free char *name = mem_text_n(arg, strcspn(arg, "="));
		if (strv_find_key(env, name) < 0)
			strv_add(to, arg);
	}
}

/* In /dev, which is a tmpfs of the container's: no place for it stays in the layer. */
static int add_program(struct create_options *to, const struct build_step *step, struct err *e)
{
	const struct build_heredoc *heredoc = &step->at->heredocs.items[0];
	struct build *build = step->build;
	size_t folder;

	if (!str_is_name(heredoc->name, 255))
		return err_set(e, ERR_INVALID, "<<%s: not the name of a file", heredoc->name);
	int r = build_step_folder(build, &folder, e);
	if (r == 0)
		r = fd_write_file_at(build->folders.items[folder].fs_fd, heredoc->name,
				     heredoc->text, strlen(heredoc->text), 0755, e);
	if (r == 0)
		strv_addf(&to->mount,
			  "type=bind,readonly,source=%s/layers/%s/fs/%s,target=/dev/pipes/%s",
			  build->engine->store->root, build->folders.items[folder].name,
			  heredoc->name, heredoc->name);
	return r;
}

/* What an image's containers have and a step has not. */
static struct oci_image_process process_of(const struct build_step *step)
{
	struct oci_image_process process = step->state->config.config;

	process.volumes = (struct strv){ 0 };
	process.exposed_ports = (struct strv){ 0 };
	process.entrypoint = (struct strv){ 0 };
	process.cmd = (struct strv){ 0 };
	process.labels = (struct shape_map){ 0 };
	process.healthcheck = NULL;
	process.stop_signal = NULL;
	return process;
}

/* What the command line says of all of them. */
static void fill_limits(struct create_options *to, const struct build_options *o)
{
	to->memory = o->memory;
	to->memory_swap = o->memory_swap;
	to->cpu_shares = o->cpu_shares;
	to->cpu_period = o->cpu_period;
	to->cpu_quota = o->cpu_quota;
	to->cpuset_cpus = o->cpuset_cpus;
	to->cpuset_mems = o->cpuset_mems;
	to->shm_size = o->shm_size;
	to->cgroup_parent = o->cgroup_parent;
	to->ulimit = o->ulimit;
	to->security_opt = o->security_opt;
	to->add_host = o->add_host;
}

int build_step_run_check(const struct build_options *o, struct err *e)
{
	struct create_options said = { 0 };

	fill_limits(&said, o);
	return engine_create_check(&said, e);
}

static void fill_options(struct create_options *to, const struct build_step *step,
			 const struct strv *command)
{
	const char *network = network_of(step);

	to->command = *command;
	to->rm = true;
	to->tty = to->interactive = step->debug;
	to->init_given = true;
	to->log_driver = (char *)"none";
	to->privileged = is_insecure(step);
	fill_limits(to, step->build->o);
	add_env(&to->env, step);
	if (network)
		strv_add(&to->network, network);
}

/* Ctrl-C ends the container, and its end the step. */
static int wait_for_frame(const struct build_step *step, struct engine_session *session,
			  bool *killed, struct err *e)
{
	static const unsigned char kill_signal[4] = { SIGKILL };
	struct pollfd polled[] = {
		{ .fd = session->client.fd, .events = POLLIN },
		{ .fd = *killed ? -1 : step->build->stop.fd, .events = POLLIN },
	};

	int n = poll(polled, COUNT_OF(polled), BUILD_PROGRESS_TICK_MS);
	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (n == 0)
		build_progress_tick(step->build->progress);
	if (!polled[1].revents)
		return 0;
	*killed = true;
	return monitor_client_send(&session->client, MONITOR_KILL, kill_signal, sizeof(kill_signal),
				   e);
}

/* 1: it has ended. */
static int take_frame(struct build_step *step, const struct monitor_frame *frame, int *ret_code,
		      struct err *e)
{
	struct monitor_exit status;

	if (frame->type == MONITOR_STDOUT || frame->type == MONITOR_STDERR)
		build_progress_output(step->build->progress, step->number,
				      (const char *)frame->payload, frame->length);
	if (frame->type != MONITOR_EXIT)
		return 0;
	if (monitor_get_exit(&status, frame) < 0)
		return err_set(e, ERR_CORRUPT, "the monitor sent what cannot be read");
	*ret_code = status.code;
	return 1;
}

/* Relays its output until it ends. */
static int follow(struct build_step *step, struct engine_session *session, int *ret_code,
		  struct err *e)
{
	bool killed = false;

	for (;;) {
		struct monitor_frame frame;
		int n = monitor_client_try_read(&session->client, &frame, e);
		if (n < 0)
			return n;
		if (n == 0) {
			n = wait_for_frame(step, session, &killed, e);
			if (n < 0)
				return n;
			continue;
		}
		n = take_frame(step, &frame, ret_code, e);
		if (n != 0)
			return n < 0 ? n : killed ? build_stop_check(step->build->stop.fd, e) : 0;
	}
}

static int run_container(struct build_step *step, const struct create_options *o, int *ret_code,
			 struct err *e)
{
	own_clear(container_clear) struct container container = { 0 };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	const struct start_options start = {
		.attach = true,
		.interactive = step->debug,
		.bound = true,
	};

	int r = engine_run(step->build->engine, o, &start, &container, &session, e);
	if (r == 0 && step->debug)
		return step->build->o->attach(&session, e);
	if (r == 0)
		r = follow(step, &session, ret_code, e);
	engine_session_close(&session);
	return r;
}

static int run(struct build_step *step, const struct strv *command, struct build_run_mounts *mounts,
	       size_t folder, int *ret_code, struct err *e)
{
	const struct store *store = step->build->engine->store;
	const struct oci_image_process process = process_of(step);
	own_clear(strv_clear) struct strv lower = { 0 };
	own_free char *upper = build_state_folder(store, step->build->folders.items[folder].name);
	struct create_base base = { "build", &process, &lower, upper };
	struct create_options o = { .base = &base };

	fill_options(&o, step, command);
	int r = build_run_mounts_make(mounts, &o, e);
	if (r == 0 && is_program(step))
		r = add_program(&o, step, e);
	char *places = NULL;
	if (r == 0 && mounts->places.name)
		places = build_state_folder(store, mounts->places.name);
	else if (r == 0)
		r = build_step_places(&places, step->build, e);
	if (places)
		strv_add_take(&lower, places);
	build_state_folders(&lower, step->state, store);
	base.env_files = mounts->env_files;
	if (r == 0)
		r = run_container(step, &o, ret_code, e);
	strv_clear(&o.env);
	strv_clear(&o.network);
	strv_clear(&o.mount);
	return r;
}

/* --debug-shell: a shell in the state before the step that failed, in a folder that is thrown
 * away. */
static void debug(struct build_step *step, struct build_run_mounts *mounts)
{
	own_clear(strv_clear) struct strv shell = { 0 };
	struct err e;
	size_t folder;

	strv_add(&shell, "/bin/sh");
	build_progress_note(step->build->progress, step->number,
			    "a shell in the state before this step; its end is the build's");
	build_progress_leave(step->build->progress);
	build_run_mounts_clear(mounts);
	step->debug = true;
	int r = build_run_mounts_read(mounts, step, &e);
	if (r == 0)
		r = build_step_folder(step->build, &folder, &e);
	int code;
	if (r == 0)
		r = run(step, &shell, mounts, folder, &code, &e);
	if (r < 0)
		build_progress_note(step->build->progress, step->number, "no shell: %s", e.text);
}

static int run_to_layer(struct build_step *step, const struct strv *command,
			struct build_run_mounts *mounts, char *key, struct err *e)
{
	size_t folder;
	int code = 0;

	int r = build_step_folder(step->build, &folder, e);
	if (r == 0)
		r = run(step, command, mounts, folder, &code, e);
	if (r == 0 && code != 0) {
		r = err_set(e, ERR_STATE, "the command ended with %d", code);
		if (step->build->o->debug_shell && step->build->o->attach)
			debug(step, mounts);
		else
			err_hint(e, "--debug-shell gives a shell in the state before it");
	}
	if (r < 0) {
		free(key);
		return r;
	}
	return build_step_add(step, folder, key, e);
}

int build_step_run(struct build_step *step, struct err *e)
{
	own_clear(strv_clear) struct strv command = { 0 };
	own_clear(build_run_mounts_clear) struct build_run_mounts mounts = { 0 };

	int r = build_allow_run(step->build, step->at, e);
	if (r == 0)
		r = build_run_mounts_read(&mounts, step, e);
	if (r < 0)
		return r;
	add_command(&command, step);
	own_free char *line = strv_join(&command, " ");
	own_free char *text = mem_format("RUN %s", line);
	char *key = make_key(step, &command, &mounts);
	if (!build_step_cached(step, key))
		r = run_to_layer(step, &command, &mounts, key, e);
	if (r == 0)
		build_state_history(step->state, text, false);
	return r;
}
