#include "engine/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "engine/config_file.h"
#include "engine/config_mount.h"
#include "oci/image.h"

#define TEXT(member) offsetof(struct create_options, member), false
#define LIST(member) offsetof(struct create_options, member), true

struct row {
	size_t offset;
	bool list;
	const char *value;
	const char *expect; /* a part of the record as JSON, or of the error */
	size_t more_offset; /* one more option, text; more NULL: none */
	const char *more;
};

static char *environment[] = { "CALLER=here", "EMPTY=", NULL };
static const struct config_context context = { environment, "/home/me", 4, true };

static void set(struct create_options *o, size_t offset, bool list, const char *value)
{
	if (list)
		strv_add((struct strv *)((char *)o + offset), value);
	else
		*(char **)((char *)o + offset) = mem_text(value);
}

/* The record that the row's options make, as JSON; or NULL and the error. */
static char *make(const struct row *row, struct err *e)
{
	own_clear(create_options_clear) struct create_options o = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	struct oci_image_process image = { 0 };

	strv_add(&image.cmd, "sh");
	strv_add(&image.env, "FROM=image");
	strv_add(&image.env, "PATH=/bin");
	strv_add(&image.volumes, "/srv");
	set(&o, row->offset, row->list, row->value);
	if (row->more)
		set(&o, row->more_offset, false, row->more);
	int r = engine_config_make(&c, &o, &image, &context, e);
	shape_clear(&oci_image_process_shape, &image);
	if (r < 0)
		return NULL;
	own_json struct json_object *object = shape_write(&container_shape, &c);
	return mem_text(json_text(object));
}

