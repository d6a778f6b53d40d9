#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "kube/plan.h"
#include "kube/quantity.h"

/* What is in the place of @ of a pod, and what the plan has then; after "!" an error with it. */
#define HEAD   "kind: Pod\nmetadata: {name: p, labels: {app: x}, annotations: {n: m}}\nspec:\n"
#define ONE    "  containers:\n  - name: c\n    image: i\n"
#define CONFIG "---\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: one, b.c: two}\n"
#define SECRET "---\nkind: Secret\nmetadata: {name: s}\nstringData: {k: v}\ndata: {d: ZGF0YQ==}\n"

static const struct {
	const char *text, *result;
} rows[] = {
	{ HEAD ONE, "pod p share=net,uts,ipc; p-c image=i restart=always pull=missing" },
	{ HEAD ONE "    command: [a, b]\n    args: [c]", "entry=a command=b c" },
	{ HEAD ONE "    args: ['$(X)', '$$(V)', 'x$(V)y', '$(']\n    env: [{name: V, value: w}]",
	  "command=$(X) $(V) xwy $( env=V=w" },
	{ HEAD ONE "    env: [{name: A, value: x}, {name: B, value: $(A)$(A)}]",
	  "env=A=x env=B=xx" },
	{ HEAD ONE "    env: [{name: A, value: 1}]", "!f:7: spec.containers[0].env[0].value: 1 is "
						     "no string" },
	{ HEAD ONE "    env: [{name: A, value: yes}]", "!yes is no string" },
	{ HEAD ONE "    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
	  "env=A=p" },
	{ HEAD ONE "    env: [{name: A, valueFrom: {fieldRef: "
		   "{fieldPath: \"metadata.labels['app']\"}}}]",
	  "env=A=x" },
	{ HEAD ONE "    env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
	  "!f:7: container c: variable A: the field 'status.podIP'" },
	{ HEAD ONE "    resources: {limits: {cpu: 500m, memory: 64Mi}}\n    env: [{name: A, "
		   "valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}]",
	  "env=A=64 cpus=0.500 memory=67108864" },
	{ HEAD ONE "    resources: {requests: {cpu: 1, memory: 1G}}",
	  "shares=1024 reservation=1000000000" },
	{ HEAD ONE "  securityContext: {fsGroup: 4294967296}",
	  "!f:7: pod p: fsGroup is 0 to 4294967294" },
	{ HEAD ONE "  securityContext: {fsGroup: -1}", "!fsGroup is 0 to 4294967294" },
	{ HEAD ONE "    resources: {limits: {cpu: fast}}", "!limits.cpu: 'fast' is no quantity" },
	{ HEAD ONE "    resources: {limits: {nvidia.com/gpu: 1}}",
	  "!spec.containers[0].resources.limits.nvidia.com/gpu: there is no such member" },
	{ HEAD ONE "    envFrom: [{prefix: P_, configMapRef: {name: cm}}]\n" CONFIG,
	  "env=P_a=one env=P_b.c=two" },
	{ HEAD ONE "    envFrom: [{configMapRef: {name: none}}]",
	  "!f:7: container c: envFrom: there is no ConfigMap none" },
	{ HEAD ONE "    envFrom: [{configMapRef: {name: none, optional: true}}]", "pull=missing" },
	{ HEAD ONE "    env:\n    - name: A\n      valueFrom: {secretKeyRef: {name: s, key: k}}\n"
		   "    - {name: B, value: 'x$(A)'}\n" SECRET,
	  "secret=s.k,type=env,target=A secret=p.c.B,type=env,target=B restart=always "
	  "pull=missing; secret p.c.B=xv; secret s.d=data; secret s.k=v" },
	{ HEAD ONE
	  "    command: ['$(A)']\n    env:\n    - name: A\n      valueFrom: {secretKeyRef: "
	  "{name: s, key: k}}\n" SECRET,
	  "!a Secret in its command" },
	{ HEAD ONE "    ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 53, protocol: "
		   "UDP, hostPort: 53, hostIP: '::1'}]",
	  "publish=8080:80/TCP publish=[::1]:53:53/UDP" },
	{ HEAD ONE "    ports: [{hostPort: 80}]", "!f:7: container c: a port without" },
	{ HEAD ONE "    ports: [{containerPort: '80'}]",
	  "!ports[0].containerPort: no whole number" },
	{ HEAD
	  "  securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3}\n" ONE
	  "    securityContext: {runAsUser: 5, privileged: true, readOnlyRootFilesystem: true}",
	  "user=5:2 group=3 privileged read-only" },
	{ HEAD ONE "    securityContext: {allowPrivilegeEscalation: false, procMount: Unmasked, "
		   "capabilities: {add: [NET_RAW], drop: [ALL]}, seLinuxOptions: {level: s0}, "
		   "seccompProfile: {type: Localhost, localhostProfile: a/b.json}}",
	  "opt=no-new-privileges opt=label=level:s0 opt=seccomp=/var/lib/kubelet/seccomp/a/b.json "
	  "opt=systempaths=unconfined add=NET_RAW drop=ALL" },
	{ HEAD ONE "    securityContext: {seccompProfile: {type: Localhost, localhostProfile: "
		   "../x}}",
	  "!no path below the profiles" },
	{ HEAD ONE "    securityContext: {runAsNonRoot: true, runAsUser: 0}", "!runAsNonRoot" },
	{ HEAD ONE "    securityContext: {runAsGroup: 2}", "!runAsGroup wants runAsUser" },
	{ HEAD ONE "    securityContext: {runasuser: 5}",
	  "!f:7: spec.containers[0].securityContext.runasuser: there is no such member" },
	{ HEAD ONE "    lifecycle: {preStop: {exec: {command: [x]}}}",
	  "!f:7: spec.containers[0].lifecycle: hooks are not supported" },
	{ HEAD ONE "    livenessProbe: {httpGet: {port: web, path: /ok}, periodSeconds: 3}\n"
		   "    ports: [{containerPort: 81, name: web}]",
	  "connect=http://127.0.0.1:81/ok interval=3s retries=3 on-failure=restart" },
	{ HEAD "  restartPolicy: Never\n" ONE "    livenessProbe: {exec: {command: [a, b c]}}\n"
	       "    startupProbe: {exec: {command: [a, b c]}, failureThreshold: 30}",
	  "restart=no pull=missing check=a|b c interval=10s retries=3 start=300s on-failure=kill" },
	{ HEAD ONE
	  "    livenessProbe: {tcpSocket: {port: 1}}\n    startupProbe: {tcpSocket: {port: "
	  "2}}",
	  "!f:8: container c: startupProbe and livenessProbe do not check the same" },
	{ HEAD ONE "    livenessProbe: {httpGet: {port: 1, scheme: HTTPS}}", "!the one scheme" },
	{ HEAD ONE "    livenessProbe: {httpGet: {port: nowhere}}", "!port 'nowhere'" },
	{ HEAD ONE "    volumeMounts: [{name: v, mountPath: /m, subPath: s, readOnly: true}]\n"
		   "  volumes: [{name: v, hostPath: {path: '/h,\"x', type: DirectoryOrCreate}}]",
	  "mount=\"type=bind\",\"source=/h,\"\"x\",\"relabel=shared\",\"bind-subpath=s\","
	  "\"target=/m\",readonly" },
	{ HEAD ONE "    volumeMounts: [{name: v, mountPath: /m, mountPropagation: Bidirectional}]\n"
		   "  volumes: [{name: v, hostPath: {path: /h}}]",
	  "\"bind-propagation=rshared\"" },
	{ HEAD ONE "    volumeMounts: [{name: v, mountPath: /dev/x, readOnly: true}]\n"
		   "  volumes: [{name: v, hostPath: {path: /dev/null, type: CharDevice}}]",
	  "device=/dev/null:/dev/x:r" },
	{ HEAD ONE "    volumeMounts: [{name: v, mountPath: /m}]\n"
		   "  volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]",
	  "mount=\"type=volume\",\"source=p-v\",volume-nocopy,\"target=/m\"; volume p-v tmpfs "
	  "o=mode=0777,size=1048576" },
	{ HEAD ONE "    volumeMounts: [{name: v, mountPath: /m}]\n  volumes: [{name: v, configMap: "
		   "{name: cm, defaultMode: 0400, items: [{key: b.c, path: x/y}]}}]\n" CONFIG,
	  "readonly; volume p-v x/y=two(400)" },
	{ HEAD ONE "  volumes: [{name: v, configMap: {name: cm, items: [{key: a, path: ../y}]}}]"
		   "\n" CONFIG,
	  "!a path that is not below it" },
	{ HEAD ONE "  volumes: [{name: v, configMap: {name: cm, items: [{key: x, path: y}]}}]"
		   "\n" CONFIG,
	  "!cm has no key x" },
	{ HEAD ONE "  volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]", "!holm does not limit" },
	{ HEAD ONE "  volumes: [{name: v, nfs: {server: x, path: /}}]",
	  "!f:7: spec.volumes[0].nfs: there is no such member" },
	{ HEAD ONE "  volumes: [{name: v}]", "!f:7: volume v: it wants one source" },
	{ HEAD ONE "    volumeMounts: [{name: w, mountPath: /m}]", "!there is no such volume" },
	{ HEAD ONE "  volumes: [{name: v, hostPath: {path: x}}]", "!the path is not absolute" },
	{ HEAD "  hostNetwork: true\n  hostPID: true\n  hostIPC: true\n  hostname: h\n" ONE,
	  "pod p share=net,uts host=h network=host; p-c image=i restart=always pull=missing "
	  "pid=host ipc=host" },
	{ HEAD "  shareProcessNamespace: true\n  hostUsers: false\n" ONE,
	  "share=net,uts,ipc,pid userns=auto; p-c image=i restart=always pull=missing "
	  "userns=container:p" },
	{ HEAD
	  "  hostAliases: [{ip: 1.2.3.4, hostnames: [a, b]}]\n  dnsPolicy: None\n  dnsConfig: "
	  "{nameservers: [1.1.1.1], searches: [x], options: [{name: ndots, value: '2'}]}\n" ONE,
	  "add-host=a:1.2.3.4 add-host=b:1.2.3.4 dns=1.1.1.1 search=x option=ndots:2" },
	{ HEAD "  dnsPolicy: None\n" ONE, "!dnsPolicy None wants" },
	{ HEAD "  initContainers: [{name: a, image: i}]\n" ONE,
	  "p-a image=i restart=no pull=missing init=once; p-c" },
	{ HEAD "  initContainers: [{name: a, image: i, restartPolicy: Always}]\n" ONE,
	  "!an init container that goes on running" },
	{ HEAD "  initContainers: [{name: c, image: i}]\n" ONE, "!its name is there twice" },
	{ HEAD "  containers: []", "!it has no containers" },
	{ HEAD "  containers: {}", "!f:4: spec.containers: it is no list" },
	{ HEAD "  runtimeClassName: gvisor\n" ONE, "!f:4: spec.runtimeClassName: holm runs it" },
	{ HEAD "  terminationGracePeriodSeconds: 7\n  activeDeadlineSeconds: 9\n" ONE,
	  "stop=7 timeout=9" },
	{ "kind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 2\n  template:\n    spec: "
	  "{containers: [{name: c, image: i}]}",
	  "pod d-pod-1 share=net,uts,ipc; d-pod-1-c image=i restart=always pull=missing; pod "
	  "d-pod-2" },
	{ "kind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 2\n  template: {spec: "
	  "{containers: [{name: c, image: i, ports: [{containerPort: 1, hostPort: 2}]}]}}",
	  "!2 replicas and the hostPort of 2:1/TCP exclude" },
	{ "kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1000000, template: {spec: "
	  "{containers: [{name: c, image: i}]}}}",
	  "!replicas are 0 to 100" },
	{ "kind: Job\nmetadata: {name: j}\nspec: {backoffLimit: 2, template: {spec: "
	  "{restartPolicy: "
	  "OnFailure, containers: [{name: c, image: i}]}}}",
	  "j-pod-c image=i restart=on-failure:2" },
	{ "kind: Job\nmetadata: {name: j}\nspec: {template: {spec: {containers: [{name: c, image: "
	  "i}]}}}",
	  "!restartPolicy is OnFailure or Never" },
	{ "kind: List\nitems:\n- kind: Pod\n  metadata: {name: a}\n  spec: {containers: [{name: c, "
	  "image: i}]}",
	  "pod a " },
	{ "kind: PersistentVolumeClaim\nmetadata: {name: v, annotations: "
	  "{volume.podman.io/mount-options: ro, volume.podman.io/uid: '5', "
	  "volume.podman.io/type: tmpfs}}",
	  "claim v type=tmpfs o=uid=5,ro" },
	{ "kind: Service\nmetadata: {name: x}\nspec: {ports: []}", "" },
	{ "kind: NetworkPolicy\nmetadata: {name: x}", "!f:1: kind NetworkPolicy is not supported" },
	{ "kind: Pod\nmetadata: {labels: {}}", "!f:1: the Pod has no metadata.name" },
	{ "kind: Pod\nmetadata: {name: x}", "!f:1: the Pod has no spec" },
	{ "apiVersion: v1", "!f:1: it has no kind" },
	{ "just words", "!f:1: it has no kind" },
	{ "kind: ConfigMap\nmetadata: {name: a}\n---\nkind: ConfigMap\nmetadata: {name: a}",
	  "!f:4: the ConfigMap a is there twice, first in f:1" },
	{ "kind: Secret\nmetadata: {name: a}\ndata: {x: '%%%'}", "!f:3: x: it is no base64" },
	{ "kind: Secret\nmetadata: {name: a}\ndata: {../x: ''}", "!f:3: the key '../x'" },
};

