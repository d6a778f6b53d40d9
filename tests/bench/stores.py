"""What the benchmarks of pull and load share: commands that fill an empty store on a fresh ext4 (files
that were deleted lately would make ext4 six times slower), each engine in turn, round by round."""

import os
import time

from bench import WORK, Docker, Podman, cpu_ns, quiet, report

ROUNDS = int(os.environ.get("PULL_ROUNDS", "5"))
DISK = WORK + "/disk"
IMAGE = f"oci:{os.environ['BENCH_IMAGES']}/bench:bookworm"


def fresh_disk():
    os.makedirs(DISK, exist_ok=True)
    quiet("truncate", "-s", "4G", DISK + ".ext4")
    quiet("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0", DISK + ".ext4")
    quiet("mount", "-o", "loop", DISK + ".ext4", DISK)


def end_disk():
    quiet("umount", "-R", DISK)
    os.unlink(DISK + ".ext4")


def holm(*args):
    os.environ["HOLM_ROOT"] = DISK + "/holm"
    quiet("holm", "images")
    return ["holm", *args], lambda: None


def podman(*args):
    engine = Podman(DISK + "/podman")
    quiet(*engine.base, "images")
    return [*engine.base, *args], lambda: None


def docker(*args):
    engine = Docker(DISK + "/docker")
    return [*engine.base, *args], engine.stop


def once(argv, cpu_of_others):
    """(wall ms, CPU ms), peak MB. Raises if it fails."""
    os.sync()
    cpu, others = cpu_ns(), cpu_of_others()
    start = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, WORK + "/stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    spent = cpu_ns() - cpu - (cpu_of_others() - others)
    if status:
        with open(WORK + "/stderr") as f:
            raise RuntimeError(f.read()[-500:])
    return (wall * 1e3, spent / 1e6), usage.ru_maxrss / 1024


def compare(title, commands, cpu_of_others=lambda: 0):
    """commands: {name: function that gives argv and what to do afterwards}."""
    results = {name: [] for name in commands}
    peaks = {}
    for _ in range(ROUNDS):
        for name, prepare in commands.items():
            fresh_disk()
            argv, stop = prepare()
            try:
                value, peaks[name] = once(argv, cpu_of_others)
                results[name].append(value)
            except RuntimeError as error:
                print(name, "failed:", error)
            stop()
            end_disk()
    report(title, {name: values for name, values in results.items() if values}, peaks)