static const struct row good[] = {
	{ TEXT(memory), "64m", "\"memory\":67108864,\"memory_swap\":134217728" },
	{ TEXT(memory), "6MB", "\"memory\":6291456" },
	{ TEXT(memory_swap), "-1", "\"memory_swap\":-1" },
	{ TEXT(memory_swappiness), "0", "\"memory_swappiness\":0" },
	{ TEXT(cpus), "1.5", "\"nanocpus\":1500000000" },
	{ TEXT(cpu_shares), "512", "\"cpu_shares\":512" },
	{ TEXT(cpu_quota), "-1", "\"cpu_quota\":-1" },
	{ TEXT(cpuset_cpus), "0-1,3", "\"cpuset_cpus\":\"0-1,3\"" },
	{ TEXT(pids_limit), "0", "\"pids\":-1" },
	{ TEXT(pids_limit), "-1", "\"pids\":-1" },
	{ TEXT(pids_limit), "77", "\"pids\":77" },
	{ TEXT(hostname), "box", "\"pids\":2048" },
	{ LIST(ulimit), "nofile=1024", "{\"name\":\"nofile\",\"soft\":1024,\"hard\":1024}" },
	{ LIST(ulimit), "core=0:-1", "{\"name\":\"core\",\"soft\":0,\"hard\":-1}" },
	{ LIST(ulimit), "memlock=unlimited", "{\"name\":\"memlock\",\"soft\":-1,\"hard\":-1}" },
	{ LIST(device_read_bps), "/dev/sda:1mb", "{\"path\":\"/dev/sda\",\"rate\":1048576}" },
	{ LIST(device_write_iops), "/dev/sda:10", "{\"path\":\"/dev/sda\",\"rate\":10}" },
	{ LIST(blkio_weight_device), "/dev/sda:500", "{\"path\":\"/dev/sda\",\"rate\":500}" },
	{ TEXT(cgroup_parent), "/a//b/", "\"cgroup_parent\":\"/a/b\"" },
	{ TEXT(view), "limits", "\"view\":\"limits\"" },
	{ LIST(rule), "memory:log=1g pids:sigterm=9",
	  "{\"resource\":\"memory\",\"action\":\"log\",\"amount\":1073741824},"
	  "{\"resource\":\"pids\",\"action\":\"sigterm\",\"amount\":9}" },
	{ TEXT(immutable), "fixed", "\"read_only\":true,\"immutable\":\"fixed\"" },
	{ LIST(deny), "raw_sockets", "\"cap_drop\":[\"CAP_NET_RAW\"]" },
	{ LIST(deny), "mount", "\"deny\":[\"mount\"]" },
	{ TEXT(children_max), "0", "\"children_max\":0" },
	{ TEXT(children_max), "3", "\"children_max\":3", offsetof(struct create_options, pid),
	  "private" },
	{ LIST(allow), "raw_sockets", "\"cap_add\":[\"CAP_NET_RAW\"]" },
	{ LIST(autostart_group), "a b", "\"groups\":[\"a\",\"b\"]" },
	{ TEXT(autostart_delay), "5", "\"delay_s\":5" },
	{ TEXT(user), "1000:nogroup", "\"user\":\"1000:nogroup\"" },
	{ TEXT(user), "4294967294", "\"user\":\"4294967294\"" },
	{ TEXT(workdir), "/srv/../tmp/", "\"workdir\":\"/tmp\"" },
	{ LIST(env), "CALLER", "\"CALLER=here\"" },
	{ LIST(env), "EMPTY", "\"EMPTY=\"" },
	{ LIST(env), "FROM", "\"env\":[\"PATH=/bin\"]" },
	{ LIST(env), "FROM=me", "\"env\":[\"FROM=me\",\"PATH=/bin\"]" },
	{ LIST(label), "a=b=c", "\"labels\":{\"a\":\"b=c\"}" },
	{ LIST(label), "a", "\"labels\":{\"a\":\"\"}" },
	{ LIST(cap_add), "net_admin", "\"cap_add\":[\"CAP_NET_ADMIN\"]" },
	{ LIST(cap_add), "all", "\"cap_add\":[\"ALL\"]" },
	{ LIST(cap_drop), "CAP_KILL", "\"cap_drop\":[\"CAP_KILL\"]" },
	{ LIST(security_opt), "no-new-privileges", "\"no_new_privileges\":true" },
	{ LIST(security_opt), "no-new-privileges:true", "\"no_new_privileges\":true" },
	{ LIST(security_opt), "seccomp=unconfined", "\"seccomp\":\"unconfined\"" },
	{ LIST(security_opt), "systempaths=unconfined", "\"unmask_all\":true" },
	{ LIST(security_opt), "unmask=ALL", "\"unmask_all\":true" },
	{ LIST(security_opt), "mask=/proc/x:/a/", "\"mask\":[\"/proc/x\",\"/a\"]" },
	{ LIST(security_opt), "label=disable", "\"label\":\"disable\"" },
	{ LIST(security_opt), "apparmor=mine", "\"apparmor\":\"mine\"" },
	{ LIST(device), "/dev/fuse", "\"target\":\"/dev/fuse\",\"permissions\":\"rwm\"" },
	{ LIST(device), "/dev/fuse:r", "\"target\":\"/dev/fuse\",\"permissions\":\"r\"" },
	{ LIST(device), "/dev/a:/dev/b:rw", "\"target\":\"/dev/b\",\"permissions\":\"rw\"" },
	{ LIST(hook), "stop,timeout=5=/bin/x a 'b c' ; start=/y",
	  "\"hooks\":[{\"point\":\"stop\","
	  "\"path\":\"/bin/x\",\"args\":[\"a\",\"b c\"],\"timeout_s\":5},{\"point\":\"start\"" },
	{ LIST(hook), "mount=/x a=b,timeout=3", "\"path\":\"/x\",\"args\":[\"a=b,timeout=3\"]" },
	{ LIST(device_cgroup_rule), "c 10:* rw", "\"device_rules\":[\"c 10:* rw\"]" },
	{ LIST(sysctl), "net.ipv4.ip_forward=1", "{\"net.ipv4.ip_forward\":\"1\"}" },
	{ TEXT(pid), "container:web", "\"pid\":\"container:web\"" },
	{ TEXT(pid), "host", "\"init\":false", 0, NULL },
	{ TEXT(ipc), "shareable", "\"ipc\":\"shareable\"" },
	{ LIST(network), "container:web", "\"mode\":\"container:web\"" },
	{ LIST(network), "default",
	  "\"mode\":\"bridge\",\"endpoints\":[{\"network\":\"bridge\"}]" },
	{ LIST(network), "private", "\"mode\":\"bridge\"" },
	{ LIST(dns), "1.2.3.4", "\"network\":{\"mode\":\"bridge\"" },
	{ LIST(network), "web", "\"endpoints\":[{\"network\":\"web\"}]" },
	{ LIST(add_host), "a=1.2.3.4", "\"add_host\":[\"a:1.2.3.4\"]" },
	{ LIST(add_host), "a:[::1]", "\"add_host\":[\"a:::1\"]" },
	{ TEXT(restart), "on-failure:3", "\"policy\":\"on-failure\",\"max_retries\":3" },
	{ TEXT(restart), "always", "\"policy\":\"always\"" },
	{ TEXT(health_cmd), "true", "\"test\":[\"CMD-SHELL\",\"true\"]" },
	{ TEXT(health_interval), "1m30s", "\"interval_ns\":90000000000" },
	{ TEXT(health_retries), "5", "\"retries\":5" },
	{ TEXT(autostart), "-3", "\"when\":\"yes\",\"order\":-3" },
	{ TEXT(autostart), "no", "\"when\":\"no\"" },
	{ TEXT(timeout), "9", "\"timeout_s\":9" },
	{ LIST(requires), "a,b", "\"requires\":[\"a\",\"b\"]" },
	{ TEXT(stop_timeout), "-1", "\"stop_timeout_s\":-1" },
	{ TEXT(stop_signal), "rtmin+3", "\"stop_signal\":\"rtmin+3\"" },
	{ LIST(log_opt), "max-size=1m", "\"options\":{\"max-size\":\"1m\"}" },
	{ TEXT(entrypoint), "/init", "\"entrypoint\":[\"/init\"]", 0, NULL },
	{ TEXT(shm_size), "1g", "\"shm_bytes\":1073741824" },
	{ LIST(storage_opt), "size=10g", "\"size\":10737418240" },
	{ LIST(volume), "/srv", "\"target\":\"/srv\",\"anonymous\":true}" },
	{ LIST(volume), "v:/data", "\"target\":\"/srv\",\"anonymous\":true,\"of_image\":true" },
};

