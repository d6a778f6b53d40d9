#!/usr/bin/env python3
"""fake_systemd.py SOCKET LOG - a bus with a stand-in for systemd behind it, for tests of the systemd
cgroup manager where no systemd runs. It makes the cgroups of transient scopes in every hierarchy,
moves their processes there, and writes each call and its properties to LOG, a JSON line each."""
import errno
import json
import os
import socket
import struct
import sys
import threading
import time


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, kind):
        size = struct.calcsize(kind)
        self.align(size)
        value = struct.unpack_from("<" + kind, self.data, self.at)[0]
        self.at += size
        return value

    def align(self, size):
        self.at = (self.at + size - 1) // size * size

    def text(self, length):
        value = self.data[self.at:self.at + length].decode()
        self.at += length + 1
        return value

    def value(self, kind):
        numbers = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d"}
        if kind in numbers:
            return self.number(numbers[kind])
        if kind in "so":
            return self.text(self.number("I"))
        if kind == "g":
            return self.text(self.number("B"))
        if kind == "v":
            return self.values(self.value("g"))[0]
        if kind[0] == "a":
            length = self.number("I")
            self.align(8 if kind[1] in "(xtd" else 4 if kind[1] in "sobiua" else 1)
            end, items = self.at + length, []
            while self.at < end:
                items.append(self.value(kind[1:]))
            assert self.at == end, "an array of a wrong length"
            return items
        assert kind[0] == "(", kind
        self.align(8)
        return self.values(kind[1:-1])

    def values(self, signature):
        result = []
        while signature:
            size = element(signature)
            result.append(self.value(signature[:size]))
            signature = signature[size:]
        return result


def element(signature):
    if signature[0] == "a":
        return 1 + element(signature[1:])
    if signature[0] != "(":
        return 1
    depth = 0
    for at, letter in enumerate(signature):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return at + 1
    raise ValueError(signature)


def pad(data, size):
    return data + b"\0" * (-len(data) % size)


def string(data, text):
    return pad(data, 4) + struct.pack("<I", len(text)) + text.encode() + b"\0"


def message(kind, serial, fields, signature="", body=b""):
    data = b""
    if signature:
        fields = fields + [(8, "g", signature)]
    for code, letter, value in fields:
        data = pad(data, 8) + bytes([code, 1]) + letter.encode() + b"\0"
        if letter == "u":
            data = pad(data, 4) + struct.pack("<I", value)
        elif letter == "g":
            data += bytes([len(value)]) + value.encode() + b"\0"
        else:
            data = string(data, value)
    head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(data))
    return pad(head + data, 8) + body


def hierarchies():
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            left, right = line.split(" - ")
            if right.split()[0] in ("cgroup", "cgroup2"):
                yield left.split()[4]


def remove(folder):
    """A process that was waited for may be in its cgroup for a moment still."""
    for _ in range(100):
        try:
            os.rmdir(folder)
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.02)
    os.rmdir(folder)


def expand(slice_name):
    parts = slice_name[:-len(".slice")].split("-")
    return "/".join("-".join(parts[:n + 1]) + ".slice" for n in range(len(parts)))


class Systemd:
    def __init__(self, connection, log, units):
        self.connection, self.log, self.units = connection, log, units
        self.serial = self.jobs = 0

    def send(self, *arguments):
        self.serial += 1
        self.connection.sendall(message(arguments[0], self.serial, *arguments[1:]))

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def line(self):
        data = b""
        while not data.endswith(b"\r\n"):
            data += self.exactly(1)
        return data

    def run(self):
        assert self.exactly(1) == b"\0"
        assert self.line() == b"AUTH EXTERNAL\r\n"
        self.connection.sendall(b"DATA\r\n")
        assert self.line() == b"DATA\r\n"
        self.connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        assert self.line() == b"BEGIN\r\n"
        while True:
            self.answer()

    def answer(self):
        head = self.exactly(16)
        body_length, serial, fields_length = struct.unpack("<III", head[4:])
        fields = Reader(head + self.exactly((fields_length + 7) // 8 * 8))
        fields.at, found = 16, {}
        while fields.at < 16 + fields_length:
            fields.align(8)
            code = fields.number("B")
            found[code] = fields.value("v")
        arguments = Reader(self.exactly(body_length)).values(found.get(8, ""))
        handler = getattr(self, found[3], None)
        self.log.write(json.dumps([found[3]] + arguments) + "\n")
        self.log.flush()
        try:
            job = handler(*arguments) if handler else None
        except KeyError as error:
            self.send(3, [(4, "s", "org.freedesktop.systemd1." + error.args[0]), (5, "u", serial)],
                      "s", string(b"", "Unit has a problem: " + error.args[0]))
            return
        if found[3] == "Hello":
            self.send(2, [(5, "u", serial)], "s", string(b"", ":1.1"))
        elif job is None:
            self.send(2, [(5, "u", serial)])
        else:
            self.finish(serial, *job)

    def finish(self, serial, unit, result):
        """Another job's end comes first: who waits must look at the path."""
        self.jobs += 1
        for number in (999, self.jobs):
            path = "/org/freedesktop/systemd1/job/%d" % number
            body = string(string(string(struct.pack("<I", number), path), unit), result)
            signal = [(1, "o", "/org/freedesktop/systemd1"), (2, "s", "org.freedesktop.systemd1.Manager"),
                      (3, "s", "JobRemoved")]
            self.send(4, signal, "uoss", body)
            if number == 999:
                self.send(2, [(5, "u", serial)], "o", string(b"", "/org/freedesktop/systemd1/job/%d" % self.jobs))

    def StartTransientUnit(self, name, mode, properties, _):
        if name in self.units:
            raise KeyError("UnitExists")
        values = {key: value for key, value in properties}
        if os.environ.get("FAKE_RESULT"):
            return name, os.environ["FAKE_RESULT"]
        path = expand(values.get("Slice", "system.slice")) + "/" + name
        self.units[name] = path
        for mount in hierarchies():
            if os.path.exists(mount + "/cpuset.mems"):
                continue  # v1's cpuset is not systemd's
            os.makedirs(mount + "/" + path, exist_ok=True)
            for pid in values["PIDs"]:
                with open(mount + "/" + path + "/cgroup.procs", "w") as procs:
                    procs.write(str(pid))
        return name, "done"

    def StopUnit(self, name, mode):
        if name not in self.units:
            raise KeyError("NoSuchUnit")
        path = self.units.pop(name)
        for mount in hierarchies():
            for folder, _, _ in os.walk(mount + "/" + path, topdown=False):
                remove(folder)
            parts = path.split("/")[:-1]
            while parts:
                try:
                    os.rmdir(mount + "/" + "/".join(parts))
                except OSError:
                    break
                parts.pop()
        return name, "done"

    def SetUnitProperties(self, name, runtime, properties):
        if name not in self.units:
            raise KeyError("NoSuchUnit")


def serve(connection, log, units):
    try:
        Systemd(connection, log, units).run()
    except EOFError:
        pass


def main():
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[1])
    server.listen()
    units = {}
    with open(sys.argv[2], "w") as log:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, log, units), daemon=True).start()


main()
