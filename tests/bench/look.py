"""100 containers and 50 images: the commands that people type all day."""

from bench import ROUNDS, WORK, compare, engines, quiet

CONTAINERS, IMAGES = 100, 50
names = [f"look{n}" for n in range(CONTAINERS)]
found = engines()


def base(engine):
    return getattr(engine, "base", ["holm"])


for engine in found:
    for n in range(IMAGES):
        quiet(*base(engine), "import", "-c", f"LABEL n={n}", WORK + "/layer.tar", f"look:{n}")
    for name in names:
        quiet(*engine.run("-d", "--name", name, "--network", "none",
                          command=("sh", "-c", "echo one; echo two; sleep 100000")))

for title, arguments in (
        ("ps", ["ps"]), ("inspect", ["inspect", names[50]]), ("images", ["images"]),
        ("logs --tail 10", ["logs", "--tail", "10", names[50]]),
        ("stats --no-stream", ["stats", "--no-stream"])):
    compare(f"{title}, {CONTAINERS} containers, {IMAGES} images",
            {engine.name: [*base(engine), *arguments] for engine in found}, ROUNDS // 2)

for engine in found:
    engine.remove(names)
    engine.stop()
