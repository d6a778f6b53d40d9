/* `holm doctor`: facts of this host and what each missing one disables. One table of checks; none
 * of them changes anything. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <linux/magic.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/doctor_kernel.h"
#include "cli/doctor_user.h"
#include "cli/format.h"
#include "cli/host.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "runtime/capability.h"
#include "runtime/cgroup.h"
#include "runtime/lsm.h"
#include "storage/store.h"

enum verdict {
	FINE,
	LESS, /* something does not work, or works worse */
	BAD,  /* no container can run */
};

static const char *const verdict_names[] = { "ok", "less", "BAD" };

/* What a check has found. */
struct finding {
	enum verdict verdict;
	char *fact;
};

struct check {
	const char *name;
	void (*run)(struct finding *to, const char *about);
	const char *about; /* the device, program or controller in question */
	const char *disables;
	const char *advice; /* what to do about it; NULL: nothing that holm could name */
};

static void set(struct finding *to, enum verdict verdict, char *fact)
{
	to->verdict = verdict;
	to->fact = fact;
}

/* ---- the kernel ---- */

static void check_kernel(struct finding *to, const char *about)
{
	struct utsname names;

	(void)about;
	uname(&names);
	/* mount_setattr(2) */
	set(to, cli_host_kernel_is(5, 12) ? FINE : BAD, mem_format("Linux %s", names.release));
}

static void check_filesystem(struct finding *to, const char *about)
{
	bool has = cli_host_has_filesystem(about);

	set(to, has ? FINE : BAD, mem_text(has ? "there" : "not in this kernel"));
}

static void check_namespace(struct finding *to, const char *about)
{
	own_free char *path = mem_format("/proc/self/ns/%s", about);
	bool has = access(path, F_OK) == 0;

	set(to, has ? FINE : BAD, mem_text(has ? "there" : "not in this kernel"));
}

static void check_userns(struct finding *to, const char *about)
{
	own_free char *most = cli_host_line("/proc/sys/user/max_user_namespaces");
	own_free char *unprivileged = cli_host_line("/proc/sys/kernel/unprivileged_userns_clone");

	(void)about;
	if (!most || str_equal(most, "0"))
		set(to, LESS,
		    mem_text(most ? "switched off (user.max_user_namespaces is 0)"
				  : "not in this kernel"));
	else if (str_equal(unprivileged, "0"))
		set(to, LESS, mem_text("root alone (kernel.unprivileged_userns_clone is 0)"));
	else
		set(to, FINE, mem_format("up to %s", most));
}

static void check_seccomp(struct finding *to, const char *about)
{
	own_free char *actions = cli_host_line("/proc/sys/kernel/seccomp/actions_avail");

	(void)about;
	set(to, actions ? FINE : BAD, mem_text(actions ? actions : "not in this kernel"));
}

static void check_lsm(struct finding *to, const char *about)
{
	(void)about;
	bool any = runtime_lsm_has_apparmor() || runtime_lsm_has_selinux();

	set(to, any ? FINE : LESS,
	    mem_text(runtime_lsm_has_apparmor()  ? "AppArmor"
		     : runtime_lsm_has_selinux() ? "SELinux"
						 : "neither AppArmor nor SELinux is active"));
}

static void check_optional_filesystem(struct finding *to, const char *about)
{
	bool has = cli_host_has_filesystem(about);

	set(to, has ? FINE : LESS, mem_text(has ? "there" : "not in this kernel, or not loaded"));
}

static void check_landlock(struct finding *to, const char *about)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	(void)about;
	/* version 1 refuses every rename between folders, so holm-image does without */
	set(to, version >= 2 ? FINE : LESS,
	    version > 0 ? mem_format("version %ld", version) : mem_text("not active"));
}

static void check_modules(struct finding *to, const char *about)
{
	own_free char *disabled = cli_host_line("/proc/sys/kernel/modules_disabled");
	uint64_t one = 0;
	struct err ignored;

	(void)about;
	runtime_capability_parse(&one, "SYS_MODULE", &ignored);
	if (!disabled)
		set(to, LESS, mem_text("this kernel has no modules"));
	else if (str_equal(disabled, "1"))
		set(to, LESS, mem_text("switched off (kernel.modules_disabled is 1)"));
	else if (!(runtime_capability_own() & one))
		set(to, LESS, mem_text("CAP_SYS_MODULE is missing"));
	else
		set(to, FINE, mem_text("can be loaded"));
}

