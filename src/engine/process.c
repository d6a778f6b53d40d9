#include "engine/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/signal_name.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/desktop.h"
#include "engine/dns.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/files.h"
#include "engine/hooks.h"
#include "engine/log_tag.h"
#include "engine/namespace.h"
#include "engine/network.h"
#include "engine/network_limits.h"
#include "engine/ports.h"
#include "engine/record.h"
#include "engine/relabel.h"
#include "engine/secret.h"
#include "engine/shifted.h"
#include "engine/spec.h"
#include "engine/uplink.h"
#include "engine/user_network.h"
#include "engine/userns_own.h"
#include "engine/volume.h"
#include "monitor/config.h"
#include "monitor/dead.h"
#include "monitor/journal.h"
#include "monitor/reap.h"
#include "runtime/apparmor.h"
#include "runtime/capability.h"
#include "runtime/inherited.h"
#include "runtime/user_namespace.h"
#include "storage/store.h"

char *engine_process_run_dir(const struct engine *engine, const char *id)
{
	return mem_format("%s/containers/%s", engine->store->run, id);
}

int engine_process_connect(struct engine *engine, const char *id, struct monitor_client *ret,
			   struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, id);
	int r = monitor_connect(ret, run_dir, e);

	if (r < 0 && e->kind == ERR_STATE)
		return err_set(e, ERR_STATE, "container %.12s is not running", id);
	return r;
}

/* ---- the files of the run folder ---- */

/* holm's own profile, for containers that say nothing else. */
static int choose_apparmor(struct spec_context *context, const struct container *c, struct err *e)
{
	if (c->security.apparmor || c->security.privileged)
		return 0;
	int loaded = runtime_apparmor_load(container_apparmor(c), e);
	context->apparmor = loaded > 0 ? container_apparmor(c) : NULL;
	return loaded < 0 ? loaded : 0;
}

/* Its own files, unless it shares those of another container. */
static int write_files(struct engine *engine, const struct container *c, int folder_fd,
		       const struct engine_connection *connection, struct spec_context *context,
		       struct err *e)
{
	own_clear(files_context_clear) struct files_context files = { 0 };

	if (context->files)
		return 0;
	spec_host_name(files.host_name, c);
	for (size_t i = 0; i < connection->places.items.count; i++)
		files_add_place(&files, &connection->places.items.items[i]);
	context->files = mem_format("%s/containers/%s", engine->store->root, c->id);
	return engine_files_write(folder_fd, c, &files, e);
}

static int write_spec(struct engine *engine, const struct container *c, int folder_fd, int run_fd,
		      const struct start_options *o, struct engine_connection *connection,
		      struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(spec_context_clear) struct spec_context context = { 0 };

	context.store = engine->store;
	context.own_capabilities = runtime_capability_own();
	context.ordinary_user = runtime_user_namespace_is_inner();
	context.no_host_mqueue = context.ordinary_user && access("/dev/mqueue", F_OK) < 0;
	context.login = engine_userns_own_login(c);
	context.rows = o->rows;
	context.columns = o->columns;
	int r = choose_apparmor(&context, c, e);
	if (r == 0)
		r = engine_namespace_resolve(engine, c, &context, e);
	if (r == 0)
		r = engine_network_connect(connection, engine, c, &context, e);
	if (r == 0)
		r = engine_network_places_write(engine, run_fd, &connection->places, e);
	if (r == 0)
		r = engine_dns_write(engine, c, &connection->places, run_fd, e);
	if (r == 0)
		r = write_files(engine, c, folder_fd, connection, &context, e);
	if (r == 0)
		r = engine_secret_write(c, folder_fd, run_fd, e);
	if (r == 0)
		r = engine_desktop_write(c, run_fd, e);
	if (r == 0)
		r = spec_devices_read(&context, c, e);
	if (r == 0 && container_is_system(c))
		r = spec_system_write(c, run_fd, e);
	if (r == 0)
		r = engine_shifted_make(engine, c, false, e);
	context.new_identity = container_is_system(c) && spec_system_is_new(c, folder_fd);
	if (r == 0)
		r = engine_spec_make(&spec, c, &context, e);
	if (r == 0)
		r = oci_spec_write_at(&spec, run_fd, "config.json", e);
	return r;
}

