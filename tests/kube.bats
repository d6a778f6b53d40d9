#!/usr/bin/env bats
# Files of Kubernetes objects: played, taken down.
load holm
load networks

setup() {
	networks_setup
}

teardown() {
	if [ -n "${BATS_TEST_COMPLETED:-}" ]; then
		holm pod rm --all --force --volumes >/dev/null
		nothing_of_kube
	fi
	holm_teardown
}

# What pods were given for themselves went with them.
nothing_of_kube() {
	[ -z "$(holm volume ls --filter label=org.holm.kube.pod -q)" ] || {
		holm volume ls
		return 1
	}
}

# A pod of one container that sleeps, with more lines of its own and of its spec.
pod() { # NAME [CONTAINER-LINES [SPEC-LINES]]
	printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\nspec:\n' "$1"
	[ -z "${3:-}" ] || printf '%s\n' "$3"
	printf '  containers:\n  - name: c\n    image: busybox\n'
	[[ ${2:-} == *command:* ]] || printf '    command: [sleep, "1000"]\n'
	[ -z "${2:-}" ] || printf '%s\n' "$2"
}

status_is() { # POD STATUS
	[ "$(holm pod ps --filter name="$1" --format '{{.Status}}')" = "$2" ]
}

@test "nginx before PostgreSQL: a ConfigMap, a Secret, a claim, an init container, health checks" {
	local nginx postgres
	made_image nginx nginx
	made_image postgres postgres
	registry_start
	registry_push "oci:$nginx:bookworm" nginx:latest
	registry_push "oci:$postgres:bookworm" postgres:latest
	cat >shop.yaml <<-Y
		apiVersion: v1
		kind: PersistentVolumeClaim
		metadata:
		  name: shop-db
		spec:
		  accessModes: [ReadWriteOnce]
		  resources: {requests: {storage: 1Gi}}
		---
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: shop-web
		data:
		  default: |
		    server {
		      listen 80 default_server;
		      location / { root /pages; }
		    }
		---
		apiVersion: v1
		kind: Secret
		metadata:
		  name: shop
		stringData:
		  password: "s3cret"
		---
		apiVersion: v1
		kind: Pod
		metadata:
		  name: shop
		  labels: {app: shop}
		spec:
		  initContainers:
		  - name: page
		    image: busybox
		    command: [sh, -c, 'echo "for \$WHO" >/pages/index.html']
		    env: [{name: WHO, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}]
		    volumeMounts: [{name: pages, mountPath: /pages}]
		  containers:
		  - name: web
		    image: $REGISTRY/nginx
		    ports: [{containerPort: 80, hostPort: 8080}]
		    livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
		    volumeMounts:
		    - {name: site, mountPath: /etc/nginx/sites-enabled}
		    - {name: pages, mountPath: /pages, readOnly: true}
		  - name: db
		    image: $REGISTRY/postgres
		    args: [postgres, -D, /etc/postgresql/15/main, -c, 'listen_addresses=*']
		    env:
		    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: shop, key: password}}}
		    - {name: URL, value: 'postgres://app:\$(PASSWORD)@127.0.0.1/app'}
		    startupProbe: {tcpSocket: {port: 5432}, failureThreshold: 60, periodSeconds: 1}
		    volumeMounts: [{name: data, mountPath: /keep}]
		  volumes:
		  - {name: pages, emptyDir: {}}
		  - {name: site, configMap: {name: shop-web}}
		  - {name: data, persistentVolumeClaim: {claimName: shop-db}}
	Y
	given shop.yaml
	expect 0 holm kube play shop.yaml
	[[ ${lines[0]} == Volumes: && ${lines[1]} == shop-db && ${lines[2]} == Pod: ]]
	[[ ${lines[3]} == "$(holm pod inspect -f '{{.Id}}' shop)" && ${lines[4]} == Containers: ]]
	[[ ${lines[5]} == "$(holm inspect -f '{{.Id}}' shop-web)" ]]
	[[ ${lines[6]} == "$(holm inspect -f '{{.Id}}' shop-db)" ]]
	within 10 curl -sf http://127.0.0.1:8080/
	[ "$(curl -s http://127.0.0.1:8080/)" = "for shop" ]
	within 10 healthy shop-web
	within 20 healthy shop-db
	# in one network; the secret is in the process, and in no record
	holm exec -u postgres shop-db psql -Atc 'select 6 * 7' | grep -qx 42
	holm exec shop-db sh -c 'echo $URL' | grep -qx postgres://app:s3cret@127.0.0.1/app
	holm exec -u 0 shop-db touch /keep/this
	not grep -rqs s3cret "$HOLM_ROOT"/containers/*/config.json "$HOLM_RUN"/containers
	holm inspect shop-db | not grep -q s3cret
	# the init container ran once and is gone
	[ "$(holm pod inspect -f '{{.NumContainers}}' shop)" = 3 ]
	expect 0 holm kube down shop.yaml
	[[ ${lines[0]} == "Pods stopped:" && ${lines[2]} == "Pods removed:" ]]
	[[ ${lines[4]} == "Secrets removed:" && ${lines[5]} == shop.password ]]
	[ -z "$(holm ps -aq)" ]
	# the claim stays, with what is in it; and goes when it is asked for
	holm run --rm -v shop-db:/x busybox ls /x/this
	expect 0 holm kube down --force shop.yaml
	output_has shop-db
	[ -z "$(holm volume ls -q)" ]
}

healthy() { # CONTAINER
	[ "$(holm inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]
}

@test "from standard input and from the network; twice is refused, --replace takes its place" {
	pod one >one.yaml
	expect 0 holm kube play - <one.yaml
	local id=${lines[1]}
	refused 1 "one.yaml:1: pod one: the name 'one' is taken" holm kube play one.yaml
	[[ $stderr == *"--replace"* ]]
	[ "$(holm pod inspect -f '{{.Id}}' one)" = "$id" ]
	expect 0 holm kube play --replace one.yaml
	[ "${lines[1]}" != "$id" ]
	holm kube play --down one.yaml
	python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 3>&- &
	local server=$!
	within 10 curl -sf http://127.0.0.1:8123/one.yaml
	# what a killed one left goes, too
	mkdir "$HOLM_RUN/.kube-1"
	given "$HOLM_RUN/.kube-1"
	expect 0 holm kube play http://127.0.0.1:8123/one.yaml
	status_is one Running
	not ls "$HOLM_RUN"/.kube*
	expect 0 holm kube down http://127.0.0.1:8123/one.yaml
	refused 1 "fetch http://127.0.0.1:8123/none" holm kube play http://127.0.0.1:8123/none
	head -c 20M /dev/zero | tr '\0' '#' >large.yaml
	refused 1 "too large" holm kube play http://127.0.0.1:8123/large.yaml
	kill $server
	wait $server || true
	refused 1 "read large.yaml" holm kube play large.yaml
	not ls "$HOLM_RUN"/.kube*
}

@test "what is not there is no error for down, and a pod of another hand goes by its name" {
	pod one >one.yaml
	refused 1 "No such file" holm kube down nosuch.yaml
	[ -z "$output" ]
	expect 0 holm kube down one.yaml
	output_is $'Pods stopped:\nPods removed:'
	holm run -d --pod new:one busybox sleep 1000
	holm run -d --pod new:other busybox sleep 1000
	expect 0 holm kube down one.yaml
	[ "$(holm pod ps --format '{{.Name}}')" = other ]
}

@test "a Deployment has as many pods as it says; down finds all, whatever the file says now" {
	cat >web.yaml <<-'Y'
		kind: Deployment
		metadata: {name: web}
		spec:
		  replicas: 3
		  selector: {matchLabels: {app: web}}
		  template:
		    metadata: {labels: {app: web}}
		    spec:
		      containers: [{name: c, image: busybox, command: [sleep, "1000"]}]
	Y
	expect 0 holm kube play web.yaml
	[ "$(holm pod ps --format '{{.Name}}' | sort | tr '\n' ' ')" = "web-pod-1 web-pod-2 web-pod-3 " ]
	[ "$(holm ps --filter label=app=web -q | wc -l)" = 6 ]
	sed -i 's/replicas: 3/replicas: 1/' web.yaml
	expect 0 holm kube play --replace web.yaml
	[ "$(holm pod ps --format '{{.Name}}')" = web-pod ]
	expect 0 holm kube down web.yaml
	[ -z "$(holm ps -aq)" ]
}

@test "a Job runs to its end, and again as often as it may" {
	cat >job.yaml <<-'Y'
		kind: Job
		metadata: {name: sum}
		spec:
		  backoffLimit: 1
		  template:
		    spec:
		      restartPolicy: OnFailure
		      containers: [{name: c, image: busybox, command: [sh, -c, 'echo run; exit 3']}]
	Y
	holm kube play job.yaml
	within 10 ended sum-pod-c 3
	[ "$(holm logs sum-pod-c | grep -c run)" = 2 ]
	holm kube down job.yaml
}

ended() { # CONTAINER CODE
	[ "$(holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1")" = "exited $2" ]
}

@test "init containers end one after the other before the others begin" {
	cat >order.yaml <<-'Y'
		kind: Pod
		metadata: {name: order}
		spec:
		  initContainers:
		  - {name: a, image: busybox, command: [sh, -c, 'sleep 0.3; echo a >>/v/log'], volumeMounts: [{name: v, mountPath: /v}]}
		  - {name: b, image: busybox, command: [sh, -c, 'echo b >>/v/log'], volumeMounts: [{name: v, mountPath: /v}]}
		  containers:
		  - {name: c, image: busybox, command: [sh, -c, 'cat /v/log; sleep 1000'], volumeMounts: [{name: v, mountPath: /v}]}
		  volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]
	Y
	expect 0 holm kube play --start=false order.yaml
	status_is order Created
	[ "$(holm ps -aq | wc -l)" = 4 ]
	expect 0 holm pod start order
	within 5 logged order-c $'a\nb'
	[ "$(holm ps -aq | wc -l)" = 2 ]
	holm kube down order.yaml
	# one that fails: the rest is not started, and all stays to be looked at
	sed -i 's/echo b >>/echo why; exit 7; echo b >>/' order.yaml
	refused 1 "the init container order-b ended with 7" holm kube play order.yaml
	[[ $stderr == *"holm logs order-b"* ]]
	[ "$(holm logs order-b)" = why ]
	[ "$(holm inspect -f '{{.State.Status}}' order-c)" = created ]
	holm kube down order.yaml
	# with run's own option
	refused 1 "--init-ctr once wants a --pod" holm create --init-ctr once busybox
	refused 125 "--init-ctr: 'x' is not one of" holm create --pod new:p --init-ctr x busybox
	holm create --pod new:p --name first --init-ctr always busybox true >/dev/null
	holm create --pod p --name second busybox sleep 1000 >/dev/null
	expect 0 holm pod start p
	status_is p Running
	[ "$(holm inspect -f '{{.State.Status}} {{.State.ExitCode}}' first)" = "exited 0" ]
}

logged() { # CONTAINER TEXT
	[ "$(holm logs "$1")" = "$2" ]
}

@test "all or nothing: what was made before goes when one container cannot be made" {
	cat >two.yaml <<-'Y'
		kind: Secret
		metadata: {name: new}
		stringData: {k: v}
		---
		kind: PersistentVolumeClaim
		metadata: {name: claim}
		---
		kind: ConfigMap
		metadata: {name: cm}
		data: {k: v}
		---
		kind: Pod
		metadata: {name: good}
		spec:
		  containers: [{name: c, image: busybox, command: [sleep, "1000"], volumeMounts: [{name: v, mountPath: /v}]}]
		  volumes: [{name: v, configMap: {name: cm}}]
		---
		kind: Pod
		metadata: {name: bad}
		spec:
		  containers:
		  - {name: one, image: busybox}
		  - name: two
		    image: busybox
		    securityContext: {capabilities: {add: [NO_SUCH]}}
	Y
	refused 1 "two.yaml:23: container two: " holm kube play two.yaml
	[[ $stderr == *NO_SUCH* ]]
	nothing_made
	# it was there before: it stays
	holm volume create claim >/dev/null
	expect 1 holm kube play two.yaml
	[ "$(holm volume ls -q)" = claim ]
	holm volume rm claim >/dev/null
	# what cannot be started
	sed -i 's/securityContext.*/command: [no-such-program]/' two.yaml
	refused 127 "two.yaml:23: start pod bad: container bad-two" holm kube play two.yaml
	nothing_made
	sed -i 's/image: busybox$/image: localhost:1\/none/' two.yaml
	refused 1 "two.yaml:23: container two" holm kube play two.yaml
	nothing_made
}

