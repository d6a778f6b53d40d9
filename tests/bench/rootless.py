"""An ordinary user's containers beside rootless podman's, both as a user that is made here: start without a
network and with slirp4netns's, `exec`, `pull`; and holm's start beside its own as root."""

import json
import os
import resource  # os.wait4() wants it, and the user may not read where this Python lies
import shutil
import socket
import subprocess
import time

import bench
import pull
import stores
from bench import WORK, busybox_image, percentile, quiet, report, versions

UID, FIRST, COUNT = 1000, 300000, 65536
HOME = WORK + "/home"
RUN = f"/run/user/{UID}"
ROUNDS = bench.ROUNDS


def bind(path, text):
    """In this mount namespace alone."""
    own = WORK + "/etc." + os.path.basename(path)
    with open(own, "w") as f:
        f.write(text)
    quiet("mount", "--bind", own, path)


def node(path, minor, major=10):
    """This machine's may be closed to users."""
    own = WORK + "/" + os.path.basename(path)
    quiet("mknod", "-m", "666", own, "c", str(major), str(minor))
    quiet("mount", "--bind", own, path)


def make_user():
    for name in ("passwd", "group"):
        with open("/etc/" + name) as f:
            lines = [line for line in f if line.split(":")[2] != str(UID)]
        bind("/etc/" + name, "".join(lines) + f"bench:x:{UID}:" +
             (f"{UID}::{HOME}:/bin/sh\n" if name == "passwd" else "\n"))
    for name in ("subuid", "subgid"):
        bind("/etc/" + name, f"bench:{FIRST}:{COUNT}\n")
    node("/dev/net/tun", 200)
    node("/dev/fuse", 229)
    for folder in (HOME, RUN):
        os.makedirs(folder)
        os.chown(folder, UID, UID)
    folder = WORK
    while folder != "/":
        os.chmod(folder, os.stat(folder).st_mode | 0o111)
        folder = os.path.dirname(folder)
    delegate_cgroups()


def delegate_cgroups():
    """As an administrator would, for holm; podman has none on cgroup v1."""
    script = "/tests/".join(os.path.abspath(__file__).rsplit("/tests/", 1)[:1]) + "/tests/bats"
    quiet("bash", "-euc", f"eval \"$(sed -n '/^user_cgroups()/,/^}}/p' {script})\"; user_cgroups")


def environment():
    keep = {name: os.environ[name] for name in ("PATH", "HOLM_LIBEXEC")}
    return {**keep, "HOME": HOME, "XDG_RUNTIME_DIR": RUN, "TMPDIR": HOME, "NO_COLOR": "1",
            "CONTAINERS_CONF": HOME + "/containers.conf"}