static void check_exists(struct finding *to, const char *about)
{
	bool has = access(about, F_OK) == 0;

	set(to, has ? FINE : LESS, mem_text(has ? "there" : "not in this kernel, or not loaded"));
}

static void set_probed(struct finding *to, int probed)
{
	if (probed < 0)
		set(to, LESS, mem_format("not known: %s", strerrordesc_np(-probed)));
	else
		set(to, probed ? FINE : LESS, mem_text(probed ? "there" : "not in this kernel"));
}

static void check_link(struct finding *to, const char *about)
{
	set_probed(to, cli_doctor_kernel_link(about));
}

static void check_nftables(struct finding *to, const char *about)
{
	(void)about;
	set_probed(to, cli_doctor_kernel_nftables());
}

static void check_active_lsm(struct finding *to, const char *about)
{
	int active = cli_doctor_kernel_lsm(about);

	set_probed(to, active);
	if (active == 0) {
		free(to->fact);
		to->fact = mem_text("not active");
	}
}

/* ---- cgroups ---- */

static void check_cgroup(struct finding *to, const char *about)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_clear(str_clear) struct str list = { 0 };
	struct err e;

	(void)about;
	if (runtime_cgroup_host_read(&host, &e) < 0) {
		set(to, BAD, mem_text(e.text));
		return;
	}
	str_add(&list, host.layout);
	for (size_t i = 0; i < host.hierarchies.count; i++)
		str_addf(&list, "%s%s", i ? ", " : ": ",
			 *host.hierarchies.items[i].controllers
				 ? host.hierarchies.items[i].controllers
				 : host.hierarchies.items[i].mount);
	set(to, str_equal(host.layout, "none") ? LESS : FINE, str_take(&list));
}

static void check_controller(struct finding *to, const char *about)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err e;

	bool has =
		runtime_cgroup_host_read(&host, &e) == 0 && runtime_cgroup_host_has(&host, about);
	set(to, has ? FINE : LESS, mem_text(has ? "there" : "not there"));
}

static void check_systemd(struct finding *to, const char *about)
{
	(void)about;
	set(to, FINE,
	    mem_text(cli_host_has_systemd() ? "systemd; cgroups by files all the same"
					    : "no systemd; cgroups by files"));
}

/* ---- rights ---- */

static void check_user(struct finding *to, const char *about)
{
	(void)about;
	set(to, FINE, geteuid() == 0 ? mem_text("root") : mem_format("user %u", geteuid()));
}

static void check_user_ranges(struct finding *to, const char *about)
{
	to->verdict = cli_doctor_user_ranges(&to->fact, about) ? FINE : LESS;
}

static void check_user_namespace(struct finding *to, const char *about)
{
	(void)about;
	to->verdict = cli_doctor_user_namespace(&to->fact) ? FINE : BAD;
}

static void check_user_cgroup(struct finding *to, const char *about)
{
	(void)about;
	to->verdict = cli_doctor_user_cgroup(&to->fact) ? FINE : LESS;
}

static void check_user_boot(struct finding *to, const char *about)
{
	(void)about;
	to->verdict = cli_doctor_user_boot(&to->fact) ? FINE : LESS;
}

static void check_user_network(struct finding *to, const char *about)
{
	(void)about;
	to->verdict = cli_doctor_user_network(&to->fact) ? FINE : LESS;
}

static void check_capability(struct finding *to, const char *about)
{
	uint64_t one = 0;
	struct err ignored;

	runtime_capability_parse(&one, about, &ignored);
	bool has = runtime_capability_own() & one;
	set(to, has ? FINE : LESS, mem_text(has ? "there" : "missing from the bounding set"));
}

static void check_propagation(struct finding *to, const char *about)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(strv_clear) struct strv lines = { 0 };
	struct err ignored;
	bool shared = false;

	(void)about;
	fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, &ignored);
	strv_split(&lines, text.text ? text.text : "", '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (strstr(lines.items[i], " / / "))
			shared = strstr(lines.items[i], " shared:") != NULL;
	set(to, shared ? FINE : LESS, mem_text(shared ? "shared" : "private"));
}

/* ---- devices and programs ---- */

static void check_device(struct finding *to, const char *about)
{
	struct stat st;

	if (stat(about, &st) < 0) {
		set(to, LESS, mem_text(errno == ENOENT ? "not there" : strerrordesc_np(errno)));
		return;
	}
	bool everyone = (st.st_mode & 0006) == 0006;
	set(to, everyone ? FINE : LESS,
	    mem_format("mode %04o%s", st.st_mode & 07777, everyone ? "" : ", root alone"));
}