nothing_made() {
	[ -z "$(holm ps -aq)$(holm volume ls -q)$(holm secret ls -q)" ] || {
		holm ps -a
		holm volume ls
		holm secret ls
		return 1
	}
}

@test "killed at any moment, down removes what there is" {
	local i
	{
		pod killed '    volumeMounts: [{name: v, mountPath: /v}]'
		printf '  volumes: [{name: v, emptyDir: {}}]\n---\nkind: Secret\nmetadata: {name: s}\nstringData: {k: v}\n'
	} >killed.yaml
	holm run --rm busybox true
	for i in $(seq 8); do
		killed_at_random 150 holm kube play killed.yaml
		expect 0 holm kube down killed.yaml
		within 5 nothing_made
	done
	# a volume that has no name yet is nobody's: the check of the store takes it away, when it is old
	find "$HOLM_ROOT/volumes" -name '.new-*' -exec touch -d yesterday {} +
	holm system check --repair >/dev/null || holm system check
}

@test "two at once: one plays, the other is told, and takes nothing away" {
	local i jobs=()
	pod race '    volumeMounts: [{name: v, mountPath: /v}]' '  volumes: [{name: v, emptyDir: {}}]' >race.yaml
	for i in 1 2 3 4; do
		(holm kube play race.yaml >out.$i 2>&1 3>&- && echo 0 >status.$i || echo 1 >status.$i) &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	[ "$(cat status.* | sort | tr -d '\n')" = 0111 ]
	status_is race Running
	holm exec race-c touch /v/x
	holm kube down race.yaml
}

