"""Folders of somebody's, given to --out and --resume: refused with a sentence, and nothing in them
is touched."""

from outcome import Outcome

NAMES = ("config.json", "report.html", "curves.png", "metrics.csv", "timing.csv",
         "checkpoint-last.npz", "checkpoint-last.npz.new", "labels.csv.new", "latest.txt",
         "notes.md")


def are_not_touched(world):
    """A folder with one file of a user's, and one with all of them, by --out, --out --dry-run and
    --resume."""
    row = Outcome("--out or --resume with a user's folder",
                  "status 2, one sentence, every byte as it was")
    for number, names in enumerate([*((name,) for name in NAMES), NAMES]):
        folder = world.folder / f"theirs-{number}"
        folder.mkdir()
        for name in names:
            (folder / name).write_text('{"my": "settings"}')
        for arguments in (world.begin(folder), [*world.begin(folder), "--dry-run"],
                          ["--resume", folder]):
            world.log.write_text("")
            status = world.victim.run(arguments, world.log)
            said = world.said()
            left = {path.name: path.read_text() for path in folder.iterdir()}
            good = status == 2 and said.count("\n") == 1 and left == dict.fromkeys(
                names, '{"my": "settings"}')
            row.check(good, f"{', '.join(names)}: status {status}, {sorted(left)}, {said[-200:]}")
    return row
