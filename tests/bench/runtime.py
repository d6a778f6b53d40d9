"""holm-runtime beside other OCI runtimes, all with the same spec and root: run, the calls of an
engine, exec, many at once. DEVICE_RULES=no: without the spec's resources, which are device rules
alone; for their program on cgroup v2 crun wants to raise RLIMIT_MEMLOCK, which not everybody may."""

import os
import time

from bench import (PATIENCE, ROUNDS, Runtime, compare, cpu_ns, once, percentile, quiet, report,
                   runtimes, version)

AT_ONCE = 50
LIFE = '"$0" create --bundle "$1" "$2" && "$0" start "$2" && "$0" delete --force "$2"'


def at_once(runtime):
    """50 containers that all start together and end: (wall ms, CPU ms)."""
    cpu, start = cpu_ns(), time.perf_counter()
    pids = [os.posix_spawnp(argv[0], argv, os.environ)
            for argv in (runtime.run(f"bench{n}") for n in range(AT_ONCE))]
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
    wall = time.perf_counter() - start
    if failed:
        raise RuntimeError(f"{failed} of {AT_ONCE} at once failed: {runtime.name}")
    time.sleep(PATIENCE)
    return wall * 1e3, (cpu_ns() - cpu) / 1e6


def compare_at_once(all_runtimes, rounds):
    results = {r.name: [] for r in all_runtimes}
    for n in range(rounds + 1):
        for runtime in all_runtimes:
            value = at_once(runtime)
            if n:
                results[runtime.name].append(value)
    report(f"{AT_ONCE} at once: run", results)
    rates = {name: AT_ONCE * 1e3 / percentile([wall for wall, _ in values], 0.1)
             for name, values in results.items()}
    print("\n" + "; ".join(f"{name}: {rate:.0f} containers/s" for name, rate in rates.items()))


spec = Runtime.default_spec("runc")
if os.environ.get("DEVICE_RULES") == "no":
    del spec["linux"]["resources"]
found = runtimes(("holm-runtime", "crun", "runc"), spec)
print("; ".join(version(r.name) for r in found))

compare("runtime: run true", {r.name: r.run() for r in found})
for runtime in found:
    runtime.write(args=("/bin/sleep", "100000"))
compare("runtime: create, start, delete --force",
        {r.name: ["sh", "-c", LIFE, r.name, r.bundle, "bench"] for r in found})
for runtime in found:
    once([runtime.name, "run", "--detach", "--bundle", runtime.bundle, "target"])
compare("runtime: exec true", {r.name: [r.name, "exec", "target", "/bin/true"] for r in found})
for runtime in found:
    quiet(runtime.name, "delete", "--force", "target")
    runtime.write()
compare_at_once(found, max(3, ROUNDS // 4))
