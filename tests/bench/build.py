"""build: of five steps that make files (three RUN, a COPY of 5 MB, and ENV), all of them done and all
of them cached; of a context of 100 000 files that did not change; and of three stages of which none
needs another, beside the same three in a row."""

import os
import time

from bench import ROUNDS, compare, engines, quiet, versions

FILES = 100000


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def builders(all_engines):
    """{name: the command up to its flags}. Docker has two in it, and Buildah is Podman's."""
    found = {}
    for engine in all_engines:
        program = engine.exec("x", "y")[:-3]
        quiet(*program, "import", "layer.tar", "base")  # an image with a history, as podman wants it
        found[engine.name] = [*program, "build"]
        if engine.name == "podman":
            found["podman"].append("--layers")
            found["buildah"] = ["buildah", *program[1:], "build", "--layers"]
        if engine.name == "docker":
            found["docker (classic)"] = ["env", "DOCKER_BUILDKIT=0", *found.pop("docker")]
            found["docker (BuildKit)"] = ["env", "DOCKER_BUILDKIT=1", *program, "build"]
    return found


def build(found, context, *flags):
    return {name: [*command, "--network", "none", "-q", *flags, "-t", "built:1", context]
            for name, command in found.items()}


def working(found, context):
    """Those that build it here, each of which has done so once."""
    for name, argv in build(found, context).items():
        try:
            quiet(*argv)
        except (RuntimeError, OSError) as error:
            print(f"{name} does not build this here: {error}")
            found = {other: command for other, command in found.items() if other != name}
    return found


def five_steps(found):
    write("five/Dockerfile", "FROM base\nENV A=b\nRUN echo one >/one\nRUN busybox cat /one >/two\n"
          'COPY big /big\nRUN busybox sha256sum /big >/sum\nCMD ["cat", "/sum"]\n')
    with open("five/big", "wb") as f:
        f.write(os.urandom(5 << 20))
    found = working(found, "five")
    compare("build, five steps", build(found, "five", "--no-cache"))
    compare("build, five steps, all cached", build(found, "five"))


def many_files(found):
    write("many/Dockerfile", "FROM base\nCOPY files /files/\n")
    for number in range(FILES):
        write(f"many/files/{number // 100}/{number % 100}", f"content of {number}\n" * 10)
    time.sleep(4)  # files that change just now are read by holm each time
    found = working(found, "many")
    compare(f"build, {FILES} files, cached", build(found, "many"), rounds=min(ROUNDS, 5))


def stages(found):
    work = "RUN busybox dd if=/dev/zero bs=1M count=200 2>/dev/null | busybox sha256sum >/{0}; echo {0} >>/{0}\n"
    names = ("one", "two", "three")
    write("apart/Dockerfile", "".join(f"FROM base AS {name}\n" + work.format(name) for name in names) +
          "FROM base\n" + "".join(f"COPY --from={name} /{name} /\n" for name in names))
    write("row/Dockerfile", "FROM base\n" + "".join(map(work.format, names)))
    found = working(working(found, "apart"), "row")
    commands = build(found, "apart", "--no-cache")
    commands |= {f"{name}, in a row": argv
                 for name, argv in build(found, "row", "--no-cache").items()}
    compare("build, three stages", commands, rounds=min(ROUNDS, 5))


versions()
everyone = engines()
everything = builders(everyone)
five_steps(everything)
stages(everything)
many_files(everything)
for one in everyone:
    one.stop()
