"""commit of a container that wrote 100 MB and has ended; and with it the first run of the new image,
because holm unpacks its layer only then. Each image is removed before the next is made."""

from bench import compare, engines, quiet, versions

WRITE = ("busybox", "dd", "if=/dev/urandom", "of=/big", "bs=1M", "count=100")

versions()
all_engines = engines()
commands, both, remove = {}, {}, {}
for engine in all_engines:
    quiet(*engine.run("--name", "wrote", "--network", "none", command=WRITE))
    program = engine.exec("x", "y")[:-3]
    commands[engine.name] = [*program, "commit", "wrote", "committed:1"]
    run = " ".join(engine.run("--rm", "--network", "none", image="committed:1"))
    both[engine.name] = ["sh", "-ec", " ".join(commands[engine.name]) + "; " + run]
    remove[engine.name] = [*program, "rmi", "-f", "committed:1"]


def after(name):
    quiet(*remove[name])


compare("commit of 100 MB", commands, after=after)
for engine in all_engines:
    quiet(*remove[engine.name])
compare("commit of 100 MB and the first run", both, after=after)
for engine in all_engines:
    quiet(*remove[engine.name])
    engine.stop()
