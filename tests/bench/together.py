"""50 containers started at the same time: how long until the last of them has ended."""

import os
import subprocess
import time

from bench import ROUNDS, cpu_ns, engines, percentile

COUNT = 50
KEEP = max(3, ROUNDS // 4)


def together(argv):
    """(wall ms until all have ended, CPU ms of everything). Raises if one fails."""
    cpu = cpu_ns()
    start = time.perf_counter()
    running = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE) for _ in range(COUNT)]
    failed = [p.stderr.read().decode()[-300:] for p in running if p.wait()]
    wall = time.perf_counter() - start
    if failed:
        raise RuntimeError(f"{len(failed)} of {COUNT} failed: {failed[0]}")
    time.sleep(1)  # for what goes on behind the answers
    return wall * 1e3, (cpu_ns() - cpu) / 1e6


print(f"\n### {COUNT} starts at the same time, {os.cpu_count()} CPUs\n")
print("| | p10 ms | median ms | CPU ms | a container: ms, CPU ms |")
print("|---|---|---|---|---|")
for engine in engines():
    command = engine.run("--rm", "--network", "none")
    try:
        together(command)  # uncounted
        walls, cpus = zip(*(together(command) for _ in range(KEEP)))
        wall, used = percentile(walls, 0.5), percentile(cpus, 0.5)
        print(f"| {engine.name} | {percentile(walls, 0.1):.0f} | {wall:.0f} | {used:.0f} | "
              f"{wall / COUNT:.1f}, {used / COUNT:.1f} |", flush=True)
    except RuntimeError as error:
        print(f"| {engine.name} | {error} |", flush=True)
    engine.stop()
