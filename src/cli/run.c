/* `holm run` and `holm create`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/inherited.h"
#include "cli/profile.h"
#include "cli/relay.h"
#include "cli/run.h"
#include "engine/create.h"
#include "engine/engine.h"
#include "engine/pods.h"
#include "runtime/inherited.h"

#define OPTIONS struct create_options

const struct option cli_run_table[] = {
	OPTION_HEADING("Foreground and background"),
	{ "detach", 'd', OPTION_FLAG(detach), NULL, "return once it runs, and print its id" },
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it running (ctrl-p,ctrl-q)" },
	{ "sig-proxy", 0, OPTION_TOGGLE(sig_proxy), NULL,
	  "pass the signals holm gets on to it (on unless =false)" },
	CLI_INHERITED_OPTIONS,

	OPTION_HEADING("Streams"),
	{ "interactive", 'i', OPTION_FLAG(interactive), NULL, "send it the standard input" },
	{ "tty", 't', OPTION_FLAG(tty), NULL, "give it a terminal" },
	{ "attach", 'a', OPTION_STRINGS(attach), "STREAM", "only stdin, stdout or stderr",
	  "stdin|stdout|stderr" },

	OPTION_HEADING("Identity"),
	{ "profile", 0, OPTION_STRINGS(profile), "NAME,...",
	  "options from files of configuration, the last one counts most: holm-run(1)" },
	{ "name", 0, OPTION_STRING(name), "NAME", "its name; else one is made up" },
	{ "replace", 0, OPTION_FLAG(replace), NULL,
	  "remove the container of this --name first, also if it runs" },
	{ "rm", 0, OPTION_FLAG(rm), NULL, "remove it when it ends" },
	{ "entrypoint", 0, OPTION_STRING(entrypoint), "PROGRAM",
	  "run this in the place of the image's entrypoint; '' takes it away" },
	{ "workdir", 'w', OPTION_STRING(workdir), "DIR", "working directory in the container" },
	{ "user", 'u', OPTION_STRING(user), "USER[:GROUP]", "names or numbers, of the container" },
	{ "group-add", 0, OPTION_STRINGS(group_add), "GROUP", "one more group for its process" },
	{ "env", 'e', OPTION_STRINGS(env), "KEY=VALUE",
	  "set a variable; KEY alone takes the caller's value" },
	{ "env-file", 0, OPTION_STRINGS(env_file), "FILE", "a file of such lines", "file:" },
	{ "env-host", 0, OPTION_FLAG(env_host), NULL,
	  "the caller's variables, where neither image nor options set them" },
	{ "env-merge", 0, OPTION_STRINGS(env_merge), "KEY=VALUE",
	  "set a variable; ${NAME} in it is what the image has" },
	{ "http-proxy", 0, OPTION_FLAG(http_proxy), NULL,
	  "of the caller's variables http_proxy, https_proxy, ftp_proxy and no_proxy" },
	{ "unsetenv", 0, OPTION_STRINGS(unset_env), "KEY", "without this variable of the image" },
	{ "unsetenv-all", 0, OPTION_FLAG(unset_env_all), NULL, "without the image's variables" },
	{ "umask", 0, OPTION_STRING(umask), "MODE", "what its new files lack, as in 0027 (0022)" },
	{ "tz", 0, OPTION_STRING(tz), "ZONE",
	  "its time zone, as in Europe/Paris; local: that of the host" },
	{ "hostname", 'h', OPTION_STRING(hostname), "NAME", "host name in the container" },
	{ "domainname", 0, OPTION_STRING(domainname), "NAME", "domain name in the container" },
	{ "label", 'l', OPTION_STRINGS(label), "KEY=VALUE", "attach a label" },
	{ "label-file", 0, OPTION_STRINGS(label_file), "FILE", "a file of such lines", "file:" },
	{ "annotation", 0, OPTION_STRINGS(annotation), "KEY=VALUE", "annotation of the OCI spec" },
	{ "init", 0, OPTION_TOGGLE(init), NULL,
	  "holm-init as PID 1: reaps and forwards signals (on unless --no-init)" },
	{ "cidfile", 0, OPTION_STRING(cidfile), "FILE", "write its id to this new file", "file:" },
	{ "stop-signal", 0, OPTION_STRING(stop_signal), "SIGNAL", "what 'holm stop' sends" },
	{ "stop-timeout", 0, OPTION_STRING(stop_timeout), "SECONDS",
	  "then SIGKILL; -1 waits for ever" },
	{ "restart", 0, OPTION_STRING(restart), "POLICY",
	  "no, on-failure[:N], always or unless-stopped" },
	{ "autostart", 0, OPTION_STRING(autostart), "WHEN",
	  "at boot: yes, no, or a number, lower ones first (what --restart says)" },
	{ "autostart-delay", 0, OPTION_STRING(autostart_delay), "SECONDS",
	  "at boot, so long after it was started the next ones are" },
	{ "autostart-group", 0, OPTION_STRINGS(autostart_group), "NAME",
	  "holm autostart --group starts it with those of its group" },
	{ "requires", 0, OPTION_STRINGS(requires), "CONTAINER,...",
	  "start these first; they cannot be removed before it", "container:" },
	{ "hook", 0, OPTION_STRINGS(hook), "POINT=PROGRAM",
	  "run a program of the host at pre-start, mount, stop...: holm-run(1), HOOKS" },
	{ "timeout", 0, OPTION_STRING(timeout), "SECONDS", "kill it after so long" },
	{ "pull", 0, OPTION_STRING(pull), "WHEN", "always, missing or never",
	  "always|missing|never" },
	{ "mirror", 0, OPTION_STRING(mirror), "URL", "of a template: where its packages are" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "os", 0, OPTION_STRING(os), "OS", "of --platform, this part", .hidden = true },
	{ "arch", 0, OPTION_STRING(arch), "ARCH", "likewise", .hidden = true },
	{ "variant", 0, OPTION_STRING(variant), "VARIANT", "likewise", .hidden = true },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show the progress of a pull" },
	{ "log-driver", 0, OPTION_STRING(log_driver), "DRIVER",
	  "json-file, local, journald or none", "json-file|local|journald|none" },
	{ "log-opt", 0, OPTION_STRINGS(log_opt), "KEY=VALUE",
	  "max-size, max-file, tag, labels, env" },

	OPTION_HEADING("Whole systems"),
	{ "system", 0, OPTION_FLAG(system), NULL,
	  "boot the whole system of the image: its init is process 1 (holm launch)" },
	{ "in-place", 0, OPTION_FLAG(in_place), NULL,
	  "of a disk image: what it writes goes into the image" },
	{ "ephemeral", 0, OPTION_FLAG(ephemeral), NULL,
	  "remove it when it ends; a system in a folder (dir:) leaves that as it is" },
	{ "user-data", 0, OPTION_STRING(user_data), "FILE",
	  "what cloud-init is to do in a system: users, keys, packages (NoCloud)", "file:" },
	{ "systemd", 0, OPTION_STRING(systemd), "WHEN",
	  "podman's words: always is --system; true, if the command is an init; false",
	  "always|true|false", .hidden = true },

	OPTION_HEADING("Health"),
	{ "health-cmd", 0, OPTION_STRING(health_cmd), "COMMAND",
	  "a command of its shell that tells whether it is healthy" },
	{ "health-interval", 0, OPTION_STRING(health_interval), "TIME",
	  "between two checks (30s)" },
	{ "health-timeout", 0, OPTION_STRING(health_timeout), "TIME",
	  "then a check is killed and has failed (30s)" },
	{ "health-retries", 0, OPTION_STRING(health_retries), "N",
	  "so many failures in a row make it unhealthy (3)" },
	{ "health-start-period", 0, OPTION_STRING(health_start_period), "TIME",
	  "failures before this do not count (0s)" },
	{ "health-start-interval", 0, OPTION_STRING(health_start_interval), "TIME",
	  "between two checks in the start period (5s)" },
	{ "health-on-failure", 0, OPTION_STRING(health_on_failure), "ACTION",
	  "once it is unhealthy: none, kill, restart or stop", "none|kill|restart|stop" },
	{ "no-healthcheck", 0, OPTION_FLAG(no_healthcheck), NULL, "not the image's check either" },

	OPTION_HEADING("Storage"),
	{ "volume", 'v', OPTION_STRINGS(volume), "SOURCE:TARGET[:OPTS]",
	  "mount a folder of the host, or a named volume" },
	{ "mount", 0, OPTION_STRINGS(mount), "KEY=VALUE,...",
	  "type=bind, volume, tmpfs or image; source, target, readonly..." },
	{ "tmpfs", 0, OPTION_STRINGS(tmpfs), "TARGET[:OPTIONS]", "mount a tmpfs" },
	{ "image-volume", 0, OPTION_STRING(image_volume), "WHAT",
	  "what the image's VOLUMEs are: anonymous volumes, tmpfs, or nothing (ignore)",
	  "anonymous|tmpfs|ignore" },
	{ "volumes-from", 0, OPTION_STRINGS(volumes_from), "CONTAINER[:ro]",
	  "mount what another container has mounted", "container:" },
	{ "no-hosts", 0, OPTION_FLAG(no_hosts), NULL, "leave /etc/hosts to the image" },
	{ "read-only", 0, OPTION_FLAG(read_only), NULL, "the root filesystem cannot be written" },
	{ "read-only-tmpfs", 0, OPTION_FLAG(read_only_tmpfs), NULL,
	  "with --read-only: a tmpfs at /run, /tmp and /var/tmp" },
	{ "immutable", 0, OPTION_STRING(immutable), "HOW",
	  "strict; but for /var, /tmp, /run: fixed; and /etc, /root, /home: flexible",
	  "strict|fixed|flexible" },
	{ "secret", 0, OPTION_STRINGS(secret), "NAME[,KEY=VALUE,...]",
	  "a secret as /run/secrets/NAME; or type=env, target, uid, gid, mode", "secret:" },
	{ "shm-size", 0, OPTION_STRING(shm_size), "SIZE", "size of /dev/shm (64m)" },
	{ "storage-opt", 0, OPTION_STRINGS(storage_opt), "size=SIZE",
	  "limit what it writes into its root, as in size=10g" },

	OPTION_HEADING("Network"),
	{ "network", 0, OPTION_STRINGS(network), "NETWORK",
	  "NAME,..., host, none, private, container:NAME or ns:PATH", "network:" },
	{ "net", 0, OPTION_STRINGS(network), "MODE", "as --network", .hidden = true },
	{ "ip", 0, OPTION_STRING(ip), "ADDRESS", "its IPv4 address in the (first) network" },
	{ "ip6", 0, OPTION_STRING(ip6), "ADDRESS", "its IPv6 address there" },
	{ "mac-address", 0, OPTION_STRING(mac_address), "MAC", "its hardware address there" },
	{ "publish", 'p', OPTION_STRINGS(publish), "[[IP:]PORT:]PORT",
	  "a port of the host for its own; ranges, /udp: holm-port(1)" },
	{ "publish-all", 'P', OPTION_FLAG(publish_all), NULL,
	  "for each port that it exposes any free one of the host's" },
	{ "publish-mode", 0, OPTION_STRING(publish_mode), "MODE",
	  "firewall (the host's input rules say who may come), or open", "firewall|open" },
	{ "expose", 0, OPTION_STRINGS(expose), "PORTS[/PROTOCOL]", "ports that it listens on" },
	{ "network-alias", 0, OPTION_STRINGS(network_alias), "NAME",
	  "another name of it in its networks" },
	{ "net-alias", 0, OPTION_STRINGS(network_alias), "NAME", "as --network-alias",
	  .hidden = true },
	{ "link", 0, OPTION_STRINGS(link), "CONTAINER[:NAME]",
	  "call a container of the same network by this name", "container:", .hidden = true },
	{ "add-host", 0, OPTION_STRINGS(add_host), "NAME:ADDRESS",
	  "a line for /etc/hosts; host-gateway is the host's address" },
	{ "dns", 0, OPTION_STRINGS(dns), "ADDRESS", "ask this name server, not the host's" },
	{ "dns-search", 0, OPTION_STRINGS(dns_search), "DOMAIN", "search domain" },
	{ "dns-option", 0, OPTION_STRINGS(dns_option), "OPTION", "option of resolv.conf" },
	{ "dns-opt", 0, OPTION_STRINGS(dns_option), "OPTION", "as --dns-option", .hidden = true },

	OPTION_HEADING("Limits"),
	{ "memory", 'm', OPTION_STRING(memory), "SIZE", "memory, as in 512m" },
	{ "memory-swap", 0, OPTION_STRING(memory_swap), "SIZE",
	  "memory and swap together; -1: as much swap as there is" },
	{ "memory-reservation", 0, OPTION_STRING(memory_reservation), "SIZE",
	  "what it is pushed back to when memory is short" },
	{ "memory-swappiness", 0, OPTION_STRING(memory_swappiness), "N", "0 to 100" },
	{ "oom-kill-disable", 0, OPTION_FLAG(oom_kill_disable), NULL,
	  "let it wait instead of killing it when memory is used up" },
	{ "oom-score-adj", 0, OPTION_STRING(oom_score_adj), "N", "-1000 to 1000" },
	{ "cpus", 0, OPTION_STRING(cpus), "N", "CPUs, as in 1.5" },
	{ "cpu-shares", 'c', OPTION_STRING(cpu_shares), "N", "weight against others (1024)" },
	{ "cpu-period", 0, OPTION_STRING(cpu_period), "MICROSECONDS", "of the CFS quota" },
	{ "cpu-quota", 0, OPTION_STRING(cpu_quota), "MICROSECONDS", "of CPU time in a period" },
	{ "cpuset-cpus", 0, OPTION_STRING(cpuset_cpus), "LIST", "these CPUs alone, as in 0-2,4" },
	{ "cpuset-mems", 0, OPTION_STRING(cpuset_mems), "LIST", "these memory nodes alone" },
	{ "pids-limit", 0, OPTION_STRING(pids_limit), "N", "processes (2048); -1: no limit" },
	{ "ulimit", 0, OPTION_STRINGS(ulimit), "NAME=SOFT[:HARD]", "as in nofile=1024:2048" },
	{ "blkio-weight", 0, OPTION_STRING(blkio_weight), "N", "10 to 1000" },
	{ "blkio-weight-device", 0, OPTION_STRINGS(blkio_weight_device), "DEVICE:N",
	  "the same for one device" },
	{ "device-read-bps", 0, OPTION_STRINGS(device_read_bps), "DEVICE:SIZE",
	  "bytes read in a second" },
	{ "device-write-bps", 0, OPTION_STRINGS(device_write_bps), "DEVICE:SIZE",
	  "bytes written in a second" },
	{ "device-read-iops", 0, OPTION_STRINGS(device_read_iops), "DEVICE:N",
	  "reads in a second" },
	{ "device-write-iops", 0, OPTION_STRINGS(device_write_iops), "DEVICE:N",
	  "writes in a second" },
	{ "cgroup-parent", 0, OPTION_STRING(cgroup_parent), "PATH", "put its cgroup below this" },
	{ "rule", 0, OPTION_STRINGS(rule), "RESOURCE:ACTION=AMOUNT",
	  "when more of memory, pids or cpu is used: log, throttle or sigterm..." },
	{ "view", 0, OPTION_STRING(view), "WHOSE",
	  "memory, CPUs and uptime in /proc: its limits (systems), or the host's", "limits|host" },

	OPTION_HEADING("Security and namespaces"),
	{ "posture", 0, OPTION_STRING(posture), "NAME",
	  "how it is held, in one word: chroot, container, hardened or system",
	  "chroot|container|hardened|system" },
	{ "allow", 0, OPTION_STRINGS(allow), "SWITCH", "raw_sockets, reserved_ports, chroot" },
	{ "deny", 0, OPTION_STRINGS(deny), "SWITCH",
	  "those, or mlock, mount, ptrace, set_hostname, sysvipc" },
	{ "children-max", 0, OPTION_STRING(children_max), "N",
	  "containers that there may be in it, and in those; 0: none" },
	{ "privileged", 0, OPTION_FLAG(privileged), NULL,
	  "all that the caller owns: capabilities, devices, no masks" },
	{ "cap-add", 0, OPTION_STRINGS(cap_add), "CAPABILITY", "add one, or ALL" },
	{ "cap-drop", 0, OPTION_STRINGS(cap_drop), "CAPABILITY", "drop one, or ALL" },
	{ "security-opt", 0, OPTION_STRINGS(security_opt), "OPTION",
	  "seccomp=FILE|unconfined, no-new-privileges, systempaths=unconfined..." },
	{ "device", 0, OPTION_STRINGS(device), "HOST[:TARGET[:rwm]]", "give it a device", "file:" },
	{ "gpus", 0, OPTION_STRINGS(gpus), "all|DEVICE",
	  "give it graphics cards: all, or one by its name below /dev or /dev/dri" },
	{ "x11", 0, OPTION_FLAG(x11), NULL,
	  "its programs show windows on DISPLAY, with a cookie of its own" },
	{ "wayland", 0, OPTION_FLAG(wayland), NULL, "the same on WAYLAND_DISPLAY" },
	{ "audio", 0, OPTION_FLAG(audio), NULL,
	  "its programs are heard by the session's PipeWire or PulseAudio" },
	{ "device-cgroup-rule", 0, OPTION_STRINGS(device_cgroup_rule), "RULE",
	  "as in 'c 1:3 rwm'" },
	{ "sysctl", 0, OPTION_STRINGS(sysctl), "KEY=VALUE", "of its own namespaces" },
	{ "pid", 0, OPTION_STRING(pid), "MODE", "host, private or container:NAME" },
	{ "ipc", 0, OPTION_STRING(ipc), "MODE",
	  "none, private, shareable, host or container:NAME" },
	{ "uts", 0, OPTION_STRING(uts), "MODE", "host or private" },
	{ "userns", 0, OPTION_STRING(userns), "MODE",
	  "host, private, auto[:size=N...], keep-id[:uid=N,gid=N], nomap or container:NAME" },
	{ "uidmap", 0, OPTION_STRINGS(uidmap), "CONTAINER:HOST[:SIZE]",
	  "users of the host for its own" },
	{ "gidmap", 0, OPTION_STRINGS(gidmap), "CONTAINER:HOST[:SIZE]", "groups, likewise" },
	{ "subuidname", 0, OPTION_STRING(subuidname), "NAME",
	  "the ids that /etc/subuid gives to NAME" },
	{ "subgidname", 0, OPTION_STRING(subgidname), "NAME", "groups, likewise" },
	{ "cgroupns", 0, OPTION_STRING(cgroupns), "MODE", "host or private" },
	{ "init-ctr", 0, OPTION_STRING(init_ctr), "WHEN",
	  "of a pod: it ends before the others start, always or once (then it is removed)",
	  "always|once" },
	{ "pod", 0, OPTION_STRING(pod), "POD", "the namespaces of this pod; new:POD makes it first",
	  "pod:" },
	{ 0 },
};

static int set_time_zone(struct create_options *o, struct err *e)
{
	if (!o->tz)
		return 0;
	own_free char *named = mem_format("/usr/share/zoneinfo/%s", o->tz);
	own_free char *file = realpath(str_equal(o->tz, "local") ? "/etc/localtime" : named, NULL);
	struct stat st;

	if (!file || !str_starts(file, "/usr/share/zoneinfo/") || stat(file, &st) < 0 ||
	    !S_ISREG(st.st_mode) || strchr(file, ':')) {
		err_set(e, ERR_NOT_FOUND, "--tz %s: this host has no such time zone", o->tz);
		return err_hint(e, "they are the files in /usr/share/zoneinfo, as Europe/Paris");
	}
	strv_addf(&o->volume, "%s:/etc/localtime:ro", file);
	return 0;
}

/* What is said by one option and means others. */
static int expand(struct create_options *o, struct err *e)
{
	static const char *const writable[] = { "/run", "/tmp", "/var/tmp" };

	if (o->read_only_tmpfs && !o->read_only)
		return err_set(e, ERR_INVALID, "--read-only-tmpfs goes with --read-only");
	for (size_t i = 0; o->read_only_tmpfs && i < COUNT_OF(writable); i++)
		strv_add(&o->tmpfs, writable[i]);
	int r = cli_command_platform(&o->platform, o->os, o->arch, o->variant, e);
	return r < 0 ? r : set_time_zone(o, e);
}

