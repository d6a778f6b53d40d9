"""Snapshot, restore and clone of a Debian that was booted and stopped, beside lxc on the same tree: a
plain copy, as lxc makes one of a folder, and its overlay clone. Then how long a running container
that has written much stands still. ROUNDS (7) of all, in turn."""

import os
import shutil

from bench import WORK, once, percentile, quiet, report
from systems import Lxc, cgroup_v2, debian_image, debian_tree

ROUNDS = int(os.environ.get("ROUNDS", "7"))


class Holm:
    name = "holm"

    def __init__(self, _):
        quiet("holm", "launch", "--network", "none", debian_image(), "deb")
        quiet("holm", "stop", "deb")

    def snapshot(self):
        return ["holm", "snapshot", "deb", "now"]

    def restore(self):
        return ["holm", "restore", "deb", "now"]

    def clone(self):
        return ["holm", "clone", "deb", "copy"]

    def clean(self):
        quiet("holm", "rm", "copy")
        quiet("holm", "snapshot", "rm", "deb", "now")


class LxcFolder:
    name = "lxc, copies"

    def __init__(self, folder):
        self.lxc = Lxc()
        self.lxc.make("deb", folder)

    def snapshot(self):
        return self.lxc.command("snapshot", "deb")

    def restore(self):
        return self.lxc.command("snapshot", "deb", "-r", "snap0")

    def clone(self):
        return self.lxc.command("copy", "deb", "-N", "copy")

    def clean(self):
        quiet(*self.lxc.command("destroy", "copy"))
        quiet(*self.lxc.command("snapshot", "deb", "-d", "snap0"))


class LxcOverlay:
    """It has this of a clone alone, and a clone can be made of what has none yet."""

    name = "lxc, overlay"

    def __init__(self, folder):
        self.lxc = Lxc()
        self.lxc.make("base", folder)

    def clone(self):
        return self.lxc.command("copy", "base", "-s", "-B", "overlay", "-N", "over")

    def clean(self):
        quiet(*self.lxc.command("destroy", "over"))


def still(engines):
    values = {verb: {} for verb in ("snapshot", "restore", "clone")}
    for n in range(ROUNDS + 1):
        engines.append(engines.pop(0))
        for e in engines:
            for verb, found in values.items():
                if hasattr(e, verb):
                    value = once(getattr(e, verb)())
                    if n:
                        found.setdefault(e.name, []).append(value)
            e.clean()
    for verb, found in values.items():
        report(f"{verb} of a stopped Debian", dict(sorted(found.items())))


def running(files, size):
    """How long it stands still, as its snapshots say, and how long the command takes."""
    quiet("holm", "run", "-d", "--name", "busy", "--network", "none", "bookworm", "sh", "-c",
          f"i=0; while [ $i -lt {files} ]; do head -c {size} /dev/zero >/root/$i; i=$((i + 1)); done; "
          "touch /ready; exec sleep 9999")
    while not quiet("holm", "exec", "busy", "sh", "-c", "[ ! -e /ready ] || echo yes"):
        pass
    walls = []
    for n in range(ROUNDS + 1):
        value = once(["holm", "snapshot", "busy", f"s{n}"])
        if n:
            walls.append(value)
    pauses = [int(quiet("holm", "snapshot", "inspect", "-f", "{{.PausedNanoseconds}}", "busy",
                        f"s{n}")) / 1e6 for n in range(1, ROUNDS + 1)]
    report(f"snapshot of one that runs, {files} files of {size} bytes written", {"holm": walls})
    print(f"\nof this it stood still: median {percentile(pauses, .5):.1f} ms, "
          f"best {min(pauses):.1f} ms")
    quiet("holm", "rm", "-f", "busy")


def main():
    cgroup_v2()
    folder = debian_tree()
    engines = [Holm(folder)]
    if shutil.which("lxc-copy") and shutil.which("rsync"):
        engines += [LxcFolder(folder), LxcOverlay(folder)]
    else:
        print("lxc, and rsync for its copies, are not installed")
    still(engines)
    running(10, 1000)
    running(6000, 20000)
    quiet("holm", "rm", "deb")


main()