START_TEST(options_become_the_record)
{
	struct err e = { 0 };
	own_free char *text = make(&good[_i], &e);

	ck_assert_msg(text != NULL, "%s: %s", good[_i].value, e.text);
	/* false members are not written */
	if (!strcmp(good[_i].expect, "\"init\":false"))
		ck_assert_msg(!strstr(text, "\"init\""), "%s", text);
	else
		ck_assert_msg(strstr(text, good[_i].expect) != NULL, "%s: %s not in %s",
			      good[_i].value, good[_i].expect, text);
}
END_TEST

static const struct row bad[] = {
	{ TEXT(memory), "5m", "--memory 5m: at least 6 MiB" },
	{ TEXT(memory), "-1", "--memory" },
	{ TEXT(memory), "9999999999999t", "--memory" },
	{ TEXT(memory_swap), "64m", "needs --memory" },
	{ TEXT(cpus), "4.1", "this host has 4" },
	{ TEXT(cpus), "0.001", "at least 0.01" },
	{ TEXT(cpuset_cpus), "1-", "--cpuset-cpus 1-: not a list such as 0-3,7" },
	{ TEXT(cpuset_cpus), "3-1", "--cpuset-cpus" },
	{ TEXT(cpuset_mems), "0,", "--cpuset-mems" },
	{ TEXT(cpus), "1", "exclude each other", offsetof(struct create_options, cpu_quota),
	  "5000" },
	{ TEXT(oom_score_adj), "-1001", "--oom-score-adj" },
	{ TEXT(blkio_weight), "1001", "--blkio-weight" },
	{ LIST(blkio_weight_device), "/dev/sda:5", "10 to 1000" },
	{ LIST(device_read_bps), "/dev/sda", "as in /dev/sda:1mb" },
	{ LIST(ulimit), "nofile=2:1", "soft limit is above the hard one" },
	{ LIST(ulimit), "nofile=-1:5", "soft limit is above the hard one" },
	{ TEXT(cgroup_parent), "/a/../../b", "no '..'" },
	{ TEXT(view), "all", "--view all: not one of limits, host" },
	{ LIST(rule), "memory:log", "not RESOURCE:ACTION=AMOUNT" },
	{ LIST(rule), "memory=log:1", "not RESOURCE:ACTION=AMOUNT" },
	{ LIST(rule), "disk:log=1", "not one of memory, pids, cpu" },
	{ LIST(rule), "pids:sigbeep=1", "not one of log, throttle" },
	{ LIST(rule), "pids:log=0", "--rule pids:log=0" },
	{ TEXT(children_max), "-1", "--children-max" },
	{ TEXT(children_max), "3", "not with --pid host", offsetof(struct create_options, pid),
	  "host" },
	{ TEXT(immutable), "yes", "not one of strict, fixed, flexible" },
	{ LIST(deny), "mont", "--deny mont: not one of" },
	{ LIST(allow), "mount", "no switch for it" },
	{ LIST(autostart_group), "a/b", "not a name" },
	{ TEXT(autostart_delay), "-1", "--autostart-delay" },
	{ TEXT(user), "4294967295", "--user" },
	{ TEXT(user), "a:b:c", "USER[:GROUP]" },
	{ TEXT(user), "-1", "--user" },
	{ TEXT(workdir), "tmp", "not an absolute path" },
	{ LIST(env), "=x", "no name before '='" },
	{ LIST(env), "", "KEY=VALUE or KEY" },
	{ LIST(label), "=x", "no name before '='" },
	{ LIST(annotation), "org.holm.init=true", "reserved" },
	{ LIST(cap_add), "NOSUCH", "--cap-add" },
	{ LIST(security_opt), "seccomp", "needs a value" },
	{ LIST(security_opt), "mask=proc", "not an absolute path" },
	{ LIST(security_opt), "nosuch=1", "not one of" },
	{ LIST(device), "fuse", "HOST-PATH" },
	{ LIST(device), "vendor.com/gpu=all", "HOST-PATH" },
	{ LIST(device), "/dev/a:b:rwm", "not an absolute path" },
	{ LIST(hook), "before=/x", "'before' is no point" },
	{ LIST(hook), "stop", "not POINT" },
	{ LIST(hook), "stop=bin/x", "not an absolute path" },
	{ LIST(hook), "stop=/bin/../x", "it could be '/x'" },
	{ LIST(hook), "stop=/x 'y", "not closed" },
	{ LIST(hook), "stop,timeout=0=/x", "'0'" },
	{ LIST(hook), "stop,timeout=86401=/x", "86401" },
	{ LIST(device_cgroup_rule), "c 1:3", "as in 'c 10:* rw'" },
	{ LIST(device_cgroup_rule), "x 1:3 r", "as in" },
	{ LIST(device_cgroup_rule), "c 1: r", "as in" },
	{ LIST(sysctl), "kernel.panic=1", "--sysctl" },
	{ LIST(sysctl), "net.x", "KEY=VALUE" },
	{ TEXT(pid), "container:", "--pid" },
	{ TEXT(uts), "container:x", "--uts" },
	{ LIST(network), "container:", "--network" },
	{ LIST(network), "a/b", "not a network's name" },
	{ LIST(add_host), "a:nonsense", "not an IP address" },
	{ LIST(add_host), "nothing", "NAME:ADDRESS" },
	{ LIST(dns), "x", "not an IP address" },
	{ TEXT(restart), "always:3", "--restart" },
	{ TEXT(restart), "on-failure:-1", "--restart" },
	{ TEXT(health_timeout), "999us", "less than 1ms" },
	{ TEXT(health_start_period), "-1s", "--health-start-period" },
	{ TEXT(health_retries), "-1", "--health-retries" },
	{ TEXT(health_on_failure), "kill", "there is no health check" },
	{ TEXT(autostart), "soon", "--autostart" },
	{ TEXT(timeout), "-1", "--timeout" },
	{ LIST(requires), "a,,b", "an empty name" },
	{ TEXT(stop_signal), "0", "--stop-signal" },
	{ TEXT(stop_timeout), "-2", "--stop-timeout" },
	{ LIST(log_opt), "colour=x", "--log-opt" },
	{ TEXT(log_driver), "syslog", "--log-driver" },
	{ TEXT(hostname), "a b", "--hostname" },
	{ TEXT(hostname), "x", "exclude each other", offsetof(struct create_options, uts), "host" },
	{ TEXT(shm_size), "0", "more than 0" },
	{ LIST(storage_opt), "size=", "--storage-opt size: '' is not a size" },
	{ LIST(storage_opt), "size=0k", "more than 0" },
	{ LIST(storage_opt), "inodes=5", "not size=SIZE" },
	{ LIST(volumes_from), ":ro", "CONTAINER[:ro|rw|z|Z]" },
	{ LIST(attach), "nothing", "--attach" },
	{ TEXT(pull), "maybe", "--pull" },
};