static void show_list(struct str *to, const char *name, const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		str_addf(to, " %s=%s", name, list->items[i]);
}

static void show_text(struct str *to, const char *name, const char *text)
{
	if (text)
		str_addf(to, " %s=%s", name, text);
}

static void show_container(struct str *to, const struct create_options *o)
{
	own_free char *command = strv_join(&o->command, " ");
	own_free char *argv = strv_join(&o->health_argv, "|");

	str_addf(to, "; %s", o->name);
	show_text(to, "image", o->image);
	show_text(to, "entry", o->entrypoint);
	show_text(to, "command", *command ? command : NULL);
	show_list(to, "env", &o->env);
	show_list(to, "secret", &o->secret);
	show_text(to, "cpus", o->cpus);
	show_text(to, "memory", o->memory);
	show_text(to, "shares", o->cpu_shares);
	show_text(to, "reservation", o->memory_reservation);
	show_text(to, "restart", o->restart);
	show_text(to, "pull", o->pull);
	show_text(to, "init", o->init_ctr);
	show_text(to, "pid", o->pid);
	show_text(to, "ipc", o->ipc);
	show_text(to, "userns", o->userns);
	show_text(to, "stop", o->stop_timeout);
	show_text(to, "timeout", o->timeout);
	show_text(to, "user", o->user);
	show_list(to, "group", &o->group_add);
	str_add(to, o->privileged ? " privileged" : "");
	str_add(to, o->read_only ? " read-only" : "");
	show_list(to, "opt", &o->security_opt);
	show_list(to, "add", &o->cap_add);
	show_list(to, "drop", &o->cap_drop);
	show_list(to, "mount", &o->mount);
	show_list(to, "device", &o->device);
	show_text(to, "check", *argv ? argv : NULL);
	show_text(to, "connect", o->health_connect);
	show_text(to, "interval", o->health_interval);
	show_text(to, "retries", o->health_retries);
	show_text(to, "start", o->health_start_period);
	show_text(to, "on-failure", o->health_on_failure);
}