static void set_log(struct monitor_log_config *to, const struct container *c)
{
	const char *size = shape_map_get(&c->log.options, "max-size");
	const char *files = shape_map_get(&c->log.options, "max-file");
	struct err checked; /* by config.c */

	to->driver = c->log.driver;
	if (size && strcmp(size, "-1") != 0)
		number_parse_bytes(&to->max_size, size, &checked);
	else if (size)
		to->max_size = -1;
	if (files)
		number_parse_i64(&to->max_file, files, 1, 1000, &checked);
	if (str_equal(c->log.driver, "journald"))
		engine_log_tag_journal(&to->attributes, c);
	else
		engine_log_tag_attributes(&to->attributes, c);
}

static void fill_mounts(struct monitor_config *to, const struct container *c)
{
	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *mount = &c->storage.mounts.items[i];
		if (!mount->name || !str_equal(mount->type, "volume"))
			continue;
		if (mount->anonymous)
			strv_add(&to->volumes, mount->name);
		*shape_list_add(&to->mounts) =
			(struct monitor_volume_config){ mount->name, mount->target,
							mount->propagation, mount->read_only };
	}
}

/* Docker's shell where the image names none. */
static void set_health(struct monitor_config *to, const struct container *c)
{
	const struct container_health *h = &c->health;

	to->health.interval_ns = h->interval_ns;
	to->health.timeout_ns = h->timeout_ns;
	to->health.start_period_ns = h->start_period_ns;
	to->health.start_interval_ns = h->start_interval_ns;
	to->health.retries = h->retries;
	to->health.on_failure = h->on_failure;
	if (!container_has_health(c))
		return;
	if (str_equal(h->test.items[0], CONTAINER_HEALTH_CONNECT)) {
		to->health.connect = h->test.items[1];
		return;
	}
	if (str_equal(h->test.items[0], "CMD-SHELL")) {
		strv_add_all(&to->health.command, &h->shell);
		if (h->shell.count == 0) {
			strv_add(&to->health.command, "/bin/sh");
			strv_add(&to->health.command, "-c");
		}
	}
	for (size_t i = 1; i < h->test.count; i++)
		strv_add(&to->health.command, h->test.items[i]);
}

/* Everything is borrowed but volumes, mounts, the attributes of events and the command of the
 * health check. */
static void fill_monitor(struct monitor_config *to, const struct engine *engine,
			 const struct container *c, const struct start_options *o)
{
	struct err checked;
	int signal = 0;

	if (c->process.stop_signal)
		signal_name_parse(&signal, c->process.stop_signal, &checked);
	to->id = c->id;
	to->name = c->name;
	to->root = engine->store->root;
	to->remove = c->auto_remove || o->on_trial;
	set_log(&to->log, c);
	to->restart.policy = c->restart.policy;
	to->restart.max_retries = c->restart.max_retries;
	set_health(to, c);
	to->timeout_s = c->process.timeout_s;
	if (o->inherited)
		to->listen = (struct monitor_listen_config){ (int64_t)o->inherited->listen,
							     o->inherited->names };
	to->guest = container_is_system(c);
	to->guest_folder = c->image.in_place ? c->image.rootfs : NULL;
	to->own_scope = !o->attach || o->watch;
	to->checkpoint = (char *)o->images;
	to->stdin_open = c->process.open_stdin;
	to->stdin_once = c->process.open_stdin && c->process.attach_stdin && o->attach;
	to->stop_signal = signal;
	to->stop_timeout_s = c->process.stop_timeout_s;
	engine_event_attributes(&to->event, c);
	fill_mounts(to, c);
}

/* In place of those that it has. */
static void fill_rules(struct monitor_config *to, const struct container *c)
{
	for (size_t i = 0; i < to->rules.count; i++) {
		free(to->rules.items[i].resource);
		free(to->rules.items[i].action);
	}
	to->rules.count = 0;
	for (size_t i = 0; i < c->limits.rules.count; i++) {
		const struct container_rule *rule = &c->limits.rules.items[i];
		*shape_list_add(&to->rules) =
			(struct monitor_rule_config){ mem_text(rule->resource),
						      mem_text(rule->action), rule->amount };
	}
}