START_TEST(what_makes_no_sense_is_named)
{
	struct err e = { 0 };
	own_free char *text = make(&bad[_i], &e);

	ck_assert_msg(text == NULL, "%s was taken", bad[_i].value);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_msg(strstr(e.text, bad[_i].expect) != NULL, "%s: %s", bad[_i].value, e.text);
}
END_TEST

/* ---- mounts ---- */

static const struct {
	char how; /* v, m or t */
	const char *text;
	const char *expect;
} mounts[] = {
	{ 'v', "/a:/b", "{\"type\":\"bind\",\"source\":\"/a\",\"target\":\"/b\"" },
	{ 'v', "/a/../c:/b//d/", "\"source\":\"/c\",\"target\":\"/b/d\"" },
	{ 'v', "./x:/b", "\"source\":\"/home/me/x\"" },
	{ 'v', "..:/b", "\"source\":\"/home\"" },
	{ 'v', "/a:/b:ro", "\"read_only\":true" },
	{ 'v', "/a:/b:ro,Z,rslave", "\"relabel\":\"Z\",\"propagation\":\"rslave\"" },
	{ 'v', "/a:/b:bind", "\"non_recursive\":true" },
	{ 'v', "name:/b", "{\"type\":\"volume\",\"name\":\"name\",\"target\":\"/b\"}" },
	{ 'v', "name:/b:nocopy", "\"no_copy\":true" },
	{ 'v', "/b", "{\"type\":\"volume\",\"target\":\"/b\",\"anonymous\":true}" },
	{ 'm', "type=bind,src=/a,dst=/b",
	  "{\"type\":\"bind\",\"source\":\"/a\",\"target\":\"/b\"}" },
	{ 'm', "dst=/b,type=bind,source=/a,ro=1", "\"read_only\":true" },
	{ 'm', "type=bind,src=/a,dst=/b,readonly,bind-recursive=readonly",
	  "\"strict_read_only\":true" },
	{ 'm', "type=bind,\"src=/a,b\",dst=/c", "\"source\":\"/a,b\"" },
	{ 'm', "type=bind,\"src=/a\"\"b\",dst=/c", "\"source\":\"/a\\\"b\"" },
	{ 'm', "dst=/b", "{\"type\":\"volume\",\"target\":\"/b\",\"anonymous\":true}" },
	{ 'm', "type=volume,src=v,dst=/b,volume-label=a=b", "\"volume_labels\":{\"a\":\"b\"}" },
	{ 'm', "type=volume,src=v,dst=/b,volume-subpath=x//y", "\"subpath\":\"x/y\"" },
	{ 'm', "type=bind,src=/a,dst=/b,bind-subpath=x/y", "\"subpath\":\"x/y\"" },
	{ 'm', "type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=0700",
	  "\"options\":[\"size=1048576\",\"mode=700\"]" },
	{ 'm', "type=image,src=alpine,dst=/b", "{\"type\":\"image\",\"source\":\"alpine\"" },
	{ 't', "/b", "{\"type\":\"tmpfs\",\"target\":\"/b\"}" },
	{ 't', "/b:size=1m,exec", "\"options\":[\"size=1m\",\"exec\"]" },
	{ 't', "/b:ro", "\"read_only\":true" },
	/* refused */
	{ 'v', "", "--volume" },
	{ 'v', ":", "--volume" },
	{ 'v', "/a:", "--volume" },
	{ 'v', "a:b", "not an absolute path" },
	{ 'v', "/a:/", "cannot be '/'" },
	{ 'v', "/a:/b:ro:x", "SOURCE" },
	{ 'v', "/a:/b:", "--volume" },
	{ 'v', "/a:/b:ro,ro", "both" },
	{ 'v', "/a:/b:slave,shared", "two propagations" },
	{ 'v', "n:/b:shared", "no propagation" },
	{ 'v', "/a:/b:nocopy", "no option" },
	{ 'v', "../../x y:/b", "\"source\":\"/x y\"" },
	{ 'm', "", "--mount" },
	{ 'm', "type=bind,src=/a", "target" },
	{ 'm', "type=bind,dst=/a", "source" },
	{ 'm', "type=bind,src=/a,dst=b", "absolute" },
	{ 'm', "type=none,dst=/b", "type 'none'" },
	{ 'm', "type=bind,src=/a,dst=/b,bind-recursive=readonly", "needs readonly" },
	{ 'm', "type=bind,src=/a,dst=/b,bind-propagation=x", "'x' is none of" },
	{ 'm', "type=volume,dst=/b,volume-subpath=x", "named volume" },
	{ 'm', "type=volume,src=v,dst=/b,volume-subpath=../x", "below the source" },
	{ 'm', "type=volume,src=v,dst=/b,volume-driver=nfs", "local" },
	{ 'm', "type=tmpfs,dst=/b,tmpfs-mode=8", "octal" },
	{ 'm', "type=tmpfs,dst=/b,tmpfs-size=x", "tmpfs-size" },
	{ 'm', "type=tmpfs,dst=/b,\"x", "a quote that does not end" },
	{ 'm', "\"type=tmpfs\"x,dst=/b", "behind a quoted field" },
	{ 't', "b", "absolute" },
	{ 't', "/b:nosuch", "no option" },
	{ 't', "/b:size=", "no option" },
};

