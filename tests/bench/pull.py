"""An image of four layers, 200 MB of gzip, and the same with zstd, from a registry on loopback."""

import json
import os
import shutil
import subprocess

from bench import WORK, port_free, quiet, versions, wait_for
from stores import IMAGE, compare, docker, holm, podman

NAME = "127.0.0.1:5000/bench:"
FORMS = os.environ.get("PULL_FORMS", "gzip zstd").split()


def registry():
    with open(WORK + "/registry.yml", "w") as f:
        f.write("version: 0.1\nlog: { level: error }\nstorage:\n  filesystem: { rootdirectory: "
                f"{WORK}/registry }}\nhttp:\n  addr: 127.0.0.1:5000\n")
    process = subprocess.Popen(["docker-registry", "serve", WORK + "/registry.yml"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_for(lambda: not port_free(5000), "docker-registry")
    for form in FORMS:
        push(form)
    return process


def push(form):
    """By way of a folder: skopeo compresses anew only for one."""
    folder = f"dir:{WORK}/{form}"
    quiet("skopeo", "copy", "--quiet", "--dest-compress", "--dest-compress-format", form, IMAGE, folder)
    quiet("skopeo", "copy", "--quiet", "--dest-tls-verify=false", folder, "docker://" + NAME + form)
    manifest = json.loads(quiet("skopeo", "inspect", "--tls-verify=false", "--raw",
                                "docker://" + NAME + form))
    assert all(layer["mediaType"].endswith(form) for layer in manifest["layers"])


def used_ns(process):
    """CPU time of the registry, which is no one's pull."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 10_000_000


def commands(form):
    name = NAME + form
    found = {"holm": lambda: holm("pull", "-q", name)}
    if shutil.which("podman"):
        found["podman"] = lambda: podman("pull", "-q", "--tls-verify=false", name)
    # Docker before version 23 does not know zstd
    if shutil.which("dockerd") and form != "zstd":
        found["docker"] = lambda: docker("pull", "-q", name)
    return found


def main():
    versions()
    server = registry()
    for form in FORMS:
        compare(f"pull of 4 layers, {form}", commands(form), lambda: used_ns(server))
    server.terminate()
    server.wait()


if __name__ == "__main__":
    main()
