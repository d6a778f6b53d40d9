"""An image of four layers, 200 MB of gzip, from a registry on loopback into an empty store on a fresh
ext4: files that were deleted lately would make ext4 six times slower."""

import os
import shutil
import subprocess
import time

from bench import WORK, Docker, Podman, cpu_ns, quiet, report, versions, wait_for, port_free

ROUNDS = int(os.environ.get("PULL_ROUNDS", "5"))
DISK = WORK + "/disk"
NAME = "127.0.0.1:5000/bench:latest"


def registry():
    with open(WORK + "/registry.yml", "w") as f:
        f.write("version: 0.1\nlog: { level: error }\nstorage:\n  filesystem: { rootdirectory: "
                f"{WORK}/registry }}\nhttp:\n  addr: 127.0.0.1:5000\n")
    process = subprocess.Popen(["docker-registry", "serve", WORK + "/registry.yml"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_for(lambda: not port_free(5000), "docker-registry")
    quiet("skopeo", "copy", "--quiet", "--dest-tls-verify=false",
          f"oci:{os.environ['BENCH_IMAGES']}/bench:bookworm", "docker://" + NAME)
    return process


def used_ns(process):
    """CPU time of the registry, which is no one's pull."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 10_000_000


def fresh_disk():
    os.makedirs(DISK, exist_ok=True)
    quiet("truncate", "-s", "4G", DISK + ".ext4")
    quiet("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0", DISK + ".ext4")
    quiet("mount", "-o", "loop", DISK + ".ext4", DISK)


def end_disk():
    quiet("umount", "-R", DISK)
    os.unlink(DISK + ".ext4")


def holm():
    os.environ["HOLM_ROOT"] = DISK + "/holm"
    quiet("holm", "images")
    return ["holm", "pull", "-q", NAME], lambda: None


def podman():
    engine = Podman(DISK + "/podman")
    quiet(*engine.base, "images")
    return [*engine.base, "pull", "-q", "--tls-verify=false", NAME], lambda: None


def docker():
    engine = Docker(DISK + "/docker")
    return [*engine.base, "pull", "-q", NAME], engine.stop


def skopeo():
    return ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "docker://" + NAME,
            f"oci:{DISK}/skopeo"], lambda: None


versions()
server = registry()
kinds = [k for k, program in ((holm, "holm"), (podman, "podman"), (docker, "dockerd"))
         if shutil.which(program)]
results = {kind.__name__: [] for kind in kinds}
peaks = {}
for n in range(ROUNDS):
    for kind in kinds:
        fresh_disk()
        argv, stop = kind()
        os.sync()
        cpu, server_cpu = cpu_ns(), used_ns(server)
        start = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, WORK + "/stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        spent = cpu_ns() - cpu - (used_ns(server) - server_cpu)
        if status:
            with open(WORK + "/stderr") as f:
                print(kind.__name__, "failed:", f.read()[-500:])
        else:
            results[kind.__name__].append((wall * 1e3, spent / 1e6))
            peaks[kind.__name__] = usage.ru_maxrss / 1024
        stop()
        end_disk()
server.terminate()
server.wait()
report("pull of 4 layers, 200 MB", {k: v for k, v in results.items() if v}, peaks)