START_TEST(mounts_are_read_as_docker_spells_them)
{
	own_clear(container_mount_clear) struct container_mount mount = { 0 };
	const char *text = mounts[_i].text;
	struct err e = { 0 };
	int r = mounts[_i].how == 'v'   ? config_mount_volume(&mount, text, "/home/me", &e)
		: mounts[_i].how == 'm' ? config_mount_mount(&mount, text, "/home/me", &e)
					: config_mount_tmpfs(&mount, text, &e);

	own_json struct json_object *object = shape_write(&container_mount_shape, &mount);
	const char *result = r < 0 ? e.text : json_text(object);
	ck_assert_msg((r == 0) == (mounts[_i].expect[0] == '{' || mounts[_i].expect[0] == '"'),
		      "%s: %s", text, result);
	ck_assert_msg(strstr(result, mounts[_i].expect) != NULL, "%s: %s", text, result);
}
END_TEST

/* ---- files ---- */

static const struct {
	const char *text;
	const char *expect; /* the assignments, each followed by a bar; or the error */
	bool fails;
} files[] = {
	{ "A=1\nB=2\n", "A=1|B=2|" },
	{ "A=1", "A=1|" },
	{ "A=1\r\nB=2\r\n", "A=1|B=2|" },
	{ "\xef\xbb\xbf"
	  "A=1\n",
	  "A=1|" },
	{ "# x\n\n  \n\t#y\nA=1\n", "A=1|" },
	{ "  A= b c \n", "A= b c |" },
	{ "A=b=c\n", "A=b=c|" },
	{ "A=\"quoted\"\n", "A=\"quoted\"|" },
	{ "CALLER\nNOBODY\n", "CALLER=here|" },
	{ "A=#no comment\n", "A=#no comment|" },
	{ "", "" },
	{ "A B=1\n", "line 1: the name 'A B' has blanks", true },
	{ "A=1\n=2\n", "line 2: no name before '='", true },
};

