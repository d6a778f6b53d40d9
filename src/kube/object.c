#include "kube/object.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/yaml.h"

#define FIELD(name, type, of, member)                                                              \
	{                                                                                          \
		name, KUBE_READ_##type, offsetof(struct of, member)                                \
	}
#define NESTED(name, type, of, member, shape)                                                      \
	{                                                                                          \
		name, KUBE_READ_##type, offsetof(struct of, member), &shape                        \
	}
#define LEFT_OUT(name, why)                                                                        \
	{                                                                                          \
		name, KUBE_READ_LEFT_OUT, 0, NULL, why                                             \
	}
#define QUIETLY(name)                                                                              \
	{                                                                                          \
		name, KUBE_READ_QUIETLY, 0, NULL, NULL                                             \
	}
#define REFUSED(name, why)                                                                         \
	{                                                                                          \
		name, KUBE_READ_REFUSED, 0, NULL, why                                              \
	}
#define SHAPE(name, of, ...)                                                                       \
	static const struct kube_read_field name##_fields[] = { __VA_ARGS__, { 0 } };              \
	static const struct kube_read_shape name = { sizeof(struct of), name##_fields }

static const char one_machine[] = "there is one machine";
static const char no_cluster[] = "there is no cluster here";

SHAPE(metadata, kube_metadata, FIELD("name", TEXT, kube_metadata, name),
      FIELD("labels", MAP, kube_metadata, labels),
      FIELD("annotations", MAP, kube_metadata, annotations), QUIETLY("creationTimestamp"),
      QUIETLY("uid"), QUIETLY("resourceVersion"), QUIETLY("generation"), QUIETLY("managedFields"),
      QUIETLY("selfLink"), LEFT_OUT("namespace", "names are of one kind here"),
      LEFT_OUT("ownerReferences", no_cluster), LEFT_OUT("finalizers", no_cluster),
      REFUSED("generateName", "names are not made up here: write a name"));

/* ---- of a container ---- */

SHAPE(port, kube_port, FIELD("name", TEXT, kube_port, name),
      FIELD("hostIP", TEXT, kube_port, host_ip), FIELD("protocol", TEXT, kube_port, protocol),
      FIELD("containerPort", INT, kube_port, container_port),
      FIELD("hostPort", INT, kube_port, host_port));

SHAPE(key, kube_key, FIELD("name", TEXT, kube_key, name), FIELD("key", TEXT, kube_key, key),
      FIELD("optional", BOOL, kube_key, optional));

SHAPE(whole, kube_key, FIELD("name", TEXT, kube_key, name),
      FIELD("optional", BOOL, kube_key, optional));

SHAPE(field_ref, kube_field_ref, FIELD("fieldPath", TEXT, kube_field_ref, path),
      QUIETLY("apiVersion"));

SHAPE(resource_ref, kube_resource_ref, FIELD("containerName", TEXT, kube_resource_ref, container),
      FIELD("resource", TEXT, kube_resource_ref, resource),
      FIELD("divisor", SCALAR, kube_resource_ref, divisor));

SHAPE(env_source, kube_env_source,
      NESTED("configMapKeyRef", OBJECT, kube_env_source, config_map, key),
      NESTED("secretKeyRef", OBJECT, kube_env_source, secret, key),
      NESTED("fieldRef", OBJECT, kube_env_source, field, field_ref),
      NESTED("resourceFieldRef", OBJECT, kube_env_source, resource, resource_ref));

SHAPE(variable, kube_variable, FIELD("name", TEXT, kube_variable, name),
      FIELD("value", TEXT, kube_variable, value),
      NESTED("valueFrom", OBJECT, kube_variable, from, env_source));

SHAPE(env_from, kube_env_from, FIELD("prefix", TEXT, kube_env_from, prefix),
      NESTED("configMapRef", OBJECT, kube_env_from, config_map, whole),
      NESTED("secretRef", OBJECT, kube_env_from, secret, whole));

static const char storage_limit[] = "holm does not limit the disk that a container takes";
SHAPE(limits, kube_amounts, FIELD("cpu", SCALAR, kube_amounts, cpu),
      FIELD("memory", SCALAR, kube_amounts, memory), REFUSED("ephemeral-storage", storage_limit));

SHAPE(requests, kube_amounts, FIELD("cpu", SCALAR, kube_amounts, cpu),
      FIELD("memory", SCALAR, kube_amounts, memory),
      LEFT_OUT("ephemeral-storage", "all disk that there is can be had"));

SHAPE(resources, kube_resources, NESTED("limits", OBJECT, kube_resources, limits, limits),
      NESTED("requests", OBJECT, kube_resources, requests, requests));

SHAPE(selinux, kube_selinux, FIELD("user", TEXT, kube_selinux, user),
      FIELD("role", TEXT, kube_selinux, role), FIELD("type", TEXT, kube_selinux, type),
      FIELD("level", TEXT, kube_selinux, level));

SHAPE(profile, kube_profile, FIELD("type", TEXT, kube_profile, type),
      FIELD("localhostProfile", TEXT, kube_profile, file));

SHAPE(capabilities, kube_capabilities, FIELD("add", TEXTS, kube_capabilities, add),
      FIELD("drop", TEXTS, kube_capabilities, drop));

SHAPE(sysctl, kube_sysctl, FIELD("name", TEXT, kube_sysctl, name),
      FIELD("value", TEXT, kube_sysctl, value));

#define SECURITY                                                                                   \
	FIELD("runAsUser", INT, kube_security, user),                                              \
		FIELD("runAsGroup", INT, kube_security, group),                                    \
		FIELD("runAsNonRoot", BOOL, kube_security, non_root),                              \
		NESTED("seLinuxOptions", OBJECT, kube_security, selinux, selinux),                 \
		NESTED("seccompProfile", OBJECT, kube_security, seccomp, profile),                 \
		NESTED("appArmorProfile", OBJECT, kube_security, apparmor, profile),               \
		REFUSED("windowsOptions", "this is Linux")

SHAPE(security, kube_security, SECURITY, FIELD("privileged", BOOL, kube_security, privileged),
      FIELD("readOnlyRootFilesystem", BOOL, kube_security, read_only),
      FIELD("allowPrivilegeEscalation", BOOL, kube_security, escalation),
      FIELD("procMount", TEXT, kube_security, proc_mount),
      NESTED("capabilities", OBJECT, kube_security, capabilities, capabilities));

SHAPE(pod_security, kube_security, SECURITY, FIELD("fsGroup", INT, kube_security, fs_group),
      FIELD("supplementalGroups", SCALARS, kube_security, groups),
      NESTED("sysctls", LIST, kube_security, sysctls, sysctl),
      LEFT_OUT("fsGroupChangePolicy", "the owner is set when a volume is made"),
      REFUSED("supplementalGroupsPolicy", "it is Merge"));

SHAPE(exec, kube_exec, FIELD("command", TEXTS, kube_exec, command));

SHAPE(http, kube_http, FIELD("host", TEXT, kube_http, host), FIELD("path", TEXT, kube_http, path),
      FIELD("port", SCALAR, kube_http, port), FIELD("scheme", TEXT, kube_http, scheme),
      REFUSED("httpHeaders", "a check sends no headers of its own"));

SHAPE(tcp, kube_tcp, FIELD("host", TEXT, kube_tcp, host), FIELD("port", SCALAR, kube_tcp, port));

SHAPE(probe, kube_probe, NESTED("exec", OBJECT, kube_probe, exec, exec),
      NESTED("httpGet", OBJECT, kube_probe, http, http),
      NESTED("tcpSocket", OBJECT, kube_probe, tcp, tcp),
      FIELD("initialDelaySeconds", INT, kube_probe, initial_delay),
      FIELD("periodSeconds", INT, kube_probe, period),
      FIELD("timeoutSeconds", INT, kube_probe, timeout),
      FIELD("failureThreshold", INT, kube_probe, failures),
      FIELD("successThreshold", INT, kube_probe, successes),
      REFUSED("grpc", "holm speaks no gRPC: exec, httpGet or tcpSocket"),
      LEFT_OUT("terminationGracePeriodSeconds", "the container's own counts"));

SHAPE(mount, kube_mount, FIELD("name", TEXT, kube_mount, name),
      FIELD("mountPath", TEXT, kube_mount, path), FIELD("subPath", TEXT, kube_mount, sub_path),
      FIELD("readOnly", BOOL, kube_mount, read_only),
      FIELD("mountPropagation", TEXT, kube_mount, propagation),
      REFUSED("subPathExpr", "write it out as subPath"),
      LEFT_OUT("recursiveReadOnly", "what is read-only is so in all depth"));

SHAPE(container, kube_container, FIELD("name", TEXT, kube_container, name),
      FIELD("image", TEXT, kube_container, image),
      FIELD("imagePullPolicy", TEXT, kube_container, pull),
      FIELD("workingDir", TEXT, kube_container, workdir),
      FIELD("restartPolicy", TEXT, kube_container, restart),
      FIELD("command", TEXTS, kube_container, command), FIELD("args", TEXTS, kube_container, args),
      NESTED("env", LIST, kube_container, env, variable),
      NESTED("envFrom", LIST, kube_container, env_from, env_from),
      NESTED("ports", LIST, kube_container, ports, port),
      NESTED("volumeMounts", LIST, kube_container, mounts, mount),
      NESTED("resources", OBJECT, kube_container, resources, resources),
      NESTED("securityContext", OBJECT, kube_container, security, security),
      NESTED("livenessProbe", OBJECT, kube_container, liveness, probe),
      NESTED("startupProbe", OBJECT, kube_container, startup, probe),
      FIELD("stdin", BOOL, kube_container, stdin), FIELD("tty", BOOL, kube_container, tty),
      LEFT_OUT("readinessProbe", "no Service waits for it"),
      LEFT_OUT("stdinOnce", "the standard input stays open"), QUIETLY("terminationMessagePath"),
      QUIETLY("terminationMessagePolicy"), QUIETLY("resizePolicy"),
      REFUSED("lifecycle", "hooks are not supported: put it into the command, or into an init "
			   "container"),
      REFUSED("volumeDevices", "block devices are hostPath with the type BlockDevice"));

/* ---- of a pod ---- */

SHAPE(host_path, kube_host_path, FIELD("path", TEXT, kube_host_path, path),
      FIELD("type", TEXT, kube_host_path, type));

SHAPE(empty_dir, kube_empty_dir, FIELD("medium", TEXT, kube_empty_dir, medium),
      FIELD("sizeLimit", SCALAR, kube_empty_dir, size));

SHAPE(item, kube_item, FIELD("key", TEXT, kube_item, key), FIELD("path", TEXT, kube_item, path),
      FIELD("mode", INT, kube_item, mode));

#define FILES                                                                                      \
	NESTED("items", LIST, kube_files, items, item),                                            \
		FIELD("defaultMode", INT, kube_files, mode),                                       \
		FIELD("optional", BOOL, kube_files, optional)
SHAPE(config_files, kube_files, FIELD("name", TEXT, kube_files, name), FILES);
SHAPE(secret_files, kube_files, FIELD("secretName", TEXT, kube_files, name), FILES);

SHAPE(claimed, kube_claimed, FIELD("claimName", TEXT, kube_claimed, name),
      FIELD("readOnly", BOOL, kube_claimed, read_only));

SHAPE(volume, kube_volume, FIELD("name", TEXT, kube_volume, name),
      NESTED("hostPath", OBJECT, kube_volume, host_path, host_path),
      NESTED("emptyDir", OBJECT, kube_volume, empty_dir, empty_dir),
      NESTED("configMap", OBJECT, kube_volume, config_map, config_files),
      NESTED("secret", OBJECT, kube_volume, secret, secret_files),
      NESTED("persistentVolumeClaim", OBJECT, kube_volume, claim, claimed));

SHAPE(alias, kube_alias, FIELD("ip", TEXT, kube_alias, ip),
      FIELD("hostnames", TEXTS, kube_alias, names));

SHAPE(dns_option, kube_dns_option, FIELD("name", TEXT, kube_dns_option, name),
      FIELD("value", TEXT, kube_dns_option, value));

SHAPE(dns, kube_dns, FIELD("nameservers", TEXTS, kube_dns, servers),
      FIELD("searches", TEXTS, kube_dns, searches),
      NESTED("options", LIST, kube_dns, options, dns_option));

SHAPE(os, kube_os, FIELD("name", TEXT, kube_os, name));

SHAPE(pod, kube_pod, NESTED("containers", LIST, kube_pod, containers, container),
      NESTED("initContainers", LIST, kube_pod, init_containers, container),
      NESTED("volumes", LIST, kube_pod, volumes, volume),
      NESTED("hostAliases", LIST, kube_pod, aliases, alias),
      NESTED("securityContext", OBJECT, kube_pod, security, pod_security),
      NESTED("dnsConfig", OBJECT, kube_pod, dns, dns), NESTED("os", OBJECT, kube_pod, os, os),
      FIELD("restartPolicy", TEXT, kube_pod, restart), FIELD("hostname", TEXT, kube_pod, hostname),
      FIELD("dnsPolicy", TEXT, kube_pod, dns_policy),
      FIELD("terminationGracePeriodSeconds", INT, kube_pod, grace),
      FIELD("activeDeadlineSeconds", INT, kube_pod, deadline),
      FIELD("hostNetwork", BOOL, kube_pod, host_network),
      FIELD("hostPID", BOOL, kube_pod, host_pid), FIELD("hostIPC", BOOL, kube_pod, host_ipc),
      FIELD("hostUsers", BOOL, kube_pod, host_users),
      FIELD("shareProcessNamespace", BOOL, kube_pod, share_pid),
      FIELD("setHostnameAsFQDN", BOOL, kube_pod, fqdn), LEFT_OUT("nodeName", one_machine),
      LEFT_OUT("nodeSelector", one_machine), LEFT_OUT("affinity", one_machine),
      LEFT_OUT("tolerations", one_machine), LEFT_OUT("topologySpreadConstraints", one_machine),
      LEFT_OUT("schedulerName", one_machine), LEFT_OUT("priority", one_machine),
      LEFT_OUT("priorityClassName", one_machine), LEFT_OUT("preemptionPolicy", one_machine),
      LEFT_OUT("overhead", one_machine), LEFT_OUT("schedulingGates", one_machine),
      LEFT_OUT("serviceAccountName", no_cluster), LEFT_OUT("serviceAccount", no_cluster),
      QUIETLY("automountServiceAccountToken"), QUIETLY("enableServiceLinks"),
      LEFT_OUT("subdomain", no_cluster), LEFT_OUT("readinessGates", no_cluster),
      LEFT_OUT("imagePullSecrets", "holm login says who pulls"),
      REFUSED("runtimeClassName", "holm runs it: take it out"),
      REFUSED("ephemeralContainers", "holm exec looks into a container"),
      REFUSED("resourceClaims", "devices are given by hostPath"));

/* ---- documents ---- */

SHAPE(template, kube_template, NESTED("metadata", OBJECT, kube_template, metadata, metadata),
      NESTED("spec", OBJECT, kube_template, spec, pod));

static const char no_rollout[] = "what is new replaces what was there (--replace)";
SHAPE(workload, kube_workload, FIELD("replicas", INT, kube_workload, replicas),
      FIELD("backoffLimit", INT, kube_workload, backoff),
      FIELD("activeDeadlineSeconds", INT, kube_workload, deadline),
      FIELD("completions", INT, kube_workload, completions),
      FIELD("parallelism", INT, kube_workload, parallelism),
      FIELD("suspend", BOOL, kube_workload, suspend), FIELD("paused", BOOL, kube_workload, paused),
      NESTED("template", OBJECT, kube_workload, pod, template), QUIETLY("selector"),
      LEFT_OUT("strategy", no_rollout), LEFT_OUT("updateStrategy", no_rollout),
      QUIETLY("minReadySeconds"), QUIETLY("revisionHistoryLimit"),
      QUIETLY("progressDeadlineSeconds"), QUIETLY("completionMode"), QUIETLY("manualSelector"),
      LEFT_OUT("ttlSecondsAfterFinished", "holm kube down removes it"),
      REFUSED("podFailurePolicy", "backoffLimit and restartPolicy say it here"),
      REFUSED("successPolicy", "there is one completion"));

#define COMMON                                                                                     \
	FIELD("kind", TEXT, kube_object, kind), QUIETLY("apiVersion"), QUIETLY("status"),          \
		NESTED("metadata", OBJECT, kube_object, metadata, metadata)

SHAPE(of_pod, kube_object, COMMON, NESTED("spec", OBJECT, kube_object, pod, pod));
SHAPE(of_workload, kube_object, COMMON, NESTED("spec", OBJECT, kube_object, workload, workload));
SHAPE(of_config_map, kube_object, COMMON, FIELD("data", MAP, kube_object, more),
      FIELD("binaryData", MAP, kube_object, data), QUIETLY("immutable"));
SHAPE(of_secret, kube_object, COMMON, FIELD("stringData", MAP, kube_object, more),
      FIELD("data", MAP, kube_object, data), QUIETLY("immutable"), QUIETLY("type"));
/* what is asked for of a volume is all there: its size is the disk's, its class the folder */
SHAPE(of_claim, kube_object, COMMON, QUIETLY("spec"));

static const struct kind {
	const char *name;
	const struct kube_read_shape *shape; /* NULL: makes no difference here */
	const char *why;
} kinds[] = {
	{ "Pod", &of_pod, NULL },
	{ "Deployment", &of_workload, NULL },
	{ "ReplicaSet", &of_workload, NULL },
	{ "DaemonSet", &of_workload, NULL },
	{ "Job", &of_workload, NULL },
	{ "ConfigMap", &of_config_map, NULL },
	{ "Secret", &of_secret, NULL },
	{ "PersistentVolumeClaim", &of_claim, NULL },
	{ "Service", NULL, "a hostPort, or --publish, is what leads to a pod" },
	{ "Namespace", NULL, "names are of one kind here" },
	{ "ServiceAccount", NULL, "there is no cluster here" },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; name && i < COUNT_OF(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

int kube_object_read(struct kube_object **ret, struct pool *pool, const struct yaml_node *node,
		     const char *file, struct err *e)
{
	const char *name = yaml_text(node, "kind");
	const struct kind *kind = find_kind(name);
	void *object = NULL;

	*ret = NULL;
	if (!name)
		return err_set(e, ERR_INVALID, "%s:%u: it has no kind: no object of Kubernetes",
			       file, node->line);
	if (!kind) {
		err_set(e, ERR_UNSUPPORTED, "%s:%u: kind %s is not supported", file, node->line,
			name);
		return err_hint(e, "Pod, Deployment, DaemonSet, Job, ConfigMap, Secret and "
				   "PersistentVolumeClaim are");
	}
	if (!kind->shape) {
		log_warning("%s:%u: the %s is left out: %s", file, node->line, name, kind->why);
		return 0;
	}
	int r = kube_read(&object, pool, kind->shape, node, file, e);
	if (r < 0)
		return r;
	*ret = object;
	if (!(*ret)->metadata || str_empty((*ret)->metadata->name))
		return err_set(e, ERR_INVALID, "%s:%u: the %s has no metadata.name", file,
			       node->line, name);
	return 0;
}
