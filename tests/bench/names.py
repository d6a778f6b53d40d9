"""How long an answer of a container's name server takes: a neighbour's name, one that the host's server
answers, and beside it dnsmasq asked directly. Seen from the container's network namespace, by a socket
that asks 2000 times."""

import json
import os
import subprocess
import sys

from bench import Holm, percentile, quiet, wait_for

ASK = """
import json, socket, struct, sys, time
server, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((server, 53))
question = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\\0\\0\\1\\0\\1"
times = []
for i in range(count + 1):
    start = time.perf_counter()
    s.send(struct.pack(">HHHHHH", i, 0x100, 1, 0, 0, 0) + question)
    answer = s.recv(4096)
    times.append(time.perf_counter() - start)
    assert answer[3] & 15 == 0 and answer[7] >= 1, answer
print(json.dumps(times[1:]))
"""


def ask(pid, server, name, count=2000):
    return json.loads(quiet("nsenter", "-t", str(pid), "-n", sys.executable, "-c", ASK, server, name,
                            str(count)))


def settle(pid, server, name):
    def answers():
        return not subprocess.run(["nsenter", "-t", str(pid), "-n", sys.executable, "-c", ASK, server,
                                   name, "1"], check=False, capture_output=True).returncode
    wait_for(answers, name)


engine = Holm()
with open("resolv.conf", "w", encoding="ascii") as f:
    f.write("nameserver 127.0.0.53\n")
quiet("mount", "--bind", "resolv.conf", "/etc/resolv.conf")
dnsmasq = subprocess.Popen(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                            "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.53",
                            "--address=/test/192.0.2.7", "--pid-file=", "--user=root"])
quiet("holm", "network", "create", "web")
names = ["app"] + [f"n{i}" for i in range(int(os.environ.get("NEIGHBOURS", "20")))]
for name in names:
    quiet(*engine.run("-d", "--name", name, "--network", "web", command=("sleep", "100000")))
pid = int(quiet("holm", "inspect", "--format", "{{.State.Pid}}", "app"))
settle(pid, "127.0.0.11", "x.test")
print(f"\n### one answer, {len(names)} containers in the network\n")
print("| | p10 ms | median ms | p99 ms |\n|---|---|---|---|")
for what, where, server, name in (
        ("a neighbour's name", pid, "127.0.0.11", names[-1]),
        ("by the host's dnsmasq", pid, "127.0.0.11", "x.test"),
        ("dnsmasq itself", os.getpid(), "127.0.0.53", "x.test")):
    times = [t * 1e3 for t in ask(where, server, name)]
    print(f"| {what} | {percentile(times, .1):.3f} | {percentile(times, .5):.3f} | "
          f"{percentile(times, .99):.3f} |", flush=True)
monitor = json.loads(quiet("bash", "-c", 'cat "$HOLM_RUN/containers/$(holm inspect --format {{.Id}} app)'
                           '/state.json"'))["monitorPid"]
dns = quiet("pgrep", "-P", str(monitor), "-x", "holm-dns").strip()
print(f"\nholm-dns: {quiet('grep', 'Pss:', f'/proc/{dns}/smaps_rollup').split()[1]} kB (PSS)")
quiet("bash", "-c", "holm ps -aq | xargs holm rm -f; holm network rm web")
dnsmasq.terminate()
quiet("umount", "/etc/resolv.conf")
