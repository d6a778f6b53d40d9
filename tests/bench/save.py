"""The image of pull.py into a file: as docker save writes it, and as an OCI archive, which Docker before
version 25 does not write."""

import shutil

from bench import WORK, quiet, versions
from stores import DISK, IMAGE, compare, docker, holm, podman

SOURCE, TO = WORK + "/docker.tar", DISK + "/out.tar"


def prepare(engine, *arguments):
    argv, stop = engine("load", "-q", "-i", SOURCE)
    quiet(*argv)
    base = argv[:argv.index("load")]
    return [*base, "save", *arguments, "-o", TO, "bench:latest"], stop


def commands(*arguments):
    found = {"holm": lambda: prepare(holm, *arguments)}
    if shutil.which("podman"):
        found["podman"] = lambda: prepare(podman, *arguments)
    if shutil.which("dockerd") and not arguments:
        found["docker"] = lambda: prepare(docker)
    return found


versions()
quiet("skopeo", "copy", "--quiet", IMAGE, f"docker-archive:{SOURCE}:bench:latest")
compare("save of 4 layers, docker-archive", commands())
compare("save of 4 layers, oci-archive", commands("--format", "oci-archive"))
