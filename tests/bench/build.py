"""build of five steps that make files (three RUN, a COPY of 5 MB, and ENV), all of them done and
all of them cached; and three stages of which none needs another."""

import os

from bench import compare, engines, quiet, versions

os.mkdir("context")
with open("context/big", "wb") as f:
    f.write(os.urandom(5 << 20))
with open("context/Dockerfile", "w") as f:
    f.write("FROM base\nENV A=b\nRUN echo one >/one\nRUN busybox cat /one >/two\nCOPY big /big\n"
            'RUN busybox sha256sum /big >/sum\nCMD ["cat", "/sum"]\n')

versions()
all_engines = engines()
fresh, cached = {}, {}
for engine in all_engines:
    program = engine.exec("x", "y")[:-3]
    quiet(*program, "import", "layer.tar", "base")  # an image with a history, as podman wants it
    network = ["--network", "none"]
    layers = ["--layers"] if engine.name == "podman" else []
    build = [*program, "build", *layers, *network, "-q", "-t", "built:1", "context"]
    fresh[engine.name] = [*build[:-1], "--no-cache", "context"]
    cached[engine.name] = build
    quiet(*build)

compare("build, five steps", fresh)
compare("build, five steps, all cached", cached)
for engine in all_engines:
    engine.stop()