@test "how a container is held is as the file says, or it is not made" {
	pod held '    securityContext: {runAsUser: 7, runAsGroup: 8, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}}
    resources: {limits: {memory: 64Mi, cpu: 500m}}' \
		'  securityContext: {supplementalGroups: [9], fsGroup: 10}
  hostname: other
  hostAliases: [{ip: 10.1.2.3, hostnames: [far]}]' >held.yaml
	holm kube play held.yaml
	[ "$(holm exec held-c sh -c 'id -u; id -g; id -G' | tr '\n' ' ')" = "7 8 8 9 10 " ]
	expect 0 holm exec held-c sed -n 's/^\(CapBnd\|NoNewPrivs\):\s*//p' /proc/1/status
	output_is $'0000000000000400\n1'
	expect 1 holm exec held-c touch /x
	holm exec held-c hostname | grep -qx other
	holm exec held-c grep -q '10.1.2.3.*far' /etc/hosts
	[ "$(holm inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}' held-c)" = "67108864 500000000" ]
	holm kube down held.yaml
	pod root '    securityContext: {runAsNonRoot: true}' >root.yaml
	refused 1 "root.yaml:7: container c: runAsNonRoot, and the user is root" holm kube play root.yaml
	nothing_made
	pod annotated >a.yaml
	refused 1 "org.holm. is reserved" holm kube play --annotation org.holm.seccomp=x a.yaml
	nothing_made
}

