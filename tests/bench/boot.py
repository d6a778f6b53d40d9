"""Debian with systemd, booted to multi-user and stopped again, beside lxc and systemd-nspawn on the
same tree: how long until it is up, and until it is gone. holm makes its container anew each time;
lxc and nspawn find theirs made. ROUNDS (7) of all, in turn."""

import os
import shutil
import signal
import socket
import subprocess
import time

from bench import WORK, percentile, quiet
from systems import PATIENCE_S, Lxc, cgroup_v2, debian_image, debian_tree

ROUNDS = int(os.environ.get("ROUNDS", "7"))


class Holm:
    name = "holm launch"

    def __init__(self, folder, options=()):
        self.options = list(options)
        self.image = debian_image()

    def start(self):
        quiet("holm", "launch", "--network", "none", *self.options, self.image, "deb")

    def stop(self):
        quiet("holm", "stop", "deb")

    def end(self):
        quiet("holm", "rm", "deb")


class HolmHost(Holm):
    name = "holm launch --userns host"

    def __init__(self, folder):
        super().__init__(folder, ("--userns", "host"))


class LxcStart:
    name = "lxc-start"

    def __init__(self, folder):
        self.lxc = Lxc()
        self.lxc.make("deb", folder)

    def start(self):
        self.lxc.boot("deb")

    def stop(self):
        quiet(*self.lxc.command("stop", "deb"))

    def end(self):
        pass


class Nspawn:
    name = "systemd-nspawn"

    def __init__(self, folder):
        self.root = WORK + "/nspawn"
        subprocess.run(["cp", "-a", folder, self.root], check=True)

    def start(self):
        notify = WORK + "/notify"
        if os.path.exists(notify):
            os.unlink(notify)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.bind(notify)
        listening.settimeout(PATIENCE_S)
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "-b", "-D", self.root, "-M", "deb", "--keep-unit",
             "--register=no", "--notify-ready=yes", "--console=read-only"],
            env=dict(os.environ, NOTIFY_SOCKET=notify, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while b"READY=1" not in listening.recv(4096):
            pass
        listening.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def end(self):
        pass


def main():
    cgroup_v2()
    folder = debian_tree()
    engines = [Holm(folder), HolmHost(folder)]
    for program, engine in (("lxc-start", LxcStart), ("systemd-nspawn", Nspawn)):
        if shutil.which(program):
            engines.append(engine(folder))
        else:
            print(f"{program} is not installed")
    values = {e.name: ([], []) for e in engines}
    for n in range(ROUNDS + 1):
        engines.append(engines.pop(0))
        for e in engines:
            began = time.perf_counter()
            e.start()
            up = time.perf_counter()
            e.stop()
            gone = time.perf_counter()
            e.end()
            if n:
                values[e.name][0].append((up - began) * 1e3)
                values[e.name][1].append((gone - up) * 1e3)
    print(f"{'':28} {'up ms':>8} {'best':>8} {'stop ms':>8} {'best':>8}")
    for name, (up, stop) in values.items():
        print(f"{name:28} {percentile(up, .5):8.0f} {min(up):8.0f} "
              f"{percentile(stop, .5):8.0f} {min(stop):8.0f}")


main()