def as_user(function):
    """Its value, from a child that is the user."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
        os.chdir(HOME)
        own = environment()
        os.environ.clear()
        os.environ.update(own)
        bench.WORK = HOME
        try:
            answer = {"value": function()}
        except (RuntimeError, OSError) as error:
            answer = {"error": str(error)}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as f:
        answer = json.load(f)
    os.waitpid(pid, 0)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["value"]


def podman(*args, root=None):
    return ["podman", "--root", root or HOME + "/podman", "--runroot", RUN + "/podman-bench",
            "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", *args]


def prepare_stores():
    """The same image for holm as root, holm as the user, and podman."""
    busybox_image()
    bench.Holm()
    tar = WORK + "/busybox.tar"
    os.chmod(tar, 0o644)
    with open(HOME + "/containers.conf", "w") as f:
        f.write('[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = "cgroupfs"\n'
                'events_logger = "file"\nruntime = "crun"\n')

    def load():
        quiet("holm", "load", "-q", "-i", tar)
        quiet("holm", "tag", "busybox", "bench:latest")
        quiet(*podman("load", "-q", "-i", tar))
        quiet(*podman("tag", "busybox:latest", "bench:latest"))
        return quiet(*podman("info", "--format", "{{.Store.GraphDriverName}} {{.Store.GraphStatus}}"))
    print("podman's storage:", as_user(load).strip())


def compare(title, commands, rounds=ROUNDS):
    """commands: {name: (argv, is it the user's)}."""
    results = {name: [] for name in commands}
    order = list(commands.items())
    for n in range(rounds + 1):
        order.append(order.pop(0))
        for name, (argv, users) in order:
            value = as_user(lambda argv=argv: bench.once(argv)) if users else bench.once(argv)
            if n:
                results[name].append(value)
    report(title, results)
    return results


def start():
    holm = ["holm", "run", "--rm", "--network"]
    with_network = as_user(lambda: quiet("holm", "run", "--rm", "bench", "sh", "-c", "echo /sys/class/net/*"))
    print("holm's default network as a user:", with_network.strip() or "sysfs shows none")
    for network in ("none", "slirp4netns"):
        compare(f"rootless: run --rm --network {network} busybox true", {
            "holm": (holm + [network, "bench", "true"], True),
            "podman": (podman("run", "--rm", "--network", network, "bench", "true"), True)})


def beside_root():
    argv = ["holm", "run", "--rm", "--network", "none", "bench", "true"]
    alone = compare("holm, nothing else runs: run --rm --network none busybox true",
                    {"holm as a user": (argv, True), "holm as root": (argv, False)}, 3 * ROUNDS)
    sleeper = ["holm", "run", "-d", "--name", "kept", "--network", "none", "bench", "sleep", "10000"]
    quiet(*sleeper)
    as_user(lambda: quiet(*sleeper))
    beside = compare("holm, one container runs: run --rm --network none busybox true",
                     {"holm as a user": (argv, True), "holm as root": (argv, False)}, 3 * ROUNDS)
    quiet("holm", "rm", "-f", "kept")
    as_user(lambda: quiet("holm", "rm", "-f", "kept"))
    for what, results in (("nothing else runs", alone), ("one container runs", beside)):
        user, root = ([wall for wall, _ in results[name]] for name in ("holm as a user", "holm as root"))
        ratios = ", ".join(f"{percentile(user, p) / percentile(root, p):.2f}" for p in (.1, .5))
        print(f"{what}: the user's start of root's, p10, median: {ratios}")


def exec_true():
    def run(*argv):
        as_user(lambda: quiet(*argv))
    run("holm", "run", "-d", "--name", "target", "--network", "none", "bench", "sleep", "10000")
    run(*podman("run", "-d", "--name", "target", "--network", "none", "bench", "sleep", "10000"))
    compare("rootless: exec true", {"holm": (["holm", "exec", "target", "true"], True),
                                    "podman": (podman("exec", "target", "true"), True)})
    run("holm", "rm", "-f", "target")
    run(*podman("rm", "-f", "-t", "0", "target"))


def pull_once(name, form, server):
    stores.fresh_disk()
    os.chown(stores.DISK, UID, UID)
    image = pull.NAME + form

    def work():
        os.environ["HOLM_ROOT"] = stores.DISK + "/holm"
        stores.WORK = HOME
        argv, first = {
            "holm": (["holm", "pull", "-q", image], ["holm", "images"]),
            "podman": (podman("pull", "-q", "--tls-verify=false", image, root=stores.DISK + "/podman"),
                       podman("images", root=stores.DISK + "/podman"))}[name]
        quiet(*first)
        return stores.once(argv, lambda: pull.used_ns(server))
    value = as_user(work)
    # the user's mount namespaces hold the disk, too
    if name == "podman":
        subprocess.run(podman("system", "migrate", root=stores.DISK + "/podman"), check=False,
                       user=UID, group=UID, extra_groups=[], env=environment(), cwd=HOME,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stores.end_disk()
    return value


def pulls():
    server = pull.registry()
    for form in pull.FORMS:
        results, peaks = {"holm": [], "podman": []}, {}
        for _ in range(stores.ROUNDS):
            for name in results:
                value, peaks[name] = pull_once(name, form, server)
                results[name].append(value)
        report(f"rootless: pull of 4 layers, {form}", results, peaks)
    server.terminate()
    server.wait()


LINK = ["/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "--library-path", "/usr/lib/x86_64-linux-gnu"]
IPERF = [*LINK, "/usr/bin/iperf3", "--server", "--port", "80"]


def make_world():
    """10.9.9.1, another host."""
    if os.path.exists("/sys/class/net/up0"):
        return
    for line in ("netns add world", "link add up0 type veth peer name up1 netns world",
                 "address add 10.9.9.2/24 dev up0", "link set up0 up", "route add default via 10.9.9.1",
                 "-n world address add 10.9.9.1/24 dev up1", "-n world link set up1 up"):
        quiet("ip", *line.split())


def gbits(port):
    """From another host: a network namespace behind a veth."""
    text = quiet("ip", "netns", "exec", "world", "iperf3", "--json", "-c", "10.9.9.2", "-p", str(port),
                 "-t", "2")
    answer = json.loads(text)
    if "sum_received" not in answer["end"]:
        raise RuntimeError(answer.get("error", "no answer"))
    return answer["end"]["sum_received"]["bits_per_second"] / 1e9


def ports():
    """A published port of each: bytes a second, in turn."""
    make_world()
    mount = ["-v", "/usr:/usr:ro", "--tmpfs", "/tmp"]
    as_user(lambda: quiet("holm", "run", "-d", "--name", "a", "-p", "8001:80", *mount, "bench", *IPERF))
    as_user(lambda: quiet(*podman("run", "-d", "--name", "b", "-p", "8002:80", *mount, "bench", *IPERF)))
    as_user(lambda: quiet(*podman("run", "-d", "--name", "c", "-p", "8003:80", "--network",
                                  "slirp4netns:port_handler=slirp4netns", *mount, "bench", *IPERF)))
    rest = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    others = [subprocess.Popen(["pasta", "--config-net", "-f", "-t", "8004:80", "--", "iperf3", "-s", "-p", "80"],
                               user=UID, group=UID, extra_groups=[], env=environment(), cwd=HOME, **rest),
              subprocess.Popen(["iperf3", "-s", "-p", "8005"], **rest)]
    names = {"holm": 8001, "podman (rootlessport)": 8002, "podman (slirp4netns)": 8003, "pasta alone": 8004,
             "the host's own socket": 8005}
    results = {name: [] for name in names}
    for _ in range(ROUNDS // 3 + 2):
        for name, port in names.items():
            try:
                results[name].append(gbits(port))
            except RuntimeError as error:
                print(name, "failed:", str(error)[-200:])
    print("\n### rootless: a published port, TCP\n\n| | median Gbit/s | best |\n|---|---|---|")
    for name, values in results.items():
        if values:
            print(f"| {name} | {percentile(values, .5):.2f} | {max(values):.2f} |", flush=True)
    for other in others:
        other.kill()
    as_user(lambda: quiet("holm", "rm", "-f", "a"))
    as_user(lambda: quiet(*podman("rm", "-f", "-t", "0", "b", "c")))


SINK = """
import socket, sys
kind, number = sys.argv[1:]
server = socket.socket(fileno=int(number)) if kind == "fd" else socket.create_server(("", int(number)))
room = bytearray(1 << 20)
while True:
    peer = server.accept()[0]
    while peer.recv_into(room):
        pass
    peer.close()
"""

SOURCE = """
import socket, sys, time
peer = socket.create_connection(("10.9.9.2", int(sys.argv[1])))
room, sent, began = bytes(1 << 20), 0, time.monotonic()
while time.monotonic() < began + 2:
    sent += peer.send(room)
peer.shutdown(socket.SHUT_WR)
peer.recv(1)
print(sent * 8 / (time.monotonic() - began) / 1e9)
"""


def hand_in(port, *command):
    """A container with a socket that the caller has opened."""
    with socket.create_server(("", port)) as listener:
        fd = listener.fileno()
        subprocess.run(["holm", "run", "-d", "--preserve-fd", str(fd), *command, "fd", str(fd)], check=True,
                       pass_fds=[fd], stdout=subprocess.DEVNULL)


def sockets():
    """One server at a socket of the host, at one that a container without a network was handed, and at a
    published port: bytes a second, in turn."""
    make_world()
    python = [*LINK, "/usr/bin/python3", "-c", SINK]
    common = ["-v", "/usr:/usr:ro", "-e", "PYTHONHOME=/usr"]
    as_user(lambda: hand_in(8011, "--name", "a", "--network", "none", *common, "bench", *python))
    as_user(lambda: quiet("holm", "run", "-d", "--name", "b", "-p", "8012:80", *common, "bench", *python, "port",
                          "80"))
    own = subprocess.Popen(["/usr/bin/python3", "-c", SINK, "port", "8013"])
    names = {"the host's own socket": 8013, "the same, handed in": 8011, "a published port": 8012}
    results = {name: [] for name in names}
    time.sleep(1)
    for _ in range(ROUNDS // 3 + 2):
        for name, port in names.items():
            results[name].append(float(quiet("ip", "netns", "exec", "world", "/usr/bin/python3", "-c", SOURCE,
                                             str(port))))
    print("\n### rootless: a socket that is handed in\n\n| | median Gbit/s | best |\n|---|---|---|")
    for name, values in results.items():
        print(f"| {name} | {percentile(values, .5):.2f} | {max(values):.2f} |", flush=True)
    own.kill()
    as_user(lambda: quiet("holm", "rm", "-f", "a", "b"))


def main():
    versions()
    if not shutil.which("podman"):
        print("podman is not here")
        return
    make_user()
    prepare_stores()
    wanted = os.environ.get("ROOTLESS", "start root exec ports sockets pull").split()
    for name, function in (("start", start), ("root", beside_root), ("exec", exec_true), ("ports", ports),
                           ("sockets", sockets), ("pull", pulls)):
        if name in wanted:
            function()


main()