@test "volumes: paths of the host by their kinds, parts of them, files with their modes" {
	mkdir -p host/sub
	echo there >host/sub/f
	ln -s /etc host/out
	given host
	cat >paths.yaml <<-Y
		kind: ConfigMap
		metadata: {name: cm}
		data: {a: one, b: two}
		---
		kind: Pod
		metadata: {name: paths}
		spec:
		  containers:
		  - name: c
		    image: busybox
		    command: [sleep, "1000"]
		    volumeMounts:
		    - {name: host, mountPath: /host, readOnly: true}
		    - {name: host, mountPath: /part, subPath: sub}
		    - {name: made, mountPath: /made}
		    - {name: file, mountPath: /file}
		    - {name: zero, mountPath: /dev/other}
		    - {name: empty, mountPath: /empty, subPath: x/y}
		    - {name: cm, mountPath: /etc/cm}
		    - {name: cm, mountPath: /etc/b, subPath: deep/b}
		  volumes:
		  - {name: host, hostPath: {path: $PWD/host, type: Directory}}
		  - {name: made, hostPath: {path: $PWD/made/deep, type: DirectoryOrCreate}}
		  - {name: file, hostPath: {path: $PWD/file, type: FileOrCreate}}
		  - {name: zero, hostPath: {path: /dev/zero, type: CharDevice}}
		  - {name: empty, emptyDir: {}}
		  - {name: cm, configMap: {name: cm, defaultMode: 0440, items: [{key: a, path: a, mode: 0755}, {key: b, path: deep/b}]}}
	Y
	holm kube play paths.yaml
	[ "$(holm exec paths-c cat /host/sub/f /part/f /etc/cm/a /etc/b | tr '\n' ' ')" = "there there onetwo" ]
	expect 1 holm exec paths-c touch /host/x
	expect 0 holm exec paths-c touch /made/x /part/y /empty/z
	[ -e made/deep/x ] && [ -e host/sub/y ] && [ -f file ]
	holm exec paths-c head -c 3 /dev/other | cmp -n 3 - /dev/zero
	expect 0 holm exec paths-c stat -L -c '%a' /etc/cm/a /etc/b /empty
	output_is $'755\n440\n777'
	expect 1 holm exec paths-c touch /etc/cm/new
	holm kube down paths.yaml
	# a part that a link leads out of the volume to is looked for below it
	sed -i 's/subPath: sub}/subPath: out\/passwd}/' paths.yaml
	expect 0 holm kube play paths.yaml
	[ -d host/etc/passwd ] && [ -z "$(holm exec paths-c ls /part)" ]
	holm kube down paths.yaml
	sed -i 's/subPath: out/subPath: ..\/out/' paths.yaml
	refused 1 "subpath" holm kube play paths.yaml
	nothing_made
	sed -i 's/subPath: ..\/out\/passwd}/subPath: sub}/; s/type: Directory}/type: Socket}/' paths.yaml
	refused 1 "paths.yaml:22: hostPath $PWD/host is not a socket" holm kube play paths.yaml
	sed -i "s|path: $PWD/host, type: Socket|path: $PWD/none, type: File|" paths.yaml
	refused 1 "paths.yaml:22: hostPath $PWD/none does not exist" holm kube play paths.yaml
	nothing_made
}

