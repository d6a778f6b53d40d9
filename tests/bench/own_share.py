"""What an engine itself needs to start and stop a system, and to get into one: an init that is up at
once and ends when it is asked to, beside lxc on the same tree, and beside a program that makes the same calls
of the kernel and does nothing else (floor.c). Then exec, pause and unpause in a booted Debian."""

import os
import shutil

from bench import WORK, compare, once, quiet, report
from systems import Lxc, cgroup_v2, debian_image, debian_tree

ROUNDS = int(os.environ.get("ROUNDS", "20"))
INIT = """#!/bin/sh
trap 'exit 0' PWR TERM INT USR1 USR2 37
while :; do /bin/sleep 1000 & wait; done
"""


def small_tree():
    folder = WORK + "/small"
    for name in ("bin", "sbin", "etc", "dev", "proc", "sys", "run", "tmp", "var", "root"):
        os.makedirs(f"{folder}/{name}")
    shutil.copy("/bin/busybox", folder + "/bin/busybox")
    for name in ("sh", "sleep", "true"):
        os.symlink("busybox", f"{folder}/bin/{name}")
    with open(folder + "/sbin/init", "w") as f:
        f.write(INIT)
    os.chmod(folder + "/sbin/init", 0o755)
    return folder


def floor(tree):
    """The kernel's own share: {} where there is no compiler, or another kind of host."""
    if not shutil.which("cc") or not os.path.exists("/sys/fs/cgroup/cpuacct/tasks"):
        return {}
    program, pid = WORK + "/floor", WORK + "/floor.pid"
    quiet("cc", "-O2", "-static", "-D_GNU_SOURCE", "-o", program,
          os.path.dirname(os.path.abspath(__file__)) + "/floor.c")
    return {"kernel": ([program, "start", tree, pid], [program, "stop", pid])}


def life(lxc):
    """Start and stop, both made before."""
    quiet("holm", "create", "--system", "--network", "none", "--userns", "host", "--name", "small",
          f"dir:{small_tree()}", "/sbin/init")
    engines = {"holm": (["holm", "start", "small"], ["holm", "stop", "small"])}
    if lxc:
        lxc.make("small", WORK + "/small")
        engines["lxc"] = (lxc.command("start", "small"), lxc.command("stop", "small"))
    engines.update(floor(WORK + "/small"))
    values = ({name: [] for name in engines}, {name: [] for name in engines})
    order = list(engines.items())
    for n in range(ROUNDS + 1):
        order.append(order.pop(0))
        for name, verbs in order:
            for verb, to in zip(verbs, values):
                value = once(verb)
                if n:
                    to[name].append(value)
    report("start of a system whose init is up at once", values[0])
    report("stop of a system whose init ends at once", values[1])


def inside(lxc):
    quiet("holm", "launch", "--network", "none", "--userns", "host", debian_image(), "deb")
    execs = {"holm exec": ["holm", "exec", "deb", "true"]}
    freezes = {"holm pause": (["holm", "pause", "deb"], ["holm", "unpause", "deb"])}
    if lxc:
        lxc.make("deb", debian_tree())
        lxc.boot("deb")
        execs["lxc-attach"] = lxc.command("attach", "deb", "--", "/bin/true")
        freezes["lxc-freeze"] = (lxc.command("freeze", "deb"), lxc.command("unfreeze", "deb"))
    compare("exec in a booted Debian", execs, ROUNDS)
    values = ({name: [] for name in freezes}, {name: [] for name in freezes})
    for _ in range(ROUNDS):
        for name, verbs in freezes.items():
            for verb, to in zip(verbs, values):
                to[name].append(once(verb))
    report("pause of a booted Debian", values[0])
    report("unpause of a booted Debian", values[1])
    quiet("holm", "rm", "-f", "deb")
    if lxc:
        quiet(*lxc.command("stop", "deb", "-k"))


def main():
    cgroup_v2()
    lxc = Lxc() if shutil.which("lxc-start") else None
    if not lxc:
        print("lxc is not installed")
    life(lxc)
    inside(lxc)


main()