static void fill_networks(struct monitor_config *to, const struct engine_places *places)
{
	for (size_t i = 0; i < places->items.count; i++) {
		const struct engine_place *place = &places->items.items[i];
		*shape_list_add(&to->networks) = (struct monitor_network_config){
			mem_text(place->id), mem_text(place->network), mem_text(place->driver)
		};
	}
}

static void clear_networks(struct monitor_config *config)
{
	for (size_t i = 0; i < config->networks.count; i++) {
		free(config->networks.items[i].id);
		free(config->networks.items[i].name);
		free(config->networks.items[i].driver);
	}
	free(config->networks.items);
	config->networks.items = NULL;
	config->networks.count = 0;
}

static int write_monitor(struct engine *engine, const struct container *c, int run_fd,
			 const struct start_options *o, const struct engine_places *places,
			 struct err *e)
{
	const struct container none = { 0 };
	struct monitor_config config = { 0 };

	fill_monitor(&config, engine, c, o);
	fill_networks(&config, places);
	fill_rules(&config, c);
	int r = shape_write_at(&monitor_config_shape, run_fd, "monitor.json", &config, e);
	strv_clear(&config.volumes);
	free(config.mounts.items);
	clear_networks(&config);
	fill_rules(&config, &none);
	free(config.rules.items);
	shape_map_clear(&config.event);
	shape_map_clear(&config.log.attributes);
	strv_clear(&config.health.command);
	return r;
}

static void config_clear(struct monitor_config *config)
{
	shape_clear(&monitor_config_shape, config);
}

int engine_process_tell(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(config_clear) struct monitor_config config = { 0 };

	own_fd int run_fd =
		openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the run folder");
	int r = monitor_config_read_at(&config, run_fd, e);
	if (r < 0)
		return r;
	mem_replace(&config.name, c->name);
	config.remove = c->auto_remove;
	mem_replace(&config.restart.policy, c->restart.policy);
	config.restart.max_retries = c->restart.max_retries;
	shape_map_clear(&config.event);
	engine_event_attributes(&config.event, c);
	clear_networks(&config);
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	r = engine_network_places_read(&places, engine, c->id, e);
	if (r < 0)
		return r;
	fill_networks(&config, &places);
	fill_rules(&config, c);
	return shape_write_at(&monitor_config_shape, run_fd, "monitor.json", &config, e);
}

/* Its lock is ours as long as it is open: commands on another store with the same run folder would
 * take it for what a removed container has left (monitor_reap_entry()). */
static int make_run_folder(struct engine *engine, const char *id, const char *run_dir,
			   struct err *e)
{
	for (;;) {
		bool made = mkdirat(engine->run_fd, id, 0700) == 0;
		if (!made && errno != EEXIST)
			return err_sys(e, "make the run folder");
		fault_point("start.folder");
		own_fd int fd = monitor_reap_lock(run_dir, true);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return err_number(e, -fd, "lock the run folder");
		if (made)
			return take_fd(&fd);
		/* of a start that was killed before its monitor lived */
		int r = fd_remove_tree_at(engine->run_fd, id, e);
		if (r < 0)
			return r;
	}
}

/* ---- starting ---- */

static uint8_t attach_flags(const struct container *c, const struct start_options *o)
{
	uint8_t flags = 0;

	if (!o->attach)
		return 0;
	if (o->interactive && c->process.open_stdin)
		flags |= MONITOR_ATTACH_STDIN;
	if (!o->no_stdout)
		flags |= MONITOR_ATTACH_STDOUT;
	if (!o->no_stderr)
		flags |= MONITOR_ATTACH_STDERR;
	if (o->bound)
		flags |= MONITOR_ATTACH_BOUND;
	return flags | MONITOR_ATTACH_LOSSLESS;
}