static void check_program(struct finding *to, const char *about)
{
	own_free char *path = cli_host_program(about);

	set(to, path ? FINE : LESS, mem_text(path ? path : "not installed"));
}

static void check_own_program(struct finding *to, const char *about)
{
	const char *folder = getenv("HOLM_LIBEXEC");
	own_free char *path = mem_format("%s/%s", str_empty(folder) ? HOLM_LIBEXEC : folder, about);
	bool has = access(path, X_OK) == 0;

	set(to, has ? FINE : BAD,
	    has ? take_ptr(&path) : mem_format("%s: %s", path, strerrordesc_np(errno)));
}

static const struct check checks[] = {
	{ "kernel", check_kernel, NULL, "everything: Linux 5.12 is the oldest that will do",
	  "boot a newer kernel" },
	{ "overlayfs", check_filesystem, "overlay", "containers from images",
	  "modprobe overlay, or a kernel with CONFIG_OVERLAY_FS" },
	{ "tmpfs", check_filesystem, "tmpfs", "/dev, /dev/shm and --tmpfs" },
	{ "mount namespace", check_namespace, "mnt", "every container" },
	{ "PID namespace", check_namespace, "pid", "every container" },
	{ "network namespace", check_namespace, "net", "every container but --network host" },
	{ "IPC namespace", check_namespace, "ipc", "every container but --ipc host" },
	{ "UTS namespace", check_namespace, "uts", "every container but --uts host" },
	{ "cgroup namespace", check_namespace, "cgroup", "every container but --cgroupns host" },
	{ "time namespace", check_namespace, "time", "clocks of their own" },
	{ "user namespaces", check_userns, NULL, "ids of their own, and holm for ordinary users",
	  "sysctl user.max_user_namespaces=15000; on Debian kernel.unprivileged_userns_clone=1" },
	{ "seccomp", check_seccomp, NULL, "the system call filter, and so every container" },
	{ "security module", check_lsm, NULL, "--security-opt apparmor= and label=",
	  "boot with security=apparmor or security=selinux" },
	{ "cgroups", check_cgroup, NULL, "all limits, pause, and OOM reports",
	  "mount -t cgroup2 none /sys/fs/cgroup" },
	{ "cgroup memory", check_controller, "memory", "--memory and its kin; OOM reports",
	  "boot with cgroup_enable=memory" },
	{ "cgroup cpu", check_controller, "cpu", "--cpus, --cpu-shares, --cpu-quota" },
	{ "cgroup cpuset", check_controller, "cpuset", "--cpuset-cpus, --cpuset-mems" },
	{ "cgroup pids", check_controller, "pids", "--pids-limit, and with it the default limit" },
	{ "Landlock", check_landlock, NULL,
	  "one of the walls around holm-image; --security-opt landlock=",
	  "boot with landlock among lsm=" },
	{ "kernel modules", check_modules, NULL,
	  "whatever this kernel has as modules that nobody loaded yet",
	  "load what is needed on the host before" },
	{ "BPF LSM", check_active_lsm, "bpf", "programs of the host's that guard containers",
	  "boot with bpf among lsm=" },
	{ "bridge", check_link, "bridge", "networks of a bridge, and so most", "modprobe bridge" },
	{ "veth", check_link, "veth", "networks of a bridge, and so most", "modprobe veth" },
	{ "macvlan", check_link, "macvlan", "network create --driver macvlan", "modprobe macvlan" },
	{ "ipvlan", check_link, "ipvlan", "network create --driver ipvlan", "modprobe ipvlan" },
	{ "vlan", check_link, "vlan", "networks on a VLAN of the host's", "modprobe 8021q" },
	{ "vxlan", check_link, "vxlan", "networks over several hosts", "modprobe vxlan" },
	{ "dummy", check_link, "dummy",
	  "links without a counterpart, for containers that make them", "modprobe dummy" },
	{ "nftables", check_nftables, NULL, "published ports and the firewall of bridges",
	  "modprobe nf_tables" },
	{ "btrfs", check_optional_filesystem, "btrfs", "volume create -o type=btrfs",
	  "modprobe btrfs" },
	{ "xfs", check_optional_filesystem, "xfs", "volume create -o type=xfs", "modprobe xfs" },
	{ "erofs", check_optional_filesystem, "erofs", "volume create -o type=erofs",
	  "modprobe erofs" },
	{ "squashfs", check_optional_filesystem, "squashfs", "volume create -o type=squashfs",
	  "modprobe squashfs" },
	{ "fuse", check_optional_filesystem, "fuse", "FUSE filesystems in containers",
	  "modprobe fuse" },
	{ "virtiofs", check_optional_filesystem, "virtiofs",
	  "volume create -o type=virtiofs, in a virtual machine", "modprobe virtiofs" },
	{ "9p", check_optional_filesystem, "9p", "volume create -o type=9p, in a virtual machine",
	  "modprobe 9p 9pnet_virtio" },
	{ "IPVS", check_exists, "/proc/net/ip_vs",
	  "Docker Swarm's load balancing in front of holm-runtime", "modprobe ip_vs" },
	{ "service manager", check_systemd, NULL, NULL },
	{ "user", check_user },
	{ "CAP_SYS_ADMIN", check_capability, "SYS_ADMIN", "every container" },
	{ "CAP_SYS_RESOURCE", check_capability, "SYS_RESOURCE",
	  "raising limits (--ulimit above holm's own) and negative --oom-score-adj",
	  "start holm with it, where this is a container itself" },
	{ "CAP_NET_ADMIN", check_capability, "NET_ADMIN", "networks",
	  "start holm with it, where this is a container itself" },
	{ "CAP_MKNOD", check_capability, "MKNOD", "devices in images; --cap-add MKNOD",
	  "start holm with it, where this is a container itself" },
	{ "mount of /", check_propagation, NULL,
	  "--volume with rshared or rslave seeing mounts the host makes later",
	  "mount --make-rshared /" },
	{ "/dev/net/tun", check_device, "/dev/net/tun", "user-mode networks of ordinary users",
	  "chmod 0666 /dev/net/tun, by a udev rule" },
	{ "/dev/fuse", check_device, "/dev/fuse", "FUSE filesystems of ordinary users",
	  "chmod 0666 /dev/fuse, by a udev rule" },
	{ "/dev/kvm", check_device, "/dev/kvm", "fast virtual machines of ordinary users",
	  "add the user to the group kvm, and give that the device" },
	{ "nft", check_program, "nft", "published ports and firewalls", "install nftables" },
	{ "newuidmap", check_program, "newuidmap", "more than one id for ordinary users",
	  "install uidmap" },
	{ "newgidmap", check_program, "newgidmap", "more than one group for ordinary users",
	  "install uidmap" },
	{ "pasta", check_program, "pasta", "networks of ordinary users (slirp4netns will do)",
	  "install passt, or slirp4netns" },
	{ "mmdebstrap", check_program, "mmdebstrap", "template:debian/... images",
	  "install mmdebstrap" },
	{ "criu", check_program, "criu", "checkpoints", "install criu" },
	{ "qemu", check_program, "qemu-system-x86_64", "virtual machines",
	  "install qemu-system-x86" },
	{ "holm-monitor", check_own_program, "holm-monitor", "every container",
	  "install holm as a whole, or set HOLM_LIBEXEC" },
	{ "holm-init", check_own_program, "holm-init", "every container but with --no-init" },
	{ "holm-proxy", check_own_program, "holm-proxy", "ports of ::1 and of ordinary users" },
	{ "holm-image", check_own_program, "holm-image", "pull, load and save" },
};

