# Kubernetes' side of containerd, the Container Runtime Interface: a pod as the kubelet makes it, with
# the RuntimeClass of the README. Its network is the host's, so that no plugin of networks is needed.
# shellcheck disable=SC2154

load holm
load callers/callers

setup_file() {
	needs_root "holm-runtime and the engines that call it are tested by themselves, for users, too"
	callers_setup_file containerd containerd-shim-runc-v2 ctr curl python3 /bin/busybox || return 0
	{
		readme_block /etc/containerd/config.toml |
			sed "/^version/a root = \"$CALLER/containerd\"\nstate = \"/run/containerd-test\""
		cat <<-E
			[grpc]
			  address = "/run/containerd-test.sock"
			[plugins."io.containerd.grpc.v1.cri"]
			  sandbox_image = "localhost/pause:test"
			  restrict_oom_score_adj = true # lowering it takes CAP_SYS_RESOURCE, which not every root has
		E
	} >"$CALLER/config.toml"
	caller_starts containerd containerd --config "$CALLER/config.toml"
	within 20 cri Version '{}'
	pause_image
	ctr image import "$CALLER/pause.tar"
	ctr image import "$CALLER/busybox.tar"
	IMAGE=$(ctr image ls -q | grep busybox)
	export IMAGE
}

teardown_file() {
	[ -z "${CALLER:-}" ] || callers_teardown_file containerd
}

teardown() {
	[ -z "${CALLER_LACKS:-}" ] || return 0
	[ -z "${POD:-}" ] || {
		cri StopPodSandbox "$(members pod_sandbox_id "$POD")" || true
		cri RemovePodSandbox "$(members pod_sandbox_id "$POD")" || true
	}
	holm_teardown
}

ctr() { # ARGUMENT...
	command ctr --address /run/containerd-test.sock --namespace k8s.io "$@"
}

cri() { # METHOD JSON
	"$BATS_TEST_DIRNAME/callers/cri.py" /run/containerd-test.sock "$@"
}

members() { # NAME VALUE...
	jq -nc '[$ARGS.positional | _nwise(2) | { (.[0]): .[1] }] | add' --args -- "$@"
}

# What holds a pod's namespaces: it sleeps.
pause_image() {
	local layer=$CALLER/pause
	mkdir -p "$layer/bin"
	cp /bin/busybox "$layer/bin/sleep"
	tar -C "$layer" -cf "$CALLER/layer.tar" .
	jq -n --arg id "sha256:$(sha256sum <"$CALLER/layer.tar" | cut -d' ' -f1)" --arg arch "$(dpkg --print-architecture)" \
		'{ architecture: $arch, os: "linux", config: { Cmd: ["/bin/sleep", "100000"] }, rootfs: { type: "layers", diff_ids: [$id] } }' \
		>"$CALLER/config.json"
	jq -n '[{ Config: "config.json", RepoTags: ["localhost/pause:test"], Layers: ["layer.tar"] }]' >"$CALLER/manifest.json"
	tar -C "$CALLER" -cf "$CALLER/pause.tar" manifest.json config.json layer.tar
}

pod_config() {
	jq -nc --arg logs "$PWD/logs" '{ metadata: { name: "pod", uid: "uid-1", namespace: "default" }, log_directory: $logs,
		linux: { cgroup_parent: "/holm-pods", security_context: { namespace_options: { network: 2 } } } }'
}

pod_starts() {
	mkdir logs
	POD=$(cri RunPodSandbox "$(jq -nc --argjson config "$(pod_config)" '{ config: $config, runtime_handler: "holm" }')" |
		sed -n 's/^pod_sandbox_id: //p')
}

container() { # NAME SCRIPT [FILTER]: prints its id
	cri CreateContainer "$(jq -nc --arg pod "$POD" --argjson sandbox "$(pod_config)" --arg name "$1" --arg image "$IMAGE" \
		--arg script "$2" '{ pod_sandbox_id: $pod, sandbox_config: $sandbox, config: {
		metadata: { name: $name }, image: { image: $image }, command: ["sh", "-c", $script], log_path: ($name + ".log"),
		linux: { security_context: { namespace_options: { network: 2, pid: 1 } } } } }'" | ${3:-.}")" |
		sed -n 's/^container_id: //p'
}

start() { # ID
	cri StartContainer "$(members container_id "$1")"
}

# In cri-api's words: 1 is running, 2 has exited.
has_exited() { # ID CODE
	cri ContainerStatus "$(members container_id "$1")" >status
	grep -qx "state: 2" status && { [ "$2" = 0 ] || grep -qx "exit_code: $2" status; }
}

inside() { # ID SCRIPT
	cri ExecSync "$(jq -nc --arg id "$1" --arg script "$2" '{ container_id: $id, cmd: ["sh", "-c", $script], timeout: 60 }')"
}

@test "a pod: two containers that share its namespaces, each with its own end" {
	pod_starts
	web=$(container web 'trap "exit 3" TERM; hostname; while sleep 0.1; do :; done')
	job=$(container job 'echo out; echo err >&2; exit 42')
	start "$web"
	start "$job"
	within 20 has_exited "$job" 42
	grep -q ' stdout F out$' logs/job.log
	grep -q ' stderr F err$' logs/job.log
	expect 0 inside "$web" 'echo hello; readlink /proc/self/ns/ipc; exit 7'
	output_has "stdout: hello"
	output_has "exit_code: 7"
	# the pod's own process has the namespaces
	pause=$(ctr task ls | awk -v id="$POD" '$1 == id { print $2 }')
	output_has "$(readlink "/proc/$pause/ns/ipc")"
	expect 0 holm-runtime --root /run/containerd/runc/k8s.io state "$POD"
	output_has '"status":"running"'
	expect 0 cri StopContainer "{ \"container_id\": \"$web\", \"timeout\": 10 }"
	has_exited "$web" 3
	expect 0 cri RemoveContainer "$(members container_id "$web")"
}

@test "limits of a container in a pod hold, and can be changed" {
	pod_starts
	limited=$(container limited 'sleep 1000' \
		'.config.linux.resources = { memory_limit_in_bytes: 67108864, cpu_period: 100000, cpu_quota: 50000 }')
	start "$limited"
	expect 0 inside "$limited" "$(limits_script)"
	output_has 67108864
	output_has 50000
	expect 0 cri UpdateContainerResources "{ \"container_id\": \"$limited\", \"linux\": { \"memory_limit_in_bytes\": 33554432 } }"
	expect 0 inside "$limited" "$(limits_script)"
	output_has 33554432
}

@test "a command that is not there is told, as the kubelet looks for it" {
	pod_starts
	lost=$(container lost true '.config.command = ["nowhere"]')
	expect 1 start "$lost"
	output_has 'executable file not found in $PATH'
}
