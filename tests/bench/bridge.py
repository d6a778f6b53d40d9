"""The default bridge, beside podman's (netavark) and docker's (libnetwork): one container that runs true
and ends, with it, with a published port and without a network; then one that is started with 100 on
the bridge."""

from bench import ROUNDS, Docker, Holm, Podman, compare, engines, percentile, quiet, versions

COUNT = 100


class DockerBridge(Docker):
    network = []


def one(all_engines):
    commands = {}
    for engine in all_engines:
        for what, options in (("none", ("--network", "none")), ("bridge", ()),
                              ("bridge, a port", ("-p", "18080:80"))):
            commands[f"{engine.name}, {what}"] = engine.run("--rm", *options)
    results = compare("run --rm busybox true, on the default bridge", commands)
    print()
    for engine in all_engines:
        for p, what in ((.1, "p10"), (.5, "median")):
            none, bridge, port = (percentile([wall for wall, _ in results[f"{engine.name}, {name}"]], p)
                                  for name in ("none", "bridge", "bridge, a port"))
            print(f"{engine.name}: {what} of the bridge {bridge - none:.1f} ms more than none, "
                  f"of a port {port - bridge:.1f} ms more than the bridge")


def many(engine):
    names = [f"many{n}" for n in range(COUNT)]
    start = {engine.name: engine.run("--rm")}
    few = compare(f"start on a bridge of none: {engine.name}", start, ROUNDS // 2)
    for name in names:
        quiet(*engine.run("-d", "--name", name, command=("sleep", "100000")))
    full = compare(f"start on a bridge of {COUNT}: {engine.name}", start, ROUNDS // 2)
    p10 = [percentile([wall for wall, _ in r[engine.name]], .1) for r in (few, full)]
    print(f"\n{engine.name}: start on a bridge of {COUNT} / of none: {p10[1] / p10[0]:.2f}")
    engine.remove(names)


def main():
    versions()
    all_engines = engines(network="bridge", kinds=(Holm, Podman, DockerBridge))
    one(all_engines)
    for engine in all_engines:
        many(engine)
        engine.stop()


main()
