"""A second process in a container that runs."""

from bench import compare, engines, quiet

all_engines = engines()
for engine in all_engines:
    quiet(*engine.run("-d", "--name", "target", "--network", "none", command=("sleep", "100000")))
compare("exec true", {e.name: e.exec("target", "true") for e in all_engines})
for engine in all_engines:
    engine.remove(["target"])
    engine.stop()
