"""Published ports: TCP through one, beside the same path routed without translation, and what a
connection costs when the host's input rules judge it. A second host is a network namespace."""

import json
import os
import statistics
import subprocess
import time

from bench import OUT, ROUNDS, quiet

CONNECTIONS = 500
processes = []
SECONDS = os.environ.get("IPERF_SECONDS", "1")


def sh(text):
    subprocess.run(["sh", "-ec", text], check=True)


def namespace():
    """A process in a network namespace of its own."""
    process = subprocess.Popen(["unshare", "-n", "sleep", "100000"])
    processes.append(process)
    while os.readlink(f"/proc/{process.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    return process


def inside(pid, *argv):
    return ["nsenter", "-t", str(pid), "-n", *argv]


LISTENER = """
import socket
s = socket.create_server(("", 5202), backlog=128)
while True:
    s.accept()[0].close()
"""


def serve(pid):
    processes.append(subprocess.Popen(inside(pid, "python3", "-c", LISTENER)))
    processes.append(
        subprocess.Popen(inside(pid, "iperf3", "-s"), stdout=subprocess.DEVNULL))
    deadline = time.time() + 10
    while subprocess.run(inside(pid, "ss", "-Hltn", "sport >= 5201"), stdout=subprocess.PIPE,
                         check=True).stdout.count(b"\n") < 2 and time.time() < deadline:
        time.sleep(0.05)


def bandwidth(client, address, port):
    out = subprocess.run(inside(client, "iperf3", "-J", "-t", SECONDS, "-c", address,
                                "-p", str(port)), check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9


def connect_us(client, address, port):
    """The median of many connections, each closed at once."""
    text = ("import socket, time, statistics\n"
            "def one():\n"
            "    start = time.perf_counter()\n"
            f"    s = socket.create_connection(('{address}', {port}))\n"
            "    took = time.perf_counter() - start\n"
            "    s.close()\n"
            "    return took\n"
            f"print(statistics.median(one() for _ in range({CONNECTIONS})) * 1e6)\n")
    return float(subprocess.run(inside(client, "python3", "-c", text), check=True,
                                stdout=subprocess.PIPE).stdout)


def main():
    client, plain = namespace(), namespace()
    sh(f"""
        ip link add outside type veth peer name world netns {client.pid}
        ip address add 192.0.2.1/24 dev outside; ip link set outside up
        ip link add plain0 type bridge; ip address add 10.97.0.1/24 dev plain0
        ip link set plain0 up
        ip link add port0 type veth peer name eth0 netns {plain.pid}
        ip link set port0 master plain0 up""")
    sh(" ; ".join(" ".join(inside(client.pid, *line.split())) for line in (
        "ip address add 192.0.2.2/24 dev world", "ip link set world up",
        "ip route add 10.97.0.0/24 via 192.0.2.1")))
    sh(" ; ".join(" ".join(inside(plain.pid, *line.split())) for line in (
        "ip address add 10.97.0.2/24 dev eth0", "ip link set eth0 up",
        "ip route add default via 10.97.0.1")))
    for name, mode, port in (("judged", "firewall", 5001), ("open", "open", 5011)):
        quiet("holm", "run", "-d", "--name", name, "--network", "bridge", "--publish-mode", mode,
              "-p", f"{port}-{port + 1}:5201-5202", "busybox", "sleep", "100000")
    pids = [plain.pid] + [
        int(subprocess.run(["holm", "inspect", "--format", "{{.State.Pid}}", name], check=True,
                           stdout=subprocess.PIPE).stdout) for name in ("judged", "open")]
    for pid in pids:
        serve(pid)
    paths = {"routed": ("10.97.0.2", 5201), "judged": ("192.0.2.1", 5001),
             "open": ("192.0.2.1", 5011)}
    speed = {name: [] for name in paths}
    cost = {name: [] for name in paths}
    for _ in range(ROUNDS):
        for name, where in paths.items():
            speed[name].append(bandwidth(client.pid, *where))
            cost[name].append(connect_us(client.pid, where[0], where[1] + 1))
    print("\n| path | TCP, Gbit/s (median) | best | of routed | a connection, µs (median) |")
    print("|---|---|---|---|---|")
    base = statistics.median(speed["routed"])
    for name in paths:
        median = statistics.median(speed[name])
        print(f"| {name} | {median:.2f} | {max(speed[name]):.2f} | {median / base:.2f} | "
              f"{statistics.median(cost[name]):.0f} |")
    with open(f"{OUT}/ports.json", "w") as f:
        json.dump({"speed": speed, "connect": cost}, f)


try:
    main()
finally:
    for each in processes:
        each.kill()
        each.wait()
    subprocess.run(["holm", "rm", "-f", "judged", "open"], check=False, stdout=subprocess.DEVNULL)
