"""The HTML of the site's pages: the list of lessons, each lesson, the words of the course."""
import ast
import html
import json
import re
from pathlib import Path

from lessons import cells, wall, words
from lessons.site import prose

LESSONS = Path(__file__).resolve().parents[1]
FRAME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="build" content="{build}">
<title>{title}</title>
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/style.css">
<script type="module" src="assets/offline.js"></script>
{head}
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header>
<nav aria-label="Course">{nav}</nav>
{bar}
</header>
<main id="main" tabindex="-1">
{main}
</main>
</body>
</html>
"""
BAR = """\
<div class="bar" role="group" aria-label="Python">
<p id="status" role="status" tabindex="-1">Python: starting</p>
<button id="all">Run all from the start</button>
<button id="stop" disabled>Stop</button>
</div>"""
NEEDS = "<noscript><p class=\"error\">The programs of this page need JavaScript.</p></noscript>"


def lesson(path: Path, neighbours: tuple[Path | None, Path | None], runtime: dict,
           build: str) -> str:
    """The page of the lesson at `path`, between the lesson before it and the next."""
    head, *rest = cells.read(path.read_text(encoding="utf-8"))
    parts = [f"<h1>{path.stem[:2]} · {html.escape(head.title)}</h1>", NEEDS,
             prose.to_html(head.body)]
    number = 0
    for cell in rest:
        if cell.kind == "text":
            parts.append(prose.to_html(cell.body))
        elif cell.body.strip():
            parts.append(_cell(cell, number))
            number += 1
    parts += [_exercise(path.stem), _brick(path.stem[:2])]
    before, after = (f'<a href="{other.stem}.html" rel="{rel}">{said.format(other.stem[:2])}</a>'
                     if other else "" for other, rel, said in zip(neighbours, ("prev", "next"),
                                                                  ("← Lesson {}", "Lesson {} →")))
    settings = json.dumps({"name": path.stem, "runtime": runtime}).replace("<", "\\u003c")
    parts.append(f'<nav class="after" aria-label="Lessons">{before} {after}</nav>')
    scripts = (f'<script id="settings" type="application/json">{settings}</script>\n'
               '<script type="module" src="assets/lesson.js"></script>')
    return FRAME.format(title=f"{path.stem[:2]} {html.escape(head.title)}", head=scripts,
                        build=build, bar=BAR, nav=f'<a href="index.html">All lessons</a> {before} '
                        f'{after}', main="\n".join(parts))


def _cell(cell, number):
    tools = cell.title.startswith("Tools")
    title = f"<h3>{html.escape(cell.title)}</h3>" if cell.title and not tools else ""
    program = _program("cell", f"Program {number}" if number else "Tools of this lesson", cell.body,
                       "Run")
    return title + ("<details class=\"tools\"><summary>Tools of this "
                    f"lesson</summary>{program}</details>" if tools else program)


def _program(kind, label, source, button, more=""):
    return (f'<section class="program {kind}" aria-label="{label}" data-label="{label}"><pre '
            f'class="source">{html.escape(source)}</pre><div class="controls"><button '
            f'class="run">{button}</button> <button class="halt quiet" aria-label="Stop: '
            f'{label}" hidden>Stop</button> <button class="undo quiet" hidden>Undo my '
            'changes</button><span class="state" role="status"></span></div><div class="output" '
            f'role="log" aria-label="{label}: output"></div>{more}</section>')


def _exercise(name, place="exercises", kind="exercise"):
    """What is handed in at the end of a page: LESSONS/PLACE/NAME.py with its check, and its
    solution behind a click."""
    source = (LESSONS / place / f"{name}.py").read_text(encoding="utf-8")
    solution = (LESSONS / "solutions" / ("" if place == "exercises"
                                         else place) / f"{name}.py").read_text(encoding="utf-8")
    title = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    more = ("<details><summary>The solution, for afterwards</summary>"
            '<pre class="source" tabindex="0" role="region" aria-label="The solution '
            f'of the {kind}">{html.escape(solution)}</pre></details>')
    program = _program("exercise", f"The {kind}", source.rstrip("\n"), "Check", more)
    return (f'<h2 id="{kind}">{html.escape(title)}</h2>'
            + program.replace("<section", f'<section data-file="{place}/{name}" '
                              f'data-place="{place}.{name}"', 1))


def _brick(number):
    """The brick of a student's own engine that the lesson of this number leads to, "" if there is
    none."""
    name = next((name for name in wall.BRICKS if name[:2] == number), None)
    return _exercise(name, "my_engine", "brick") if name else ""


def index(course: list[tuple[Path, str]], build: str) -> str:
    """The list of lessons, with the student's state in each row, and what is done with the
    progress."""
    rows = []
    for path, title in course:
        text = " ".join(path.read_text(encoding="utf-8").split())
        needs = re.search(r"Prerequisites: (.+?)\. Minutes: (\d+)", text)
        said = f"{needs[2]} minutes, after: {html.escape(needs[1])}" if needs else ""
        rows.append(f'<li data-lesson="{path.stem}"><a '
                    f'href="{path.stem}.html">{path.stem[:2]} · {html.escape(title)}</a><span '
                    f'class="needs">{said}</span> <span class="state"></span></li>')
    main = f"""\
<h1>AlexNet, number by number</h1>
<p>Each lesson is a page with programs that run in this browser: nothing is installed and
nothing leaves it. Type your predictions, change a line and run it again, and do the exercise at the
end.</p>
{NEEDS}
<p id="sum" role="status"></p>
<ol class="lessons">
{chr(10).join(rows)}
</ol>
<h2>Your progress</h2>
<p>It is kept in this browser alone. As a file it goes to another one, or to
<code>python -m lessons</code>.</p>
<div class="controls">
<button id="export">Export as a file</button>
<button id="import" class="quiet">Import a file</button>
<button id="forget" class="quiet">Forget everything</button>
<input id="file" type="file" accept=".json,application/json" hidden
 aria-label="A file with progress">
<span id="said" role="status"></span>
</div>"""
    return FRAME.format(title="AlexNet, number by number", build=build, bar="", main=main,
                        head='<script type="module" src="assets/list.js"></script>',
                        nav='<a href="words.html">Words</a>')


def glossary(build: str) -> str:
    """The words of the course, each with its lesson."""
    rows = "\n".join(f"<dt>{html.escape(word.term)} <span class=\"needs\">lesson "
                     f"{word.lesson:02}</span></dt><dd>{html.escape(word.meaning)}</dd>"
                     for word in words.WORDS)
    return FRAME.format(title="The words of the course", build=build, bar="", head="",
                        nav='<a href="index.html">All lessons</a>',
                        main=f"<h1>The words of the course</h1>\n<dl>\n{rows}\n</dl>")
