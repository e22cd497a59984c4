"""The figures of `studio demo` on all of data/keto: what each step of the loop brought."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("rules", "prompt first", "prompt better")


def main() -> None:
    """Print the Markdown of this part."""
    from studio.bootstrap import open_workspace
    from studio.jobs.process import stop_worker

    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "demo.db"
        command = [
            sys.executable,
            "-m",
            "studio.cli.main",
            "demo",
            "--json",
            "--workspace",
            str(workspace),
        ]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        seconds = time.monotonic() - started
        for info in open_workspace(workspace).read.jobs.workers():
            stop_worker(info)
    if done.returncode:
        raise SystemExit(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    print("| step | macro-F1 | n |\n|---|---|---|")
    for name, figure in figures.items():
        if isinstance(figure, dict) and "value" in figure:
            where = "train+validation" if name in STEPS else "validation"
            print(f"| {name} ({where}) | {interval(figure)} | {figure['n']} |")
    report = figures["report"]
    print(
        f"| report on test: **{report['verdict']}** ({report['classifier']}) | {interval(report['figure'])} | {report['figure']['n']} |"
    )
    print(
        "\n| comparison on the same examples | difference in macro-F1 | p | fixed / broke | tells |\n|---|---|---|---|---|"
    )
    for name, figure in figures.items():
        if isinstance(figure, dict) and "tells" in figure:
            print(
                f"| {name} | {interval(figure['difference'])} | {figure['p']:.4f} | "
                f"{figure['fixed']} / {figure['broke']} | {'yes' if figure['tells'] else 'no'} |"
            )
    made = figures["corrections"] if "decisions" in figures["corrections"] else None
    if made:
        print(f"\n{made['decisions']} corrections, {made['changed']} of which changed a label.")
    print(
        f"\nThe rules were improved once on train and validation, so their figure there flatters them; test was not looked at. "
        f"The expert is simulated: corrections are the computed labels. The whole demo took {seconds:.0f} s."
    )


def interval(figure: dict[str, Any]) -> str:
    """Return a figure with its interval."""
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


if __name__ == "__main__":
    main()
