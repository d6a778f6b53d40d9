#!/usr/bin/python3
"""busybox.py BUSYBOX OUTPUT [EMULATOR...] - the image that is shipped with holm, as an OCI archive
(image-spec v1.1 image-layout.md), made of Debian's static busybox, which the emulator runs where it
is another machine's. The same busybox gives the same bytes:
times are those of its file (or SOURCE_DATE_EPOCH), owners root, the order by name."""

import datetime
import gzip
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile

NAME = "docker.io/library/busybox"
TAG = "latest"

FOLDERS = {
    "bin": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "home": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "run": 0o755,
    "sbin": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "usr": 0o755,
    "usr/bin": 0o755,
    "usr/sbin": 0o755,
    "var": 0o755,
    "var/log": 0o755,
    "var/tmp": 0o1777,
}

FILES = {
    "etc/passwd": (
        0o644,
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    ),
    "etc/group": (
        0o644,
        "root:x:0:\ndaemon:x:1:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\n"
        "nogroup:x:65534:\n",
    ),
    "etc/shadow": (0o640, "root:*:::::::\n"),
    "etc/shells": (0o644, "/bin/sh\n/bin/ash\n"),
    "etc/nsswitch.conf": (0o644, "hosts: files dns\n"),
    "etc/profile": (0o644, "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
}

# As Go names them, which is how image-spec does.
# By e_machine of the ELF header (elf.h); those of which holm's filters know the system calls.
ARCHITECTURES = {
    22: ("s390x", None),
    62: ("amd64", None),
    183: ("arm64", "v8"),
    243: ("riscv64", None),
}


def member(name, mode, mtime, kind=tarfile.REGTYPE, link="", size=0):
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.type, info.linkname, info.size = mode, mtime, kind, link, size
    info.uname = info.gname = "root"
    return info


def byte_order(program):
    """EI_DATA of a 64-bit ELF, as struct has it."""
    if program[:5] != b"\x7fELF\x02":
        sys.exit("busybox is no 64-bit program")
    return ">" if program[5] == 2 else "<"


def is_static(program):
    """No PT_INTERP in the program headers."""
    order = byte_order(program)
    (start,) = struct.unpack_from(order + "Q", program, 32)
    size, count = struct.unpack_from(order + "HH", program, 54)
    return all(struct.unpack_from(order + "I", program, start + i * size)[0] != 3 for i in range(count))


def layer(busybox, program, emulator, mtime):
    """The tar of the one layer: busybox in /bin, a symbolic link for every applet."""
    entries = {}
    for name, mode in FOLDERS.items():
        entries[name] = (member(name, mode, mtime, tarfile.DIRTYPE), None)
    for name, (mode, text) in FILES.items():
        data = text.encode()
        entries[name] = (member(name, mode, mtime, size=len(data)), data)
    entries["bin/busybox"] = (member("bin/busybox", 0o755, mtime, size=len(program)), program)
    command = [*emulator, busybox, "--list-full"]
    applets = subprocess.run(command, check=True, capture_output=True, text=True)
    for applet in applets.stdout.split():
        if applet in entries:
            continue
        target = os.path.relpath("bin/busybox", os.path.dirname(applet))
        entries[applet] = (member(applet, 0o777, mtime, tarfile.SYMTYPE, target), None)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(entries):
            info, data = entries[name]
            tar.addfile(info, io.BytesIO(data) if data is not None else None)
    return buffer.getvalue()


def text_of(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


class Layout:
    """The files of an OCI image layout."""

    def __init__(self):
        self.files = {"oci-layout": text_of({"imageLayoutVersion": "1.0.0"})}

    def blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        self.files["blobs/sha256/" + digest] = data
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def write(self, path, mtime):
        folders = ["blobs", "blobs/sha256"]
        with tarfile.open(path, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(folders + list(self.files)):
                if name in folders:
                    tar.addfile(member(name, 0o755, mtime, tarfile.DIRTYPE))
                    continue
                data = self.files[name]
                tar.addfile(member(name, 0o644, mtime, size=len(data)), io.BytesIO(data))


def config_of(program, diff_id, created):
    (machine,) = struct.unpack_from(byte_order(program) + "H", program, 18)
    architecture, variant = ARCHITECTURES[machine]
    config = {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Cmd": ["sh"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Labels": {
                "org.opencontainers.image.title": "busybox",
                "org.opencontainers.image.description": "Debian's static busybox, shipped with holm",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "holm: busybox-static"}],
    }
    if variant:
        config["variant"] = variant
    return config


def main(busybox, output, *emulator):
    with open(busybox, "rb") as file:
        program = file.read()
    if not is_static(program):
        sys.exit(busybox + " is not static: install busybox-static")
    mtime = int(os.environ.get("SOURCE_DATE_EPOCH") or os.stat(busybox).st_mtime)
    created = datetime.datetime.fromtimestamp(mtime, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    tar = layer(busybox, program, emulator, mtime)
    layout = Layout()
    packed = layout.blob(gzip.compress(tar, 9, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    diff_id = "sha256:" + hashlib.sha256(tar).hexdigest()
    config = layout.blob(text_of(config_of(program, diff_id, created)), "application/vnd.oci.image.config.v1+json")
    manifest_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = layout.blob(
        text_of({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": [packed]}),
        manifest_type,
    )
    manifest["annotations"] = {
        "io.containerd.image.name": NAME + ":" + TAG,
        "org.opencontainers.image.ref.name": TAG,
    }
    layout.files["index.json"] = text_of({"schemaVersion": 2, "manifests": [manifest]})
    layout.write(output, mtime)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: busybox.py BUSYBOX OUTPUT [EMULATOR...]")
    main(*sys.argv[1:])
