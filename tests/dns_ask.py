#!/usr/bin/python3 -IS
"""dns_ask.py SERVER NAME [TYPE] [tcp] [edns=SIZE] - asks a name server one question, without a C library's
habits, and prints the answer's code, flags and records, one a line.
dns_ask.py --serve ADDRESS HOW... - a name server that misbehaves: "silent" never answers, "refuse"
refuses, "forge" answers with another id and to another question before it answers, "long" has
answers that fit TCP alone."""
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28, "ANY": 255, "MX": 15}
CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]


def encode(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p) + b"\0"


def skip(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += 1 + message[at]
    return at + 1


def decode(message, at):
    parts = []
    while message[at]:
        if message[at] >= 0xC0:
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
            continue
        parts.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(parts)


def show(message):
    flags, _, count = struct.unpack_from(">HHH", message, 2)
    print(CODES[flags & 15], "TC" if flags & 0x200 else "", f"{len(message)} bytes" if flags & 0x200 else "")
    at = skip(message, 12) + 4
    for _ in range(count):
        at = skip(message, at)
        kind, _, ttl, length = struct.unpack_from(">HHIH", message, at)
        at += 10
        data = message[at : at + length]
        if kind == 1:
            print("A", socket.inet_ntop(socket.AF_INET, data))
        elif kind == 28:
            print("AAAA", socket.inet_ntop(socket.AF_INET6, data))
        elif kind == 12:
            print("PTR", decode(message, at))
        else:
            print("TYPE", kind, length)
        at += length


def read_all(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def ask(server, name, kind="A", *how):
    size = [int(h[5:]) for h in how if h.startswith("edns=")]
    query = struct.pack(">HHHHHH", 4711, 0x100, 1, 0, 0, len(size)) + encode(name)
    query += struct.pack(">HH", TYPES[kind], 1)
    if size:
        query += b"\0" + struct.pack(">HHIH", 41, size[0], 0, 0)
    if "tcp" in how:
        with socket.create_connection((server, 53), 10) as connection:
            connection.sendall(struct.pack(">H", len(query)) + query)
            answer = read_all(connection, struct.unpack(">H", read_all(connection, 2))[0])
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            s.connect((server, 53))
            s.send(query)
            answer = s.recv(65535)
    assert struct.unpack(">H", answer[:2])[0] == 4711
    show(answer)


def answer_to(query, data, kind=1):
    question = query[12 : skip(query, 12) + 4]
    head = query[:2] + struct.pack(">HHHHH", 0x8180, 1, len(data), 0, 0)
    return head + question + b"".join(
        struct.pack(">HHHIH", 0xC00C, kind, 1, 60, len(d)) + d for d in data)


def reply(query, how):
    if "long" in how:
        return answer_to(query, [bytes([255]) + b"x" * 255] * 20, 16)
    return answer_to(query, [socket.inet_aton("192.0.2.80")])


def serve_stream(address, how):
    listener = socket.create_server((address, 53))
    while True:
        connection = listener.accept()[0]
        query = read_all(connection, struct.unpack(">H", read_all(connection, 2))[0])
        message = reply(query, how)
        connection.sendall(struct.pack(">H", len(message)) + message)
        connection.close()


def serve(address, *how):
    threading.Thread(target=serve_stream, args=(address, how), daemon=True).start()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    print("ready", flush=True)
    while True:
        query, peer = s.recvfrom(65535)
        print("asked", decode(query, 12), "from port", peer[1], "id", query[:2].hex(), flush=True)
        if "silent" in how:
            continue
        if "refuse" in how:
            s.sendto(query[:2] + b"\x81\x85" + query[4:], peer)
            continue
        if "forge" in how:
            wrong = answer_to(query, [socket.inet_aton("192.0.2.66")])
            s.sendto(bytes([wrong[0] ^ 1]) + wrong[1:], peer)
            other = query[:12] + encode("other.example") + query[-4:]
            s.sendto(answer_to(other, [socket.inet_aton("192.0.2.67")]), peer)
        if "long" in how:
            question = query[12 : skip(query, 12) + 4]
            s.sendto(query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + question, peer)
            continue
        s.sendto(reply(query, how), peer)


if sys.argv[1] == "--serve":
    serve(*sys.argv[2:])
else:
    ask(*sys.argv[1:])