static void show_pod(struct str *to, const struct kube_plan_pod *pod)
{
	const struct pod_options *o = &pod->o;

	str_addf(to, "pod %s", o->name);
	show_text(to, "share", o->share);
	show_text(to, "host", o->hostname);
	show_text(to, "userns", o->userns);
	show_list(to, "network", &o->network);
	show_list(to, "publish", &o->publish);
	show_list(to, "add-host", &o->add_host);
	show_list(to, "dns", &o->dns);
	show_list(to, "search", &o->dns_search);
	show_list(to, "option", &o->dns_option);
	for (size_t i = 0; i < pod->containers.count; i++)
		show_container(to, &pod->containers.items[i].o);
	for (size_t i = 0; i < pod->volumes.count; i++) {
		const struct kube_plan_volume *v = &pod->volumes.items[i];
		str_addf(to, "; volume %s", v->name);
		if (v->driver)
			str_addf(to, " %s", v->driver);
		for (size_t k = 0; k < v->options.count; k++)
			str_addf(to, " %s", v->options.items[k]);
		for (size_t k = 0; k < v->files.count; k++)
			str_addf(to, " %s=%s(%o)", v->files.items[k].path,
				 v->files.items[k].bytes.text, v->files.items[k].mode);
	}
	for (size_t i = 0; i < pod->secrets.count; i++)
		str_addf(to, "; secret %s=%s", pod->secrets.items[i].name,
			 pod->secrets.items[i].bytes.text);
	str_add(to, "; ");
}

