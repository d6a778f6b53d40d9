"""What the benchmarks of booted systems share: the tree of Debian, and lxc with containers of it."""

import os
import subprocess
import tempfile
import time

from bench import WORK, quiet

IMAGES = os.environ["BENCH_IMAGES"]
PATIENCE_S = 60


def cgroup_v2():
    """What `run` has taken away, since crun refuses it."""
    if not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        os.makedirs("/sys/fs/cgroup/unified", exist_ok=True)
        quiet("mount", "-t", "cgroup2", "cgroup", "/sys/fs/cgroup/unified")


def debian_tree():
    """The image's two layers as one folder."""
    folder = WORK + "/tree"
    if os.path.exists(folder):
        return folder
    os.mkdir(folder)
    for layer in ("debian.tar", "systemd.tar"):
        quiet("tar", "-C", folder, "--numeric-owner", "-xf", f"{IMAGES}/{layer}")
    for parent, _, files in os.walk(folder):
        for name in files:
            if name.startswith(".wh."):
                os.unlink(os.path.join(parent, name))
    return folder


def debian_image():
    """holm's image of the same two layers."""
    quiet("holm", "pull", "-q", f"oci:{IMAGES}/systemd:bookworm")
    return "bookworm"


def until(what):
    end = time.perf_counter() + PATIENCE_S
    while not what():
        if time.perf_counter() > end:
            raise RuntimeError("not in time")
        time.sleep(0.002)


class Lxc:
    """Containers of lxc in a folder of their own, with a root that is a plain copy of a tree."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="lxc-", dir=WORK)

    def make(self, name, folder):
        os.makedirs(f"{self.path}/{name}")
        subprocess.run(["cp", "-a", folder, f"{self.path}/{name}/rootfs"], check=True)
        with open(f"{self.path}/{name}/config", "w") as f:
            f.write("lxc.include = /usr/share/lxc/config/common.conf\n"
                    "lxc.arch = linux64\n"
                    f"lxc.rootfs.path = dir:{self.path}/{name}/rootfs\n"
                    f"lxc.uts.name = {name}\nlxc.net.0.type = empty\n"
                    "lxc.apparmor.profile = unconfined\n")

    def command(self, verb, name, *args):
        return [f"lxc-{verb}", "-P", self.path, "-n", name, *args]

    def boot(self, name):
        """Debian, until it is at multi-user."""
        console = f"{self.path}/{name}.console"
        if os.path.exists(console):
            os.unlink(console)
        quiet(*self.command("start", name, "-L", console))
        until(lambda: os.path.exists(console) and
              b"Multi-User System" in open(console, "rb").read())