@test "what is not understood is told with its line: left out if nothing changes, else refused" {
	pod told '    readinessProbe: {exec: {command: [true]}}' '  nodeSelector: {a: b}
  serviceAccountName: x' >told.yaml
	expect 0 holm kube play told.yaml
	[[ $stderr == *"told.yaml:6: spec.nodeSelector is left out: there is one machine"* ]]
	[[ $stderr == *"told.yaml:11: spec.containers[0].readinessProbe is left out"* ]]
	holm kube down told.yaml 2>/dev/null
	local row
	while IFS='|' read -r row text; do
		pod x "    $row" >x.yaml
		refused 1 "x.yaml:$(wc -l <x.yaml): $text" holm kube play x.yaml
	done <<-'E'
		lifecycle: {postStart: {exec: {command: [x]}}}|spec.containers[0].lifecycle: hooks are not supported
		securityContext: {readonlyRootFilesystem: true}|spec.containers[0].securityContext.readonlyRootFilesystem: there is no such member
		ports: [{containerPort: "80"}]|spec.containers[0].ports[0].containerPort: no whole number
		env: [{name: A, value: 1}]|spec.containers[0].env[0].value: 1 is no string
		tty: maybe|spec.containers[0].tty: neither true nor false
		args: x|spec.containers[0].args: it is no list
		resources: {limits: {cpu: fast}}|container c: limits.cpu: 'fast' is no quantity
		env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: k}}}]|container c: variable A: there is no Secret none
	E
	echo 'kind: StatefulSet' >x.yaml
	refused 1 "x.yaml:1: kind StatefulSet is not supported" holm kube play x.yaml
	nothing_made
}

