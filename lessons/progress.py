"""How far the student is: a small JSON file beside the built-in pictures (MINIALEX_CACHE, or the
platform's cache folder).

    {"lessons": {"01_shape_arithmetic": [right, typed]}, "exercises": {"01_shape_arithmetic":
    "solved" or "tried"},
     "bricks": {"02_tape": "solved" or "tried"}}

Nothing depends on it: where it cannot be read or written, the course goes on without.
"""
import json
import os


def path():
    """Where it is kept. Raises UserError when there is no such place."""
    from minialex.utils.cache import cache_folder

    return cache_folder() / "course.json"


def load():
    """What is known: {"lessons": {...}, "exercises": {...}, "bricks": {...}}, all empty for a
    beginner."""
    found = {}
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except Exception:  # no home folder, no file, a file that something else has written: a beginner
        pass
    known = {"lessons": {}, "exercises": {}, "bricks": {}}
    for kind, entries in known.items():
        if isinstance(found, dict) and isinstance(found.get(kind), dict):
            entries.update(found[kind])
    return known


def note(kind, name, state):
    """Remember the state of one lesson, exercise or brick. A solved exercise stays solved; a brick
    is what it is now."""
    known = load()
    if kind == "exercises" and known[kind].get(name) == "solved":
        return
    known[kind][name] = state
    try:
        target = path()
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        draft.write_text(json.dumps(known, indent=1), encoding="utf-8")
        draft.replace(target)
    except Exception:  # a folder that may not be written, a full disk
        pass


def describe(known, name):
    """One lesson's state in words, "" for one that was not begun."""
    words = []
    if name in known["lessons"]:
        scored = known["lessons"][name]
        typed = isinstance(scored, list) and len(scored) == 2 and scored[1]
        words.append(f"read, {scored[0]} of {typed} predictions right" if typed else "read")
    if name in known["exercises"]:
        words.append(f"exercise {known['exercises'][name]}")
    return ", ".join(words)