static void show_plan(struct str *to, const struct kube_plan *plan)
{
	for (size_t i = 0; i < plan->pods.count; i++)
		show_pod(to, &plan->pods.items[i]);
	for (size_t i = 0; i < plan->claims.count; i++) {
		own_free char *options = strv_join(&plan->claims.items[i].options, " ");
		str_addf(to, "claim %s %s; ", plan->claims.items[i].name, options);
	}
	for (size_t i = 0; i < plan->secrets.count; i++)
		str_addf(to, "secret %s=%s; ", plan->secrets.items[i].name,
			 plan->secrets.items[i].bytes.text);
}

START_TEST(objects_become_requests)
{
	own_clear(kube_set_clear) struct kube_set set = { 0 };
	own_clear(kube_plan_clear) struct kube_plan plan = { 0 };
	own_clear(str_clear) struct str shown = { 0 };
	const struct kube_plan_options o = { 0 };
	const char *result = rows[_i].result;
	struct err e;

	log_set_level(LOG_LEVEL_ERROR);
	int r = kube_set_add(&set, rows[_i].text, strlen(rows[_i].text), "f", &e);
	if (r == 0)
		r = kube_plan_make(&plan, &set, NULL, &o, &e);
	if (result[0] == '!') {
		ck_assert_msg(r < 0, "%s: accepted", rows[_i].text);
		ck_assert_msg(strstr(e.text, result + 1) != NULL, "%s", e.text);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", rows[_i].text, e.text);
	show_plan(&shown, &plan);
	ck_assert_msg(strstr(shown.text ? shown.text : "", result) != NULL, "%s\nis not in\n%s",
		      result, shown.text);
}
END_TEST

START_TEST(what_play_is_asked_for_is_in_all_pods)
{
	static const char text[] = HEAD ONE "    ports: [{containerPort: 80, hostPort: 1}]\n---\n"
					    "kind: Pod\nmetadata: {name: q}\nspec:\n" ONE;
	own_clear(kube_set_clear) struct kube_set set = { 0 };
	own_clear(kube_plan_clear) struct kube_plan plan = { 0 };
	struct kube_plan_options o = { .userns = (char[]){ "auto" }, .no_hosts = true };
	struct err e;

	strv_add(&o.ip, "10.0.0.1");
	strv_add(&o.ip, "10.0.0.2");
	strv_add(&o.publish, "8080:80");
	strv_add(&o.annotation, "n=other");
	ck_assert_int_eq(kube_set_add(&set, text, strlen(text), "f", &e), 0);
	ck_assert_int_eq(kube_plan_make(&plan, &set, NULL, &o, &e), 0);
	ck_assert_uint_eq(plan.pods.count, 2);
	const struct pod_options *first = &plan.pods.items[0].o, *second = &plan.pods.items[1].o;
	ck_assert_str_eq(first->ip, "10.0.0.1");
	ck_assert_str_eq(second->ip, "10.0.0.2");
	ck_assert_uint_eq(first->publish.count, 1);
	ck_assert_str_eq(first->publish.items[0], "8080:80");
	ck_assert_str_eq(first->annotation.items[0], "n=other");
	ck_assert_str_eq(second->userns, "auto");
	ck_assert(first->no_hosts);
	strv_clear(&o.ip);
	strv_clear(&o.publish);
	strv_clear(&o.annotation);
}
END_TEST

START_TEST(quantities_are_read)
{
	static const struct {
		const char *text;
		double value; /* -1: refused */
	} texts[] = {
		{ "0", 0 },           { "500m", 0.5 },    { "2", 2 },     { "1.5", 1.5 },
		{ "64Mi", 67108864 }, { "1G", 1e9 },      { "2e3", 2e3 }, { "1E", 1e18 },
		{ "1Ei", 0x1p60 },    { "100n", 100e-9 }, { "", -1 },     { "m", -1 },
		{ "-1", -1 },         { "1 Gi", -1 },     { "0x10", -1 }, { "inf", -1 },
		{ "1e999", -1 },      { "1GiB", -1 },     { "5Ei", -1 },  { "1e", -1 },
		{ "nan", -1 },        { "1_0", -1 },
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		double value = -1;
		struct err e;
		kube_quantity_parse(&value, texts[i].text, &e);
		double difference = value - texts[i].value;
		ck_assert_msg(difference < 1e-9 && difference > -1e-9, "%s: %g", texts[i].text,
			      value);
	}
}
END_TEST

/* A map with a large and a small member, and a pod with many volumes or variables of it. */
START_TEST(what_one_file_becomes_is_bounded)
{
	static const struct {
		const char *begin, *before, *after;
		bool fits;
	} parts[] = {
		{ "  volumes:\n", "  - {name: v", ", configMap: {name: cm}}\n", false },
		{ "    env:\n", "    - {name: V",
		  ", valueFrom: {configMapKeyRef: {name: cm, key: k}}}\n", true },
	};
	own_clear(kube_set_clear) struct kube_set set = { 0 };
	own_clear(kube_plan_clear) struct kube_plan plan = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	const struct kube_plan_options o = { 0 };
	struct err e;

	str_addf(&text, HEAD ONE "%s", parts[_i].begin);
	for (int i = 0; i < 300; i++)
		str_addf(&text, "%s%d%s", parts[_i].before, i, parts[_i].after);
	str_add(&text, "---\nkind: ConfigMap\nmetadata: {name: cm}\ndata:\n  k: v\n  large: ");
	for (int i = 0; i < 1 << 18; i++)
		str_add(&text, "word");
	ck_assert_int_eq(kube_set_add(&set, text.text, text.length, "f", &e), 0);
	int r = kube_plan_make(&plan, &set, NULL, &o, &e);
	ck_assert_msg((r == 0) == parts[_i].fits, "%s", r < 0 ? e.text : "accepted");
	if (r < 0)
		ck_assert_msg(strstr(e.text, "more than 256 MiB in all pods") != NULL, "%s",
			      e.text);
	struct kube_data once, again;
	const struct kube_data_source source = { .set = &set };
	ck_assert_int_eq(kube_data_of(&once, &source, "ConfigMap", "cm", &e), 0);
	ck_assert_int_eq(kube_data_of(&again, &source, "ConfigMap", "cm", &e), 0);
	ck_assert_ptr_eq(once.items, again.items);
}
END_TEST

UNIT_MAIN("kube/plan", UNIT_LOOP(objects_become_requests, COUNT_OF(rows)),
	  UNIT_LOOP(what_one_file_becomes_is_bounded, 2),
	  UNIT(what_play_is_asked_for_is_in_all_pods), UNIT(quantities_are_read))
