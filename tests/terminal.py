#!/usr/bin/env python3
"""terminal.py SCRIPT - runs holm on a pseudo-terminal; see terminal.bats for the words of SCRIPT."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = int(os.environ.get("HOLM_TEST_PATIENCE", 1))
SECONDS = 10 * PATIENCE


class Terminal:
    def __init__(self, args):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.resize(24, 80, None)
        self.shown = b""
        self.process = subprocess.Popen(
            ["holm"] + args, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns, process):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if process:
            process.send_signal(signal.SIGWINCH)
            time.sleep(0.3 * PATIENCE)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536)

    def expect(self, text):
        end = time.time() + SECONDS
        while text not in self.shown:
            if time.time() > end:
                fail(f"expected {text!r}, got {self.shown!r}")
            self.read(0.1)
        self.shown = self.shown[self.shown.index(text) + len(text):]

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def mode(self, raw):
        end = time.time() + SECONDS
        while self.is_raw() != raw:
            if time.time() > end:
                fail("the terminal is " + ("not raw" if raw else "still raw"))
            self.read(0.05)

    def status(self, wanted):
        end = time.time() + SECONDS
        while self.process.poll() is None:
            if time.time() > end:
                self.process.kill()
                fail(f"it did not end; shown: {self.shown!r}")
            self.read(0.05)
        if self.process.returncode != wanted:
            fail(f"expected status {wanted}, got {self.process.returncode}: {self.shown!r}")


def fail(why):
    sys.exit(f"terminal.py: {why}")


def main():
    first = second = None
    for line in sys.argv[1].split("\n"):
        word, _, rest = line.lstrip("\t").partition(" ")
        text = rest.encode().decode("unicode_escape").encode("latin-1")
        if not word:
            continue
        if word == "spawn":
            first = Terminal(rest.split(" "))
        elif word == "second":
            second = Terminal(rest.split(" "))
            time.sleep(0.5)
        elif word == "send":
            time.sleep(0.2)
            os.write(first.master, text)
        elif word == "expect":
            first.expect(text)
        elif word == "expect-second":
            second.expect(text)
        elif word == "resize":
            rows, columns = map(int, rest.split())
            first.resize(rows, columns, first.process)
        elif word in ("raw", "cooked"):
            first.mode(word == "raw")
        elif word == "signal":
            first.process.send_signal(getattr(signal, "SIG" + rest))
        elif word == "holm":
            subprocess.run(["holm"] + rest.split(), check=True, stdout=subprocess.DEVNULL)
        elif word == "status":
            first.status(int(rest))
        elif word == "status-second":
            second.status(int(rest))
        else:
            fail(f"no such word: {word}")


main()
