"""100 containers: how long one more takes to start, ps, and what each keeps in memory."""

from bench import ROUNDS, compare, engines, processes, pss_kb, quiet

COUNT = 100
MONITORS = {"holm": "holm-monitor", "podman": "conmon", "docker": "containerd-shim"}
names = [f"many{n}" for n in range(COUNT)]

for engine in engines():
    start = {engine.name: engine.run("--rm", "--network", "host")}
    empty = compare(f"start with 0 running: {engine.name}", start, ROUNDS // 2)
    for name in names:
        quiet(*engine.run("-d", "--name", name, "--network", "host", command=("sleep", "100000")))
    full = compare(f"start with {COUNT} running: {engine.name}", start, ROUNDS // 2)
    compare(f"ps of {COUNT}: {engine.name}", {engine.name: engine.ps()}, ROUNDS // 2)
    sizes = sorted(pss_kb(pid) for pid in processes(MONITORS[engine.name][:15]))
    p10 = [sorted(v[0] for v in r[engine.name])[len(r[engine.name]) // 10] for r in (empty, full)]
    print(f"\n{engine.name}: start with {COUNT} running / with none: {p10[1] / p10[0]:.2f}; "
          f"monitors: {len(sizes)}, median PSS {sizes[len(sizes) // 2]} kB, most {sizes[-1]} kB")
    engine.remove(names)
    engine.stop()