START_TEST(environment_files_are_read_as_docker_does)
{
	own_clear(strv_clear) struct strv list = { 0 };
	own_clear(str_clear) struct str joined = { 0 };
	struct err e = { 0 };
	const char *text = files[_i].text;
	int r = config_env_text(&list, text, strlen(text), environment, &e);

	ck_assert_int_eq(r < 0, files[_i].fails);
	str_add(&joined, "");
	for (size_t i = 0; i < list.count; i++)
		str_addf(&joined, "%s|", list.items[i]);
	if (r == 0)
		ck_assert_str_eq(joined.text, files[_i].expect);
	else
		ck_assert_msg(strstr(e.text, files[_i].expect) != NULL, "%s", e.text);
}
END_TEST

START_TEST(a_nul_in_a_file_is_refused)
{
	own_clear(strv_clear) struct strv list = { 0 };
	struct err e = { 0 };

	ck_assert_int_lt(config_env_text(&list, "A=1\0x\n", 7, NULL, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "NUL"));
}
END_TEST

START_TEST(without_a_command_nothing_can_run)
{
	own_clear(create_options_clear) struct create_options o = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	struct err e = { 0 };

	ck_assert_int_lt(engine_config_make(&c, &o, NULL, &context, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "no command"));
}
END_TEST

