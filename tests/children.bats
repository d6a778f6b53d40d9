#!/usr/bin/env bats
# --children-max: how many containers there may be in a container.
# shellcheck disable=SC2016 # scripts for other shells
load holm
load nested

setup() {
	holm_setup
}

teardown() {
	holm_teardown
}

# A container that may have so many, with programs of the host.
parent() { # N [OPTION...]
	holm run -d --name parent --privileged --network none --children-max "$@" "${inside[@]}" \
		-e HOLM_ROOT=/var/inner/root busybox sleep 1000
}

inside() {
	holm exec parent "$@"
}

# A PID namespace in which something runs until the end; its answer is there once it runs.
child='unshare --fork --pid --kill-child sh -c "echo up; exec sleep 1000 >/dev/null 2>&1"'

@test "so many work, one more is refused, and one that ends makes room" {
	expect 0 parent 2
	expect 0 inside sh -c "( $child & ) | head -n 1"
	output_is up
	expect 0 inside sh -c "( $child & ) | head -n 1"
	output_is up
	run inside unshare --fork --pid true
	[ "$status" != 0 ]
	[[ $output == *"No space left on device"* ]]
	expect 0 inside pkill -KILL -o unshare
	within 5 inside unshare --fork --pid true
	# no namespace of another kind is meant
	expect 0 inside sh -c "( $child & ) | head -n 1"
	expect 0 inside unshare --mount --uts --net --ipc true
}

@test "who has as many groups as there are is counted" {
	expect 0 parent 1
	expect 0 inside sh -c "( unshare --fork --pid --kill-child python3 -c 'import os, time
os.setgroups(range(65536))
print(\"up\", flush=True)
os.dup2(os.open(\"/dev/null\", os.O_WRONLY), 1)
time.sleep(1000)' & ) | head -n 1"
	output_is up
	run inside unshare --fork --pid true
	[ "$status" != 0 ]
	[[ $output == *"No space left on device"* ]]
}

@test "none at all; what is below counts, too" {
	expect 0 parent 0
	run inside unshare --fork --pid true
	[ "$status" != 0 ]
	holm rm -f parent >/dev/null
	expect 0 parent 2
	expect 0 inside unshare --fork --pid unshare --fork --pid echo deep
	output_is deep
	run inside unshare --fork --pid unshare --fork --pid unshare --fork --pid true
	[ "$status" != 0 ]
}

@test "holm in it: one more is refused with the reason" {
	expect 0 parent 1
	expect 0 inside holm run -d --name first --network none busybox sleep 1000
	expect 125 inside holm run --rm --network none busybox true
	[[ $stderr == *"No space left on device"*"--children-max"* ]]
	expect 0 inside holm exec first echo entered
	output_is entered
	expect 0 inside holm rm -f first
	expect 0 inside holm run --rm --network none busybox echo again
	output_is again
	expect 125 inside holm run --rm --network none --children-max 1 --privileged busybox true
	[[ $stderr == *"listener"*"--children-max"* ]]
}

@test "without --privileged, too: for exec, and after a restart" {
	expect 0 holm run -d --name parent --network none --cap-add SYS_ADMIN --children-max 1 "${inside[@]}" busybox sleep 1000
	for name in one two; do
		expect 0 inside unshare --fork --pid echo "$name"
		output_is "$name"
		run inside unshare --fork --pid unshare --fork --pid true
		[ "$status" != 0 ]
		holm restart -t 0 parent >/dev/null
	done
	# where none can be made a listener gives no right to
	expect 0 holm run --rm --network none --children-max 5 "${inside[@]}" busybox sh -c 'unshare --user --pid --fork true 2>/dev/null || echo no'
	output_is no
}

# What a program may try, from C's point of view.
hostile='
import ctypes, errno, mmap, os, signal, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
NEWPID = 0x20000000
x86 = os.uname().machine == "x86_64"
CLONE, UNSHARE = (56, 272) if x86 else (220, 97)
def call(*a):
    r = libc.syscall(*map(ctypes.c_long, a))
    return r if r >= 0 else -ctypes.get_errno()
def below():  # namespaces in which something runs
    n = 0
    for p in os.listdir("/proc"):
        try:
            t = open(f"/proc/{p}/status").read() if p.isdigit() else ""
        except OSError:
            continue
        if t and "\tZ" not in t:
            pids = t.split("NSpid:")[1].split("\n")[0].split()
            n += len(pids) > 1 and pids[-1] == "1"
    return n
'

python() { # SCRIPT
	inside sh -c 'timeout 60 python3 -c "$0" </dev/null >/tmp/out 2>&1; cat /tmp/out' "$hostile$1"
}

@test "fifty at once, by threads and by processes, are never more than so many" {
	expect 0 parent 3
	expect 0 python '
results = []
def one():
    r = call(CLONE, NEWPID | signal.SIGCHLD, 0, 0, 0, 0)
    if r == 0:
        while True: libc.pause()
    results.append(r)
    time.sleep(5)
def process():
    if os.fork() == 0:
        if call(UNSHARE, NEWPID) == 0 and os.fork() == 0:
            while True: time.sleep(100)
        time.sleep(5)
        os._exit(0)
threads = [threading.Thread(target=one, daemon=True) for i in range(25)]
for i in range(25): process()
for t in threads: t.start()
most = 0
end = time.time() + 4
while time.time() < end:
    most = max(most, below())
    time.sleep(0.02)
print(most, set(results) <= {-errno.ENOSPC} | {r for r in results if r > 0})
sys.stdout.flush()
os._exit(0)'
	output_is "3 True"
}

@test "calls of other ABIs, and a thread that has one and calls exec" {
	expect 0 parent 1
	expect 0 python '
if x86:
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # push rbx; mov eax, 310; mov ebx, CLONE_NEWPID; int 0x80; pop rbx; ret
    code.write(bytes.fromhex("53b836010000bb00000020cd805bc3"))
    compat = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
else:
    compat = lambda: call(UNSHARE, NEWPID)
print("clone3", call(435, 0, 0) == -errno.ENOSYS)
def other():
    print("compat", compat())
    print("again", compat() == -errno.ENOSPC, call(UNSHARE, NEWPID) == -errno.ENOSPC)
    if x86:
        print("x32", call(0x40000000 | UNSHARE, NEWPID) in (-errno.ENOSPC, -errno.ENOSYS))
    sys.stdout.flush()
    os.execl("/bin/sh", "sh", "-c", "unshare --pid true")
threading.Thread(target=other).start()
time.sleep(30)'
	[[ $output == *"clone3 True"*"compat 0"*"again True True"*"No space left on device"* ]]
	[[ $output != *"x32 False"* ]]
	# with its thread that namespace is gone
	expect 0 inside unshare --fork --pid true
}

@test "what it cannot keep is refused" {
	refused 125 "--pid host" holm run --rm --children-max 1 --pid host busybox true
	echo '{"defaultAction":"SCMP_ACT_ALLOW"}' >"$BATS_TEST_TMPDIR/all.json"
	refused 125 "a seccomp filter of holm's" \
		holm run --rm --children-max 1 --security-opt "seccomp=$BATS_TEST_TMPDIR/all.json" busybox true
	refused 125 "--children-max" holm run --rm --children-max -1 busybox true
	refused 125 "--children-max" holm run --rm --children-max many busybox true
	expect 0 holm create --name shown --children-max 3 busybox
	expect 0 holm inspect --explain shown
	output_has "--children-max 3"
	expect 0 holm inspect shown --format '{{.HostConfig.Privileged}}'
}
