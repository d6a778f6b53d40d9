#!/usr/bin/env python3
"""seccomp_agent.py SOCKET LOG ERRNO - an agent for listenerPath: appends each state that it gets to
LOG, one a line, with the names of the descriptors that came along, and answers every notified system
call with ERRNO; 0: it goes on, and its number is logged."""
import array
import fcntl
import os
import select
import socket
import struct
import sys
import threading

# linux/seccomp.h: struct seccomp_notif has 80 bytes, struct seccomp_notif_resp 24
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101
FLAG_CONTINUE = 1


def log(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text + "\n")


def receive(connection):
    text, fds = b"", array.array("i")
    while True:
        part, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4 * 16))
        for level, kind, data in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data)
        if not part:
            return text.decode(), list(fds)
        text += part


def answer(listener, path, errno):
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    while not poll.poll()[0][1] & select.POLLHUP:
        request = bytearray(80)
        try:
            fcntl.ioctl(listener, NOTIF_RECV, request)
        except OSError:  # it has died meanwhile
            continue
        ident, _, _, call = struct.unpack_from("QIIi", request)
        log(path, f"call {call}")
        reply = struct.pack("QqiI", ident, 0, -errno, 0 if errno else FLAG_CONTINUE)
        try:
            fcntl.ioctl(listener, NOTIF_SEND, reply)
        except OSError:
            pass
    log(path, "end")
    os.close(listener)


def main(path, log_path, errno):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    while True:
        connection, _ = server.accept()
        text, fds = receive(connection)
        connection.close()
        log(log_path, f"{text} {len(fds)}")
        threading.Thread(target=answer, args=(fds[0], log_path, errno), daemon=True).start()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