@test "hostile files are refused, with their line and in no time" {
	{
		echo 'a: &a0 [x,x,x,x,x,x,x,x,x]'
		for i in $(seq 30); do echo "b$i: &a$i [*a$((i - 1)),*a$((i - 1)),*a$((i - 1)),*a$((i - 1))]"; done
	} >bomb.yaml
	refused 1 "more than 100000 values" timeout 10 holm kube play bomb.yaml
	head -c 64M /dev/zero | tr '\0' 'a' >large.yaml
	refused 1 "large.yaml" timeout 10 holm kube play large.yaml
	head -c 1M /dev/zero | tr '\0' '[' >deep.yaml
	refused 1 "nested too deeply" timeout 10 holm kube play deep.yaml
	printf 'kind: Pod\nname: a\0b\n' >nul.yaml
	refused 1 "nul.yaml:2: no YAML: control characters" holm kube play nul.yaml
	printf 'kind: Pod\nmetadata: {name: x}\nspec: {}\nspec: {}\n' >twice.yaml
	refused 1 "twice.yaml:4: the key 'spec' is there twice, first in line 3" holm kube play twice.yaml
	printf 'kind: Pod\nmetadata: !!python/object/apply:os.system [id]\n' >tag.yaml
	refused 1 "tag.yaml:2: the tag" holm kube play tag.yaml
	printf '\xff\xfek\0i\0n\0d\0' >utf16.yaml
	refused 1 "no YAML" holm kube play utf16.yaml
	: >empty.yaml
	refused 1 "there is nothing in it" holm kube play empty.yaml
	refused 1 "open none.yaml" holm kube play none.yaml
	refused 1 "read ." holm kube play .
	nothing_made
}

@test "secrets of the store serve, too: NAME.KEY, or NAME alone" {
	printf top | holm secret create db.password - >/dev/null
	printf low | holm secret create token - >/dev/null
	pod s '    env:
    - {name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}
    - {name: B, valueFrom: {secretKeyRef: {name: token, key: token}}}
    - {name: C, value: "$(A)-$(B)"}
    volumeMounts: [{name: v, mountPath: /s}]' '  volumes: [{name: v, secret: {secretName: db}}]' >s.yaml
	holm kube play s.yaml
	[ "$(holm exec s-c sh -c 'echo $A $B $C; cat /s/password')" = $'top low top-low\ntop' ]
	holm kube down s.yaml
	[ "$(holm secret ls --format '{{.Name}}' | tr '\n' ' ')" = "db.password token " ]
	holm secret rm -a >/dev/null
	# a Secret of the file does not take the place of one that says otherwise
	printf 'kind: Secret\nmetadata: {name: db}\nstringData: {password: mine}\n' >db.yaml
	printf other | holm secret create db.password - >/dev/null
	refused 1 "db.password" holm kube play db.yaml
	[[ $stderr == *"--replace"* ]]
	expect 0 holm kube play --replace db.yaml
	[ "$(holm secret inspect --showsecret -f '{{.SecretData}}' db.password)" = mine ]
	holm kube down db.yaml
	nothing_made
}

@test "ConfigMaps of other files; their variables with a prefix" {
	printf 'kind: ConfigMap\nmetadata: {name: one}\ndata: {A: "1"}\n' >one.yaml
	printf 'kind: ConfigMap\nmetadata: {name: two}\nbinaryData: {B: Mg==}\n' >two.yaml
	pod m '    envFrom: [{configMapRef: {name: one}}, {prefix: P_, configMapRef: {name: two}}]' >m.yaml
	refused 1 "there is no ConfigMap one" holm kube play m.yaml
	expect 0 holm kube play --configmap one.yaml,two.yaml m.yaml
	[ "$(holm exec m-c sh -c 'echo $A $P_B')" = "1 2" ]
	holm kube down m.yaml
	refused 1 "--configmap m.yaml: a Pod is in it" holm kube play --configmap m.yaml one.yaml
}

@test "a liveness probe that fails restarts the container" {
	pod sick '    command: [sh, -c, "echo begun; touch /tmp/ok; sleep 0.5; rm /tmp/ok; sleep 1000"]
    livenessProbe: {exec: {command: [test, -e, /tmp/ok]}, periodSeconds: 1, failureThreshold: 1}' >sick.yaml
	holm kube play sick.yaml
	within 10 restarted sick-c
	holm kube down sick.yaml
	# what does not answer HTTP, or with an error, is not healthy
	pod http '    command: [sh, -c, "while :; do printf \"HTTP/1.0 503 no\\r\\n\\r\\n\" | nc -l -p 80; done"]
    livenessProbe: {httpGet: {port: 80, path: /x}, periodSeconds: 1, failureThreshold: 100}' >http.yaml
	holm kube play http.yaml
	within 10 checked http-c "HTTP status 503"
	holm kube down http.yaml
}

restarted() { # CONTAINER
	[ "$(holm logs "$1" | grep -c begun)" -gt 1 ]
}