static int replace_other(struct engine *engine, const struct create_options *o, struct err *e)
{
	const struct remove_options force = { .force = true };
	char id[CONTAINER_ID_LENGTH + 1];

	if (!o->replace)
		return 0;
	if (!o->name)
		return err_set(e, ERR_INVALID, "--replace goes with --name");
	/* not one whose id begins so */
	if (!engine_find_name(engine, o->name, id))
		return 0;
	int r = engine_create_check(o, e);
	if (r < 0)
		return r;
	r = engine_remove(engine, id, &force, e);
	return r < 0 ? err_add(e, "--replace") : 0;
}

/* image and command are no rows of the table, so end() frees them. */
static int begin(struct cli *cli, struct create_options *o, const struct strv *args,
		 struct engine **ret, struct err *e)
{
	o->image = mem_text(args->items[0]);
	for (size_t i = 1; i < args->count; i++)
		strv_add(&o->command, args->items[i]);
	int r = cli_profile_apply(o, e);
	if (r == 0)
		r = expand(o, e);
	if (r == 0)
		r = cli_command_engine(cli, ret, e);
	return r < 0 ? r : replace_other(*ret, o, e);
}

/* --pod new:NAME. *ret_made: it is to be taken back if the container cannot be made. */
static int make_pod(struct engine *engine, struct create_options *o, bool *ret_made, struct err *e)
{
	*ret_made = false;
	if (!o->pod || !str_starts(o->pod, "new:"))
		return 0;
	own_free char *id = NULL;
	own_free char *name = mem_text(o->pod + strlen("new:"));
	const struct pod_options pod = { .name = name };
	int r = engine_pods_create(engine, &pod, &id, e);
	if (r < 0)
		return err_add(e, "--pod %s", o->pod);
	mem_replace(&o->pod, name);
	*ret_made = true;
	return 0;
}

