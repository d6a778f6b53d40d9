"""What the benchmarks share: the engines that are installed, and rounds that measure them in turn.

A value is the wall time of a command from fork to wait, the CPU time that everything in this cgroup
used for it (monitors and daemons too, the container itself too, cleaning up included). The peak
resident size of the command's own processes comes from a run of its own, below a small parent: a
child's peak begins with what its parent had at the fork."""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import time

OUT = os.environ["BENCH_OUT"]
ROUNDS = int(os.environ.get("ROUNDS", "20"))
WORK = os.getcwd()
PATIENCE = int(os.environ.get("HOLM_TEST_PATIENCE", "1"))  # how many times slower this machine is
SETTLE_S = 0.15 * PATIENCE  # for what goes on behind the answer: reaping, deleting


def cpu_ns():
    """CPU time of all that ever ran below the cgroup namespace's root."""
    try:
        with open("/sys/fs/cgroup/cpuacct/cpuacct.usage") as f:
            return int(f.read())
    except FileNotFoundError:
        with open("/sys/fs/cgroup/cpu.stat") as f:
            return int(f.readline().split()[1]) * 1000


def once(argv, env=None):
    """One run: (wall ms, CPU ms). Raises if it fails."""
    cpu = cpu_ns()
    start = time.perf_counter()
    pid = os.posix_spawnp(
        argv[0], argv, env or os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, WORK + "/stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        ])
    _, status = os.waitpid(pid, 0)
    wall = time.perf_counter() - start
    if status:
        with open(WORK + "/stderr") as f:
            raise RuntimeError(" ".join(argv) + ": " + f.read()[-300:])
    time.sleep(SETTLE_S)
    return wall * 1e3, (cpu_ns() - cpu) / 1e6


def peak_mb(argv):
    """busybox' time counts the kernel's kilobytes as pages of 4 kB."""
    quiet("busybox", "time", "-v", "-o", WORK + "/peak", *argv)
    with open(WORK + "/peak") as f:
        return next(int(line.split()[-1]) for line in f if "Maximum resident" in line) / 4 / 1024


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))]


def compare(title, commands, rounds=ROUNDS, before=None, after=None):
    """commands: {name: argv}. Runs them in turn, round by round, the first round uncounted; each
    round begins with another one, so that nobody always comes after the same neighbour."""
    results = {name: [] for name in commands}
    order = list(commands.items())
    for n in range(rounds + 1):
        order.append(order.pop(0))
        for name, argv in order:
            if before:
                before(name)
            value = once(argv)
            if after:
                after(name)
            if n:
                results[name].append(value)
    report(title, results, {name: peak_mb(argv) for name, argv in commands.items()})
    return results


def report(title, results, peaks=None):
    """peaks: {name: MB}, where they were measured."""
    ours = next((name for name in results if name.startswith("holm")), None)
    print(f"\n### {title}\n")
    print(f"| | p10 ms | median ms | CPU ms | peak MB | {ours} / this: p10, median, CPU |")
    print("|---|---|---|---|---|---|")
    holm = results.get(ours)
    for name, values in results.items():
        wall, cpu = zip(*values)
        row = (percentile(wall, 0.1), percentile(wall, 0.5), percentile(cpu, 0.5))
        peak = f"{peaks[name]:.1f}" if peaks else ""
        ratio = ""
        if holm and name != ours:
            own_wall, own_cpu = zip(*holm)
            ratio = ", ".join(f"{x:.3f}" for x in (
                percentile(own_wall, 0.1) / row[0], percentile(own_wall, 0.5) / row[1],
                percentile(own_cpu, 0.5) / row[2]))
        print(f"| {name} | {row[0]:.1f} | {row[1]:.1f} | {row[2]:.1f} | {peak} | {ratio} |",
              flush=True)
    words = "".join(c if c.isalnum() or c in "-." else "_" for c in title)
    with open(f"{OUT}/{words}.json", "w") as f:
        json.dump(results, f)


def quiet(*argv, **kwargs):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if result.returncode:
        raise RuntimeError(" ".join(argv) + ": " + result.stdout[-500:])
    return result.stdout


def wait_for(test, what, seconds=30):
    end = time.time() + seconds
    while not test():
        if time.time() > end:
            raise RuntimeError("not in time: " + what)
        time.sleep(0.05)


def busybox_image():
    """The same one-layer image for everybody: an OCI layout and a docker archive."""
    folder = WORK + "/busybox"
    if os.path.exists(folder):
        return folder
    fs = WORK + "/fs"
    os.makedirs(fs + "/bin")
    shutil.copy("/bin/busybox", fs + "/bin/busybox")
    for name in ("sh", "true", "sleep"):
        os.symlink("busybox", f"{fs}/bin/{name}")
    quiet("tar", "-C", fs, "--owner=0", "--group=0", "-cf", WORK + "/layer.tar", ".")
    script = "/tests/".join(os.path.abspath(__file__).rsplit("/tests/", 1)[:1]) + "/tests/holm.bash"
    quiet("bash", "-c", f"eval \"$(sed -n '/^oci_image()/,/^}}/p; /^oci_blob()/,/^}}/p' {script})\"; "
          f"CONFIG='{{\"Env\":[\"PATH=/bin\"]}}' oci_image {folder} latest {WORK}/layer.tar")
    quiet("skopeo", "copy", "--quiet", f"oci:{folder}:latest",
          f"docker-archive:{WORK}/busybox.tar:busybox:latest")
    return folder