static int spawn(struct engine *engine, const struct container *c, int folder_fd,
		 const struct start_options *o, const struct engine_connection *connection,
		 const struct network_reserve *ports, struct engine_session *ret, struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, c->id);
	struct monitor_client client = MONITOR_CLIENT_NONE;

	log_debug("the bundle is in %s; starting holm-monitor", run_dir);
	fault_point("start.spawn");
	const struct monitor_spawn_attach attach = { attach_flags(c, o), o->rows, o->columns };
	const struct monitor_spawn_given given = { folder_fd,
						   connection->namespace.fd,
						   connection->user_fd,
						   connection->resolver.udp,
						   connection->resolver.tcp,
						   { ports->pair[0], ports->pair[1] },
						   o->inherited };
	int r = monitor_spawn(&client, run_dir, o->attach ? &attach : NULL, &given, e);
	if (r < 0)
		return r;
	r = monitor_client_started(&client, &ret->pid, e);
	if (r < 0 || !o->attach)
		monitor_client_close(&client);
	if (r < 0)
		return r;
	log_debug("container %s runs as process %d", c->name, (int)ret->pid);
	ret->client = client;
	if (!o->attach)
		ret->client = (struct monitor_client)MONITOR_CLIENT_NONE;
	strcpy(ret->id, c->id);
	ret->tty = c->process.tty;
	ret->open_stdin = o->attach && o->interactive && c->process.open_stdin;
	return 0;
}

/* What a start has done on the host before there was a monitor to undo it. */
static void undo(struct engine *engine, const struct container *c, const char *run_dir, int run_fd,
		 struct engine_connection *connection)
{
	const struct engine_places *places = &connection->places;
	bool elsewhere = connection->user_network >= 0;
	struct err ignored;

	engine_ports_withdraw(run_fd);
	for (size_t i = 0; !elsewhere && i < places->items.count; i++)
		engine_network_leave_place(engine, c->id, &places->items.items[i]);
	monitor_dead_remove_names(run_dir);
	fd_remove_tree_at(engine->run_fd, c->id, &ignored);
	engine_network_close(connection);
	if (elsewhere)
		engine_user_network_leave(engine);
}

int engine_process_start(struct engine *engine, const struct container *c, int folder_fd,
			 const struct start_options *o, struct engine_session *ret, struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, c->id);
	own_clear(engine_network_close) struct engine_connection connection =
		ENGINE_CONNECTION_INIT;
	own_clear(network_reserve_close) struct network_reserve ports = NETWORK_RESERVE_INIT;
	struct err ignored;

	if (str_equal(c->log.driver, "journald")) {
		int fd = monitor_journal_open(e);
		if (fd < 0)
			return fd;
		close(fd);
	}
	/* the monitor of the last run may still remove cgroups of the same names */
	int r = monitor_reap_settle(run_dir, e);
	if (r == 0)
		r = engine_volume_make(engine, c, e);
	if (r == 0)
		r = engine_relabel(engine, c, e);
	if (r == 0)
		r = engine_hooks_check(engine, c, e);
	if (r < 0)
		return r;
	own_fd int run_fd = make_run_folder(engine, c->id, run_dir, e);
	if (run_fd < 0)
		return run_fd;
	r = write_spec(engine, c, folder_fd, run_fd, o, &connection, e);
	if (r == 0)
		r = write_monitor(engine, c, run_fd, o, &connection.places, e);
	if (r == 0)
		r = connection.user_network >= 0
			    ? engine_uplink_publish_all(engine, c, &connection, run_fd, e)
			    : engine_ports_publish(&ports, engine, c, &connection.places, run_fd,
						   e);
	if (r == 0)
		r = engine_network_limits_set(engine, c, &connection.places, run_fd, e);
	if (r == 0)
		r = engine_uplink_start(engine, c, &connection, run_fd, e);
	if (r < 0) {
		undo(engine, c, run_dir, run_fd, &connection);
		return r;
	}
	r = spawn(engine, c, folder_fd, o, &connection, &ports, ret, e);
	if (r == 0 && container_is_system(c) && spec_system_is_new(c, folder_fd) &&
	    spec_system_mark(c, folder_fd, &ignored) < 0)
		log_warning("%s: its next boot is taken for its first: %s", c->name, ignored.text);
	return r;
}
