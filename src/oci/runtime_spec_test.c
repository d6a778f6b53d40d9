#include "oci/runtime_spec.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"

/* Each member of the Linux part at least once, in the order of the tables, so that what is
 * written must equal what was read. */
static const char every_member[] =
	"{\"ociVersion\":\"1.3.0\",\"process\":{\"terminal\":true,"
	"\"consoleSize\":{\"height\":25,\"width\":80},"
	"\"user\":{\"uid\":1,\"gid\":2,\"umask\":18,\"additionalGids\":[5,6],\"username\":\"u\"},"
	"\"args\":[\"sh\"],\"env\":[\"A=B\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],\"inheritable\":[\"CAP_KILL\"],"
	"\"permitted\":[\"CAP_KILL\"],\"ambient\":[\"CAP_KILL\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":18446744073709551615,\"soft\":0}],"
	"\"noNewPrivileges\":true,\"apparmorProfile\":\"p\",\"oomScoreAdj\":-5,"
	"\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":-1,\"priority\":2,\"flags\":[\"f\"],"
	"\"runtime\":1,\"deadline\":2,\"period\":3},\"selinuxLabel\":\"l\","
	"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":0},"
	"\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"1\"}},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"h\","
	"\"domainname\":\"d\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\","
	"\"source\":\"proc\",\"options\":[\"ro\"],"
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}]}],"
	"\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"args\":[\"a\"],\"env\":[\"b=c\"],"
	"\"timeout\":1}],\"createRuntime\":[{\"path\":\"/a\"}],"
	"\"createContainer\":[{\"path\":\"/a\"}],\"startContainer\":[{\"path\":\"/a\"}],"
	"\"poststart\":[{\"path\":\"/a\"}],\"poststop\":[{\"path\":\"/a\"}]},"
	"\"annotations\":{\"a.b\":\"c\"},"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"}],"
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
	"\"timeOffsets\":{\"monotonic\":{\"secs\":-1,\"nanosecs\":2}},"
	"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3,"
	"\"fileMode\":438,\"uid\":0,\"gid\":0}],\"netDevices\":{\"eth0\":{\"name\":\"x\"}},"
	"\"cgroupsPath\":\"/c\",\"resources\":{\"devices\":[{\"allow\":false,\"type\":\"c\","
	"\"major\":1,\"minor\":-1,\"access\":\"rwm\"}],\"memory\":{\"limit\":1,"
	"\"reservation\":2,\"swap\":-1,\"kernel\":3,\"kernelTCP\":4,\"swappiness\":0,"
	"\"disableOOMKiller\":false,\"useHierarchy\":true,\"checkBeforeUpdate\":true},"
	"\"cpu\":{\"shares\":2,\"quota\":-1,\"burst\":1,\"period\":100000,"
	"\"realtimeRuntime\":1,\"realtimePeriod\":2,\"cpus\":\"0\",\"mems\":\"0\",\"idle\":1},"
	"\"pids\":{\"limit\":0},\"blockIO\":{\"weight\":10,\"leafWeight\":11,"
	"\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":500,\"leafWeight\":300}],"
	"\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1}],"
	"\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":2}],"
	"\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":3}],"
	"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":4}]},"
	"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":5}],"
	"\"network\":{\"classID\":1,\"priorities\":[{\"name\":\"e\",\"priority\":2}]},"
	"\"rdma\":{\"mlx5\":{\"hcaHandles\":3,\"hcaObjects\":4}},"
	"\"unified\":{\"memory.high\":\"1\"}},\"rootfsPropagation\":\"private\","
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
	"\"architectures\":[\"SCMP_ARCH_X86_64\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
	"\"listenerPath\":\"/s\",\"listenerMetadata\":\"m\",\"syscalls\":[{\"names\":[\"read\"],"
	"\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":38,\"args\":[{\"index\":5,"
	"\"value\":18446744073709551615,\"valueTwo\":1,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]},"
	"\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},\"maskedPaths\":[\"/proc/kcore\"],"
	"\"readonlyPaths\":[\"/proc/sys\"],\"mountLabel\":\"ml\",\"intelRdt\":{\"closID\":\"c\","
	"\"schemata\":[\"L3:0=f\"],\"l3CacheSchema\":\"x\",\"memBwSchema\":\"y\","
	"\"enableMonitoring\":true},\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\","
	"\"flags\":[\"MPOL_F_STATIC_NODES\"]},\"personality\":{\"domain\":\"LINUX32\","
	"\"flags\":[\"f\"]}}}";

START_TEST(every_member_survives_reading_and_writing)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_json struct json_object *object = NULL;
	struct err e;

	int r = json_parse(&object, every_member, strlen(every_member), "spec", &e);
	ck_assert_msg(r == 0, "%s", e.text);
	r = shape_read(&oci_spec_shape, object, &spec, &e);
	ck_assert_msg(r == 0, "%s", e.text);
	own_json struct json_object *written = shape_write(&oci_spec_shape, &spec);
	ck_assert_str_eq(json_text(written), every_member);
}
END_TEST

START_TEST(a_namespace_is_found_by_its_type)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };

	shape_list_add(&spec.linux_.namespaces)->type = mem_text("pid");
	shape_list_add(&spec.linux_.namespaces)->type = mem_text("user");
	ck_assert_ptr_eq(oci_spec_namespace(&spec, "user"), &spec.linux_.namespaces.items[1]);
	ck_assert_ptr_null(oci_spec_namespace(&spec, "time"));
}
END_TEST

UNIT_MAIN("oci/runtime_spec", UNIT(every_member_survives_reading_and_writing),
	  UNIT(a_namespace_is_found_by_its_type))
