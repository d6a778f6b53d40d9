"""One container that runs true and ends: without network, and with the host's."""

from bench import compare, engines, runtimes, versions

versions()
all_engines = engines()
below = runtimes()
for network in ("none", "host"):
    commands = {e.name: e.run("--rm", "--network", network) for e in all_engines}
    for runtime in below:
        runtime.write(network=network == "none")
        commands[runtime.name] = runtime.run()
    compare(f"run --rm --network {network} busybox true", commands)
for engine in all_engines:
    engine.stop()
