"""All that a GPU has to show, in one command: `python benchmarks/gpu.py` on a machine with an
NVIDIA card.

    pip install -r requirements-gpu.txt -r requirements-dev.txt && python benchmarks/gpu.py

It runs the test suite on the card, a training step beside PyTorch's (TF32 off on both sides, then
on) and the floors, and writes benchmarks/RESULTS-gpu.md, ready to be committed: the card, its
driver, all versions, every command and what it said. Exit status 0; 1 when a part failed (the file
then says which); 2 when the device cannot compute.
"""
import argparse
import datetime
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

# The paths come first, so that it runs from a clone.
from floors import report as floors_report  # noqa: E402

from minialex.device import resolve_device  # noqa: E402
from minialex.errors import UserError  # noqa: E402


class Failed(Exception):
    """A command that did not end well: the last lines that it said."""


def run(*command):
    """What the command prints. Raises Failed with the end of its output."""
    print("\n$ " + shown(command), flush=True)
    process = subprocess.run([sys.executable, *command], cwd=HERE.parent, capture_output=True,
                             text=True)
    if process.returncode:
        raise Failed("\n".join((process.stdout + process.stderr).strip().splitlines()[-15:]))
    return process.stdout


def shown(command):
    return "python " + " ".join(command)


# ---------------------------------------------------------------------------- the parts of the file


def card(device):
    """One line each: the card and its driver, and what software ran on it."""
    ask = shutil.which("nvidia-smi")
    lines = []
    if device != "cpu" and ask:
        fields = "name,driver_version,memory.total,power.limit"
        said = subprocess.run([ask, f"--query-gpu={fields}", "--format=csv,noheader",
                               f"--id={device.partition(':')[2] or 0}"], capture_output=True,
                              text=True).stdout.strip()
        lines.append(f"Card, driver, memory, power limit: {said}.")
    versions = [f"Python {platform.python_version()}"]
    if device != "cpu":
        cupy = sys.modules["cupy"]
        major, minor = divmod(cupy.cuda.runtime.runtimeGetVersion(), 1000)
        versions.append(f"CuPy {cupy.__version__} with CUDA {major}.{minor // 10}")
    try:
        import torch
        versions.append(f"PyTorch {torch.__version__} with CUDA {torch.version.cuda}")
    except ImportError:
        versions.append("no PyTorch")
    return [*lines, f"{', '.join(versions)}; {platform.platform()}; {datetime.date.today()}."]


def tests(args):
    command = ["-m", "pytest", "--device", args.device]
    last = run(*command).strip().splitlines()[-1]
    return f"## The test suite on the card\n\n`{shown(command)}`: {last.strip('= ')}"


def step(args, *options):
    command = ["benchmarks/step.py", "--device", args.device, "--batch", str(args.batch),
               "--variant", args.variant, "--peers", args.peer, *options, "--json"]
    results = json.loads(run(*command))["results"]
    lines = ["| side | images/s | ms/step | spread | GPU memory |", "|---|---|---|---|---|"]
    lines += [f"| {r['description']} | {r['images_per_second']:,.0f} | {r['seconds'] * 1e3:.2f} | "
              f"{r['spread']:.0%} | {r['peak_GB']:.2f} GB |" for r in results]
    if len(results) == 2:
        ours, theirs = results
        lines += ["", f"**{ours['images_per_second'] / theirs['images_per_second']:.2f} x in "
                  f"speed, {ours['peak_GB'] / theirs['peak_GB']:.2f} x in memory.**"]
    title = f"## A training step, TF32 {'on' if '--tf32' in options else 'off'}"
    return "\n".join([title, "", f"`{shown(command[:-1])}`", "", *lines])


def floors(args, *options):
    command = ["benchmarks/floors.py", "--device", args.device, "--batch", str(args.batch),
               "--variant", args.variant, *options, "--json"]
    text = floors_report(json.loads(run(*command)))
    return (
        "## Floors, TF32 "
        f"{'on' if '--tf32' in options else 'off'}\n\n`{shown(command[:-1])}`\n\n```\n{text}\n```")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda[:n]; cpu only shows that the "
                        "command works (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=128,
                        help="images per step (default: %(default)s)")
    parser.add_argument("--variant", default="paper", help="the network (default: %(default)s)")
    parser.add_argument("--peer", default="torch", choices=["torch", "none"],
                        help="default: %(default)s")
    parser.add_argument("--no-tests", action="store_true", help="the benchmarks alone")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS-gpu.md",
                        help="default: benchmarks/RESULTS-gpu.md")
    args = parser.parse_args()
    try:
        device = resolve_device(args.device)
    except UserError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        return 2
    command = f"python benchmarks/gpu.py{''.join(f' {word}' for word in sys.argv[1:])}"
    sections = ["# What was measured on a GPU", f"`{command}` wrote this file.", *card(device.name)]
    parts = [lambda: step(args), lambda: step(args, "--tf32"), lambda: floors(args),
             lambda: floors(args, "--tf32")]
    failures = 0
    for part in [*([] if args.no_tests else [lambda: tests(args)]), *parts]:
        try:
            section = part()
        except Failed as failed:
            failures += 1
            section = f"## A part failed\n\n```\n{failed}\n```"
        print(section, flush=True)
        sections.append(section)
        # what is measured is kept, whatever comes after
        args.out.write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"\n{args.out} is written" + (f"; {failures} of its parts failed." if failures else "."))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