checked() { # CONTAINER TEXT
	holm inspect -f '{{range .State.Health.Log}}{{.ExitCode}} {{.Output}};{{end}}' "$1" | grep -q "1 $2"
}

@test "a pod in a user namespace of its own, its volumes with owners as it sees them" {
	printf 'kind: Secret\nmetadata: {name: s}\nstringData: {k: v}\n---\n' >u.yaml
	pod u '    volumeMounts: [{name: v, mountPath: /v}, {name: e, mountPath: /e}]' '  hostUsers: false
  volumes: [{name: v, secret: {secretName: s, defaultMode: 0400}}, {name: e, emptyDir: {}}]' >>u.yaml
	holm kube play u.yaml
	expect 0 holm exec u-c sh -c 'cat /v/k; stat -c %u:%g /v/k; touch /e/x; stat -c %u /e/x'
	output_is $'v0:0\n0'
	not grep -q '^ *0 *0 ' /proc/"$(holm inspect -f '{{.State.Pid}}' u-c)"/uid_map
	[ "$(readlink "/proc/$(holm inspect -f '{{.State.Pid}}' u)/ns/user")" = "$(readlink "/proc/$(holm inspect -f '{{.State.Pid}}' u-c)/ns/user")" ]
	holm kube down u.yaml
	pod u2 >u2.yaml
	holm kube play --userns auto u2.yaml
	not grep -q '^ *0 *0 ' /proc/"$(holm inspect -f '{{.State.Pid}}' u2-c)"/uid_map
	holm kube down u2.yaml
	# the group of a claim is one of the pod's, not of the host's
	{
		printf 'kind: PersistentVolumeClaim\nmetadata: {name: claim}\n---\n'
		pod u3 '    volumeMounts: [{name: v, mountPath: /v}]' '  hostUsers: false
  securityContext: {fsGroup: 2000}
  volumes: [{name: v, persistentVolumeClaim: {claimName: claim}}]'
	} >u3.yaml
	holm volume create claim
	: >"$HOLM_ROOT/volumes/claim/data/there"
	holm kube play u3.yaml
	expect 0 holm exec u3-c stat -c %g /v
	output_is 2000
	holm kube down --force u3.yaml
}

@test "a volume of another pod stays, though both would call it the same" {
	pod() { # NAME VOLUME
		cat <<-Y
			kind: Pod
			metadata: {name: $1}
			spec:
			  containers: [{name: x, image: busybox, command: [sleep, "1000"]}]
			  volumes: [{name: $2, emptyDir: {}}]
		Y
	}
	pod a b-c >one.yaml
	pod a-b c >two.yaml
	expect 0 holm kube play one.yaml
	: >"$HOLM_ROOT/volumes/a-b-c/data/kept"
	refused 1 "volume a-b-c: it is there, and not this pod's own" holm kube play two.yaml
	[ -e "$HOLM_ROOT/volumes/a-b-c/data/kept" ]
	expect 0 holm kube down one.yaml
}

@test "generate: a secret with a label that is longer than its name" {
	echo word >word
	given word
	expect 0 holm secret create --label org.holm.kube.secret=much-longer-than-the-name s word
	expect 0 holm create --name one --secret s,type=env,target=S busybox true
	expect 0 holm kube generate one
	[[ $output == *"secretKeyRef:"*"name: \"s\""* ]]
}

@test "generate: what a container is comes back as the same, byte for byte the second time" {
	holm run -d --name solo -p 8088:80 -m 64m --cpus 0.5 --read-only --cap-drop ALL --tmpfs /tmp:size=1m \
		-v /etc/hostname:/h:ro -v data:/data -e A=yes -e 'B=$(A) $$ "q" $(no)' -e $'C=two\nlines' -u 5:6 \
		--restart on-failure --add-host far:10.1.2.3 --health-cmd true --health-on-failure kill busybox \
		sh -c 'echo $$ $(A) $(id -u); sleep 1000'
	expect 0 holm kube generate solo
	[[ $output == *"kubectl create -f"* && $stderr == "" ]]
	echo "$output" >solo.yaml
	holm kube generate data >data.yaml
	grep -q 'kind: PersistentVolumeClaim' data.yaml
	holm rm -f solo >/dev/null
	holm volume rm data >/dev/null
	cat data.yaml <(echo ---) solo.yaml >all.yaml
	expect 0 holm kube play all.yaml
	[ "$(holm exec solo-pod-solo sh -c 'id -u; id -g; echo "$A"; echo "$B"; echo "$C"')" = $'5\n6\nyes\n$(A) $$ "q" $(no)\ntwo\nlines' ]
	[ "$(holm inspect -f '{{.Args}}' solo-pod-solo)" = '[-c echo $$ $(A) $(id -u); sleep 1000]' ]
	[ "$(holm exec solo-pod-solo df /tmp | awk 'END { print $2 }')" = 1024 ]
	[ "$(holm inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.ReadonlyRootfs}}' solo-pod-solo)" = "67108864 500000000 true" ]
	holm exec solo-pod-solo grep -q '10.1.2.3.*far' /etc/hosts
	holm kube generate solo-pod | diff solo.yaml -
	holm kube down --force all.yaml
	nothing_made
}

