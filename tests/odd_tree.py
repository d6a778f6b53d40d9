#!/usr/bin/python3
"""odd_tree.py make DIR - a tree of all that archives have trouble with
odd_tree.py show DIR - every thing in DIR with all that can be seen of it, one a line
odd_tree.py pack pax|gnu|ustar DIR FILE - by python's own tarfile; what the format cannot say is left out"""

import hashlib
import os
import stat
import struct
import sys
import tarfile

TIME_NS = 1234567890_123456789
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)  # cap_net_bind_service+ep


class Tree:
    def __init__(self, root):
        self.root = os.fsencode(root)
        os.makedirs(self.root, exist_ok=True)

    def path(self, name):
        path = os.path.join(self.root, name if isinstance(name, bytes) else name.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def file(self, name, body=b"x", mode=0o644, owner=(0, 0), time_ns=TIME_NS, **attributes):
        path = self.path(name)
        with open(path, "wb") as f:
            f.write(body)
        os.chown(path, *owner)
        os.chmod(path, mode)
        for attribute, value in attributes.items():
            os.setxattr(path, attribute.encode(), value)
        os.utime(path, ns=(time_ns, time_ns))

    def sparse(self, name, size, parts):
        with open(self.path(name), "wb") as f:
            for at, body in parts:
                f.seek(at)
                f.write(body)
            f.truncate(size)

    def folder(self, name, mode):
        self.file(name + "/in", mode=0o640, owner=(7, 8))
        os.chown(self.path(name), 5, 6)
        os.chmod(self.path(name), mode)
        os.utime(self.path(name), ns=(1000000001_000000001,) * 2)

    def link(self, name, to):
        os.link(self.path(to), self.path(name), follow_symlinks=False)

    def node(self, name, mode, major=0, minor=0):
        os.mknod(self.path(name), mode, os.makedev(major, minor))
        os.chmod(self.path(name), mode & 0o7777)


def make(root):
    tree = Tree(root)
    tree.file("setuid", mode=0o4755)
    tree.file("setgid", mode=0o2755, owner=(3, 4))
    tree.file("sticky", mode=0o1644)
    tree.file("unreadable", mode=0)
    tree.file("owner-large", owner=(3000000, 4000000))
    tree.file("owner-largest", owner=(4294967294, 4294967294))
    tree.file("time-before-1970", time_ns=-1_500000000)
    tree.file("time-zero", time_ns=0)
    tree.file("time-far", time_ns=5000000000_999999999)
    for size in (0, 1, 511, 512, 513, 10240, 10241):
        tree.file("size-%d" % size, b"b" * size)
    for name in (b"latin-\xe9\xff", b"\xe9" * 120, "grün-ß-日本".encode(), "u\u0308".encode(),
                 b"new\nline", b"escape\x1b[31m", b" blank ", b"back\\slash", b"-dash", b"tab\tx"):
        tree.file(b"name/" + name, name)
    for length in (99, 100, 101, 155, 156, 255):
        tree.file("n" * length)
        tree.file("d" * length + "/" + "n" * length)
    tree.file("/".join("%03d" % i + "x" * 40 for i in range(20)) + "/leaf")
    for name, target in (("plain", "size-1"), ("absolute", "/etc/passwd"), ("up", "../" * 20 + "etc"),
                         ("dangling", "nowhere"), ("100", "s" * 100), ("101", "s" * 101),
                         ("long", "l" * 4000), ("latin", b"\xe9\xff")):
        os.symlink(target, tree.path("symlink/" + name))
    os.chown(tree.path("symlink/plain"), 11, 12, follow_symlinks=False)
    os.utime(tree.path("symlink/plain"), ns=(5_600, 5_600), follow_symlinks=False)
    tree.file("hard/a/one", b"hard")
    tree.link("hard/b/two", "hard/a/one")
    tree.link("three", "hard/a/one")
    tree.file("hard/" + "z" * 200)
    tree.link("hard/" + "y" * 200, "hard/" + "z" * 200)
    tree.file("hard/empty", b"")
    tree.link("hard/empty-2", "hard/empty")
    tree.file(b"hard/caf\xe9")
    tree.link(b"hard/caf\xe9-2", b"hard/caf\xe9")
    tree.link("hard/of-symlink", "symlink/plain")
    tree.node("device/null", stat.S_IFCHR | 0o666, 1, 3)
    tree.node("device/loop", stat.S_IFBLK | 0o660, 7, 1)
    tree.node("device/largest", stat.S_IFCHR | 0o600, 4095, 1048575)
    tree.node("fifo", stat.S_IFIFO | 0o622)
    for mode in (0, 0o555, 0o700, 0o1777, 0o2755):
        tree.folder("folder-%o" % mode, mode)
    tree.sparse("sparse/hole", 1 << 20, [])
    tree.sparse("sparse/begin", 1 << 20, [(0, b"begin")])
    tree.sparse("sparse/end", (1 << 20) + 3, [(1 << 20, b"end")])
    tree.sparse("sparse/many", 40 << 17, [(i << 17, b"%d" % i) for i in range(1, 39)])
    tree.file("attributes", **{"user.note": b"hello", "user.bytes": bytes(range(256)),
                               "user.empty": b"", "user.a=b%c": b"1"})
    tree.file("capability", owner=(9, 9), **{"security.capability": CAPABILITY})


def describe(path, seen):
    """What lstat, readlink, the bytes and the attributes say. Blocks: to the nearest 32 KiB."""
    st = os.lstat(path)
    kind = stat.filemode(st.st_mode)
    parts = [kind, "%d:%d" % (st.st_uid, st.st_gid), "%d" % st.st_mtime_ns]
    if stat.S_ISLNK(st.st_mode):
        parts.append(repr(os.readlink(path)))
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            parts.append("%d %s" % (st.st_size, hashlib.sha256(f.read()).hexdigest()[:16]))
        parts.append("blocks=%d" % (st.st_blocks // 64))
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        parts.append("%d,%d" % (os.major(st.st_rdev), os.minor(st.st_rdev)))
    if not stat.S_ISDIR(st.st_mode) and st.st_nlink > 1:
        parts.append("also=" + seen.setdefault(st.st_ino, repr(path)))
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        parts.append("%s=%s" % (name, os.getxattr(path, name, follow_symlinks=False).hex()))
    return " ".join(parts)


def walk(root):
    """Every path below root, relative, as bytes; sorted."""
    found = [b"."]
    for folder, folders, files in os.walk(os.fsencode(root)):
        found += [os.path.relpath(os.path.join(folder, n), os.fsencode(root))
                  for n in folders + files]
    return sorted(found)


def show(root):
    paths, seen = walk(root), {}
    os.chdir(root)
    for path in paths:
        if path != b".":  # the archives of some tests have no entry for it
            print(repr(path), describe(path, seen))


def pack(kind, root, to):
    formats = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT, "ustar": tarfile.USTAR_FORMAT}
    with tarfile.open(to, "w", format=formats[kind], errors="surrogateescape") as tar:
        for path in walk(root):
            full = os.fsdecode(os.path.join(os.fsencode(root), path))
            entry = tar.gettarinfo(full, os.fsdecode(path))
            if kind == "pax" and not entry.issym():
                entry.pax_headers = {
                    "SCHILY.xattr." + name: os.getxattr(full, name).decode("utf-8", "surrogateescape")
                    for name in os.listxattr(full) if "=" not in name}
            try:
                with open(full if entry.isreg() else os.devnull, "rb") as f:
                    tar.addfile(entry, f)
            except ValueError:
                pass


if __name__ == "__main__":
    {"make": make, "show": show, "pack": pack}[sys.argv[1]](*sys.argv[2:])
