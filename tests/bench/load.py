"""The image of pull.py from a file: as docker save writes it (layers not compressed), and as an OCI
archive (gzip), which Docker before version 25 does not read."""

import pathlib
import shutil

from bench import WORK, quiet, versions
from stores import IMAGE, compare, docker, holm, podman

DOCKER, OCI = WORK + "/docker.tar", WORK + "/oci.tar"


def commands(path):
    found = {"holm": lambda: holm("load", "-q", "-i", path)}
    if shutil.which("podman"):
        found["podman"] = lambda: podman("load", "-q", "-i", path)
    if shutil.which("dockerd") and path == DOCKER:
        found["docker"] = lambda: docker("load", "-q", "-i", path)
    return found


versions()
for archive in (DOCKER, OCI):  # what `save` has left
    pathlib.Path(archive).unlink(missing_ok=True)
quiet("skopeo", "copy", "--quiet", IMAGE, f"docker-archive:{DOCKER}:bench:latest")
quiet("skopeo", "copy", "--quiet", IMAGE, f"oci-archive:{OCI}:latest")
compare("load of 4 layers, docker-archive", commands(DOCKER))
compare("load of 4 layers, oci-archive", commands(OCI))