@test "generate: pods with their init containers, as a Deployment, with a Service, to a file" {
	{
		printf 'kind: ConfigMap\nmetadata: {name: cm}\ndata: {a: "1"}\n---\nkind: Secret\nmetadata: {name: sec}\nstringData: {tls.key: k}\n---\n'
		pod web '    ports: [{containerPort: 80, hostPort: 8080}]
    env: [{name: K, valueFrom: {secretKeyRef: {name: sec, key: tls.key}}}]
    livenessProbe: {httpGet: {port: 80, path: /x}}
    volumeMounts: [{name: c, mountPath: /c}, {name: e, mountPath: /e, subPath: x}]' '  shareProcessNamespace: true
  initContainers: [{name: first, image: busybox, command: ["true"], volumeMounts: [{name: e, mountPath: /e}]}]
  volumes: [{name: c, configMap: {name: cm}}, {name: e, emptyDir: {}}]'
	} >web.yaml
	holm kube play --start=false web.yaml
	expect 0 holm kube generate --type deployment --service -f out.yaml web
	output_is ""
	refused 1 "--filename out.yaml: File exists" holm kube generate -f out.yaml web
	local line
	for line in 'kind: Deployment' 'kind: Service' 'name: web-deployment' 'targetPort: 80' 'hostPort: 8080' \
		'name: sec' 'key: tls.key' 'path: /x' 'subPath: "x"' 'emptyDir: {}' 'shareProcessNamespace: true' 'initContainers:'; do
		grep -q -- "^ *-* *$line\$" out.yaml || {
			echo "no $line in:"
			cat out.yaml
			return 1
		}
	done
	not grep -q 'k$' <(grep value: out.yaml)
	refused 1 "container web-c is one of a pod" holm kube generate web-c
	refused 1 "there is no pod, container or volume nothing" holm kube generate nothing
	refused 125 "--type" holm kube generate --type x web
	holm kube down web.yaml
	# the Service is left out, the rest is as it was
	head -8 web.yaml | cat - out.yaml >again.yaml
	expect 0 holm kube play --start=false again.yaml
	[[ $stderr == *"the Service is left out"* ]]
	[ "$(holm pod inspect -f '{{.Name}} {{.NumContainers}}' web-deployment-pod)" = "web-deployment-pod 3" ]
	holm kube down again.yaml
	nothing_made
}

@test "--wait: it is taken away when it has ended, or by a signal" {
	pod short '    command: [sh, -c, "sleep 0.3"]' '  restartPolicy: Never' >short.yaml
	expect 0 holm kube play --wait - <short.yaml
	[[ ${lines[0]} == Pod: ]]
	nothing_made
	# an end that a restart follows is none
	pod again '    command: [sh, -c, "echo run >>/v/log; test -e /x && exit; touch /x; exit 1"]
    volumeMounts: [{name: v, mountPath: /v}]' '  restartPolicy: OnFailure
  volumes: [{name: v, persistentVolumeClaim: {claimName: kept}}]' >again.yaml
	expect 0 holm kube play --wait again.yaml
	[ "$(holm run --rm -v kept:/v busybox grep -c run /v/log)" = 2 ]
	holm volume rm kept >/dev/null
	pod long >long.yaml
	holm kube play --wait long.yaml >out 3>&- &
	local pid=$!
	within 5 grep -q Container out
	status_is long Running
	kill -TERM $pid
	wait $pid
	nothing_made
	refused 1 "--down and --wait exclude each other" holm kube play --down --wait long.yaml
}