class Holm:
    name = "holm"

    def __init__(self):
        quiet("holm", "tag", self.load(), "bench:latest")

    def load(self):
        quiet("holm", "load", "-i", busybox_image())
        return quiet("holm", "images", "-q").split()[0]

    def run(self, *args, image="bench", command=("true",)):
        return ["holm", "run", *args, image, *command]

    def exec(self, container, *command):
        return ["holm", "exec", container, *command]

    def ps(self):
        return ["holm", "ps"]

    def remove(self, containers):
        quiet("holm", "rm", "-f", *containers)

    def stop(self):
        pass


class Podman(Holm):
    name = "podman"

    def __init__(self, root=None):
        self.root = root or WORK + "/podman"
        os.makedirs(self.root, exist_ok=True)
        conf = WORK + "/containers.conf"
        with open(conf, "w") as f:
            # raising limits needs CAP_SYS_RESOURCE, which not every host gives
            f.write('[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = "cgroupfs"\n'
                    'events_logger = "file"\nruntime = "crun"\n')
        os.environ["CONTAINERS_CONF"] = conf
        policy = "/etc/containers/policy.json"
        self.base = ["podman", "--root", self.root, "--runroot", "/run/podman-bench",
                     "--storage-driver", "overlay"]
        if not os.path.exists(policy):
            raise RuntimeError("no " + policy)

    def load_image(self):
        busybox_image()
        quiet(*self.base, "load", "-q", "-i", WORK + "/busybox.tar")
        quiet(*self.base, "tag", "busybox:latest", "bench:latest")

    def run(self, *args, image="bench", command=("true",)):
        return [*self.base, "run", *args, image, *command]

    def exec(self, container, *command):
        return [*self.base, "exec", container, *command]

    def ps(self):
        return [*self.base, "ps"]

    def remove(self, containers):
        quiet(*self.base, "rm", "-f", "-t", "0", *containers)


class Docker(Holm):
    name = "docker"
    network = ["--bridge", "none", "--iptables=false"]

    def __init__(self, root=None):
        self.root = root or WORK + "/docker"
        self.socket = "/run/docker-bench.sock"
        self.base = ["docker", "-H", "unix://" + self.socket]
        self.start()

    def start(self):
        self.log = open(WORK + "/dockerd.log", "w")
        self.daemon = subprocess.Popen(
            ["dockerd", "--data-root", self.root, "--exec-root", "/run/docker-bench",
             "-H", "unix://" + self.socket, "-p", "/run/docker-bench.pid",
             "--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs",
             *self.network],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: os.path.exists(self.socket) and subprocess.run(
            [*self.base, "version"], capture_output=True, check=False).returncode == 0, "dockerd")

    def load_image(self):
        busybox_image()
        quiet(*self.base, "load", "-q", "-i", WORK + "/busybox.tar")
        quiet(*self.base, "tag", "busybox:latest", "bench:latest")

    def run(self, *args, image="bench", command=("true",)):
        return [*self.base, "run", *args, image, *command]

    def exec(self, container, *command):
        return [*self.base, "exec", container, *command]

    def ps(self):
        return [*self.base, "ps"]

    def remove(self, containers):
        quiet(*self.base, "rm", "-f", *containers)

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)


class Runtime:
    """An OCI runtime alone, on a bundle of the same root, with this spec or its own."""

    def __init__(self, name, spec=None):
        self.name = name
        self.bundle = f"{WORK}/bundle-{name}"
        self.spec = spec or Runtime.default_spec(name)
        busybox_image()
        os.makedirs(self.bundle + "/rootfs")
        quiet("tar", "-C", self.bundle + "/rootfs", "-xf", WORK + "/layer.tar")
        self.write()

    @staticmethod
    def default_spec(name):
        """What that runtime's own `spec` writes."""
        folder = f"{WORK}/spec-{name}"
        os.makedirs(folder)
        quiet(name, "spec", cwd=folder)
        with open(folder + "/config.json") as f:
            spec = json.load(f)
        spec["process"].update(terminal=False, args=["/bin/true"])
        spec["process"].pop("rlimits", None)
        return spec

    def write(self, network=True, args=("/bin/true",)):
        namespaces = [n for n in self.spec["linux"]["namespaces"] if n["type"] != "network"]
        if network:
            namespaces.append({"type": "network"})
        self.spec["linux"]["namespaces"] = namespaces
        self.spec["process"]["args"] = list(args)
        with open(self.bundle + "/config.json", "w") as f:
            json.dump(self.spec, f)

    def run(self, name="bench"):
        return [self.name, "run", "--bundle", self.bundle, name]


def engines(load=True, network="none", kinds=(Holm, Podman, Docker)):
    """Those that are installed and work here, on this network, too; what does not is named."""
    found = []
    for kind, program in zip(kinds, ("holm", "podman", "dockerd")):
        if not shutil.which(program):
            continue
        try:
            engine = kind()
            if load and kind is not Holm:
                engine.load_image()
            quiet(*engine.run("--rm", "--network", network))
            found.append(engine)
        except (RuntimeError, OSError) as error:
            print(f"{program} does not work here: {error}")
    return found


def runtimes(programs=("crun", "runc"), spec=None):
    found = []
    for program in programs:
        if shutil.which(program):
            try:
                runtime = Runtime(program, spec)
                quiet(*runtime.run())
                found.append(runtime)
            except (RuntimeError, OSError) as error:
                print(f"{program} does not work here: {error}")
    return found


def version(program):
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return (text.stdout or text.stderr).splitlines()[0].strip()


def versions():
    programs = ("holm", "podman", "crun", "runc", "dockerd")
    print("; ".join(version(p) for p in programs if shutil.which(p)))


def port_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def processes(name):
    """Processes whose command's name starts so."""
    found = []
    for comm in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(comm) as f:
                if f.read().strip().startswith(name):
                    found.append(int(comm.split("/")[2]))
        except OSError:
            pass
    return found


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