static void unmake_pod(struct engine *engine, const struct create_options *o, bool made)
{
	const struct remove_options force = { .force = true };
	struct err ignored;

	if (made)
		engine_pods_remove(engine, o->pod, &force, &ignored);
}

static void end(struct create_options *o)
{
	mem_replace(&o->image, NULL);
	strv_clear(&o->command);
}

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(container_clear) struct container container = { 0 };
	bool made;
	struct engine *engine;

	int r = begin(cli, options, args, &engine, e);
	if (r == 0)
		r = make_pod(engine, options, &made, e);
	if (r == 0) {
		r = engine_create(engine, options, &container, e);
		unmake_pod(engine, options, made && r < 0);
	}
	end(options);
	if (r == 0)
		puts(container.id);
	return r;
}

static int check(const struct create_options *o, struct cli_relay_options *relay, struct err *e)
{
	if (o->detach && o->attach.count)
		return err_set(e, ERR_INVALID, "--detach and --attach exclude each other");
	int r = cli_foreground_streams(relay, &o->attach, o->interactive, e);
	if (r == 0)
		r = cli_relay_check(o->tty && !o->detach, relay->input, o->detach_keys, e);
	relay->sig_proxy = !o->sig_proxy_given || o->sig_proxy;
	relay->owner = true;
	relay->detach_keys = o->detach_keys;
	return r;
}