/* Of an ordinary user alone. */
static const struct check user_checks[] = {
	{ "user namespace of yours", check_user_namespace, NULL, "every container",
	  "what it says, by an administrator" },
	{ "user ids", check_user_ranges, "/etc/subuid",
	  "users in containers but root, who is you; and none of them another's",
	  "usermod --add-subuids 300000-365535 NAME, by root, with ids that nobody has" },
	{ "group ids", check_user_ranges, "/etc/subgid", "groups in containers but root's",
	  "usermod --add-subgids 300000-365535 NAME, by root, with ids that nobody has" },
	{ "cgroup of yours", check_user_cgroup, NULL,
	  "limits: --memory, --cpus, --pids-limit; pause, stats; booting systemd (launch)",
	  "a systemd of yours (a login, or loginctl enable-linger); or chown the folder to you" },
	{ "boot of yours", check_user_boot, NULL, "containers that run from boot on",
	  "loginctl enable-linger; systemctl --user enable holm-autostart" },
	{ "network of yours", check_user_network, NULL,
	  "the network of containers but loopback; --publish",
	  "install slirp4netns; chmod 0666 /dev/net/tun, by a udev rule" },
};

/* ---- the folders ---- */

static void add_finding(struct json_object *rows, const char *name, struct finding *f,
			const char *disables, const char *advice)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "Name", json_object_new_string(name));
	json_object_object_add(row, "Verdict", json_object_new_string(verdict_names[f->verdict]));
	json_object_object_add(row, "Fact", json_object_new_string(f->fact));
	json_object_object_add(row, "Disables",
			       json_object_new_string(f->verdict && disables ? disables : ""));
	json_object_object_add(row, "Advice",
			       json_object_new_string(f->verdict && advice ? advice : ""));
	json_object_array_add(rows, row);
	free(f->fact);
}

