#!/usr/bin/env python3
"""fake_criu.py - stands in for criu as a service (`criu swrk FD`), where no criu knows the kernel: what
it is asked goes to the file $FAKE_CRIU_ASKED, a field a line; a dump ends the process, a restore makes
one that counts on a new terminal, whose other side it hands over."""
import ctypes
import os
import pty
import signal
import socket
import sys

LOG = """(00.1) Error (criu/sk-tcp.c:1): Can't get 1:16 opt: Operation not supported
(00.2) Error (criu/cr-dump.c:2): Dumping FAILED.
"""

CLONE_PARENT, SYS_CLONE = 0x8000, 56
DUMP, RESTORE, NOTIFY = 1, 2, 6


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                return value

    while at < len(data):
        key, value = number(), number()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def notify(peer, script, fds=()):
    socket.send_fds(peer, [field(1, NOTIFY) + field(2, 1) + field(5, field(1, script))], fds)
    answer = dict(fields(peer.recv(65536)))
    assert answer == {1: NOTIFY, 3: 1}, answer


def count():
    os.execvp("sh", ["sh", "-c", "tty; i=0; while sleep 0.1; do i=$((i + 1)); echo count $i; done"])


def restore(peer):
    master, slave = pty.openpty()
    notify(peer, b"pre-restore")
    notify(peer, b"orphan-pts-master", [master])
    pid = ctypes.CDLL(None).syscall(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os.close(master)
        peer.close()
        os.login_tty(slave)
        count()
    return pid


def serve(peer):
    request = dict(fields(peer.recv(65536)))
    with open(os.environ["FAKE_CRIU_ASKED"], "w", encoding="utf-8") as asked:
        for number, value in fields(request[2]):
            print(number, value if isinstance(value, int) else value.decode("latin-1"), file=asked)
    options = dict(fields(request[2]))
    if os.environ.get("FAKE_CRIU_FAILS"):
        if log := os.environ.get("FAKE_CRIU_LOG"):
            with open(log, "w", encoding="ascii") as out:
                out.write(LOG)
        peer.send(field(1, request[1]) + field(2, 0))
        return
    if request[1] == DUMP:
        os.kill(options[2], signal.SIGKILL)
        peer.send(field(1, DUMP) + field(2, 1))
    elif request[1] == RESTORE:
        peer.send(field(1, RESTORE) + field(2, 1) + field(4, field(1, restore(peer))))


if sys.argv[1] == "--version":
    print("Version: 4.1")
elif sys.argv[1] == "swrk":
    serve(socket.socket(fileno=int(sys.argv[2])))