START_TEST(a_given_entrypoint_takes_the_images_command_away)
{
	own_clear(create_options_clear) struct create_options o = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	struct oci_image_process image = { 0 };
	struct err e = { 0 };

	strv_add(&image.entrypoint, "/entry");
	strv_add(&image.cmd, "cmd");
	o.entrypoint = mem_text("/mine");
	ck_assert_int_eq(engine_config_make(&c, &o, &image, &context, &e), 0);
	ck_assert_uint_eq(c.process.entrypoint.count, 1);
	ck_assert_str_eq(c.process.entrypoint.items[0], "/mine");
	ck_assert_uint_eq(c.process.command.count, 0);
	shape_clear(&oci_image_process_shape, &image);
}
END_TEST

UNIT_MAIN("engine/config", UNIT_LOOP(options_become_the_record, COUNT_OF(good)),
	  UNIT_LOOP(what_makes_no_sense_is_named, COUNT_OF(bad)),
	  UNIT_LOOP(mounts_are_read_as_docker_spells_them, COUNT_OF(mounts)),
	  UNIT_LOOP(environment_files_are_read_as_docker_does, COUNT_OF(files)),
	  UNIT(a_nul_in_a_file_is_refused), UNIT(without_a_command_nothing_can_run),
	  UNIT(a_given_entrypoint_takes_the_images_command_away))