static enum verdict check_folders(struct json_object *rows, struct cli *cli)
{
	struct finding root = { 0 }, run = { 0 }, overlay = { 0 };
	struct engine *engine;
	struct statfs fs;
	char size[16];
	struct err e;

	if (cli_command_engine(cli, &engine, &e) < 0) {
		set(&root, BAD, mem_text(e.text));
		add_finding(rows, "root folder", &root, "everything",
			    "see the reason; another folder goes by --root");
		return BAD;
	}
	if (statfs(engine->store->root, &fs) == 0) {
		number_format_bytes(size, (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize);
		set(&root, FINE, mem_format("%s, %s free", engine->store->root, size));
		add_finding(rows, "root folder", &root, NULL, NULL);
	}
	if (user_ids_are_mapped()) {
		bool can = cli_doctor_user_storage(&overlay.fact, engine->store->root_fd);
		overlay.verdict = can ? FINE : LESS;
		add_finding(rows, "overlayfs of yours", &overlay,
			    "the speed of files, which fuse-overlayfs is not known for; without "
			    "either, layers: a root is a copy, without diff, commit, snapshots",
			    "--root DIR (or HOLM_ROOT) on ext4, xfs, btrfs; install "
			    "fuse-overlayfs");
	}
	if (statfs(engine->store->run, &fs) == 0) {
		bool tmpfs = fs.f_type == TMPFS_MAGIC;
		set(&run, tmpfs ? FINE : LESS,
		    mem_format("%s%s", engine->store->run, tmpfs ? "" : " is not on a tmpfs"));
		add_finding(rows, "run folder", &run, "fast starts; and state goes at a reboot",
			    "mount a tmpfs there, or name one by --run");
	}
	return FINE;
}

static const char *const headers[] = { "Name",     "WHAT",     "Verdict", "VERDICT", "Fact", "FACT",
				       "Disables", "DISABLES", "Advice",  "ADVICE",  NULL };

static const struct cli_format_list list = {
	.table = "{{.Verdict}}\t{{.Name}}\t{{.Fact}}{{if .Disables}}; without: {{.Disables}}{{end}}"
		 "{{if .Advice}}; try: {{.Advice}}{{end}}",
	.headers = headers,
	.id = "Name",
};

struct doctor_options {
	char *format;
};

#define OPTIONS struct doctor_options
static const struct option table[] = {
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ 0 },
};
#undef OPTIONS

/* Was one of them BAD? */
static bool run_checks(struct json_object *rows, const struct check *table_of, size_t count)
{
	bool bad = false;

	for (size_t i = 0; i < count; i++) {
		struct finding f = { 0 };
		table_of[i].run(&f, table_of[i].about);
		bad = bad || f.verdict == BAD;
		add_finding(rows, table_of[i].name, &f, table_of[i].disables, table_of[i].advice);
	}
	return bad;
}

static int run_doctor(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct doctor_options *o = options;
	own_json struct json_object *rows = json_object_new_array();
	bool bad = false;

	(void)args;
	bad = run_checks(rows, checks, COUNT_OF(checks));
	if (geteuid() != 0)
		bad = run_checks(rows, user_checks, COUNT_OF(user_checks)) || bad;
	bad = check_folders(rows, cli) == BAD || bad;
	int r = cli_format_rows(&list, rows, o->format, false, e);
	return r < 0 ? r : bad ? 1 : 0;
}

const struct cli_command cli_doctor = {
	.names = "doctor",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Show what this host lacks, and what that disables",
	.options = table,
	.size = sizeof(struct doctor_options),
	.run = run_doctor,
};