static int run_run(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(container_clear) struct container container = { 0 };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct create_options *o = options;
	struct cli_relay_options relay = { 0 };
	struct runtime_inherited inherited;
	bool made;
	struct engine *engine;

	int r = cli_inherited_find(&inherited, o->preserve_fds, &o->preserve_fd, e);
	if (r == 0)
		r = check(o, &relay, e);
	if (r < 0)
		return r;
	struct start_options start = { .attach = !o->detach,
				       .interactive = relay.input,
				       .inherited = &inherited };
	cli_foreground_size(&start);
	r = begin(cli, o, args, &engine, e);
	if (r == 0)
		r = make_pod(engine, o, &made, e);
	if (r == 0) {
		r = engine_run(engine, o, &start, &container, &session, e);
		unmake_pod(engine, o, made && r < 0 && o->rm);
	}
	end(o);
	if (r < 0)
		return r;
	if (!o->detach)
		return cli_foreground(&session, &relay, container.name, e);
	puts(container.id);
	return 0;
}

const struct cli_command cli_run = {
	.names = "run|container run",
	.section = "Containers",
	.arguments = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	.summary = "Create a container from an image and run a command in it",
	.options = cli_run_table,
	.common = "detach|interactive|tty|rm|name|env|user|volume|network|publish|memory",
	.size = sizeof(struct create_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.foreground = true,
	.run = run_run,
};

const struct cli_command cli_run_create = {
	.names = "create|container create",
	.section = "Containers",
	.arguments = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
	.summary = "Create a container, to be started later",
	.options = cli_run_table + CLI_RUN_ONLY,
	.common = "detach|interactive|tty|rm|name|env|user|volume|network|publish|memory",
	.size = sizeof(struct create_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_create,
};
