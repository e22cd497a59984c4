"""The loop on data nobody here wrote: import, rules or prompt, run, evaluate, fine-tune, report.

Everything goes through the command line, as an engineer would do it. The floor, TF-IDF and logistic
regression on the same rows, is fitted in the same run. Needs STUDIO_SHARED (default ../shared).
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
KETO = ROOT / "data" / "keto"

# Written once from general knowledge, before any row of these sets was scored with them.
YOUTUBE_PROMPT = {
    "instructions": "Is this comment under a music video spam?",
    "definitions": {
        "spam": "Advertises something else: asks to subscribe, visit a link, check out a channel.",
        "ham": "Talks about the song, the video or the artist.",
    },
    "reasons": [
        ["spam", "check out my channel and subscribe to me"],
        ["spam", "click this link to win money, gift cards or free followers"],
        ["spam", "please listen to my new song, I am an upcoming rapper"],
        ["spam", "follow me on twitter and like my facebook page"],
        ["ham", "I love this song, it is so catchy"],
        ["ham", "this video has a billion views"],
        ["ham", "she is a beautiful singer and a great dancer"],
        ["ham", "who is still listening to this years later"],
    ],
}


def studio(*words: str, workspace: Path) -> Any:
    """Run one command with --json and return its document."""
    command = [
        sys.executable,
        "-m",
        "studio.cli.main",
        *words,
        "--workspace",
        str(workspace),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"studio {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def floor(train: Path, test: Path) -> tuple[str, str]:
    """Return accuracy and macro-F1 of TF-IDF 1-2-grams with logistic regression (C=10)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.pipeline import make_pipeline

    def read(path: Path) -> tuple[list[str], list[str]]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [row["text"] for row in rows], [row["label"] for row in rows]

    texts, labels = read(train)
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=2000),
    )
    model.fit(texts, labels)
    texts, gold = read(test)
    said = model.predict(texts)
    return f"{accuracy_score(gold, said):.3f}", f"{f1_score(gold, said, average='macro'):.3f}"


def measured(run: dict[str, Any], what: str, seconds: float, workspace: Path) -> list[str]:
    """Return a table row for a run on test."""
    e = studio("evaluate", str(run["run"]), "--split", "test", workspace=workspace)
    shown = [what]
    for name in ("accuracy", "macro_f1"):
        figure = e[name]
        shown.append(f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]")
    return [*shown, str(e["n"]), f"{seconds:.1f}"]


def timed(*words: str, workspace: Path) -> tuple[Any, float]:
    """Return a command's document and its wall seconds."""
    started = time.monotonic()
    return studio(*words, workspace=workspace), time.monotonic() - started


def loop(
    name: str, files: dict[str, str], task: list[str], steps: Any, workspace: Path
) -> list[list[str]]:
    """Create the task, import its files, run the given classifiers on test, fine-tune, report."""
    studio("task", "create", name, *task, workspace=workspace)
    for file, split in files.items():
        path = SHARED / name / file
        done, seconds = timed(
            "import",
            name,
            str(path),
            "--text",
            "text",
            "--label",
            "label",
            "--split",
            split,
            workspace=workspace,
        )
        sys.stderr.write(f"{name}: {done['added']} of {file} in {seconds:.1f} s\n")
    rows = [
        [
            "TF-IDF and logistic regression (floor)",
            *floor(SHARED / name / "train.csv", SHARED / name / "test.csv"),
            "",
            "",
        ]
    ]
    rows += steps(workspace)
    done, seconds = timed("finetune", "launch", name, "--wait", workspace=workspace)
    run = studio(
        "run",
        "start",
        name,
        "--model",
        str(done["finetune"]),
        "--split",
        "test",
        "--wait",
        workspace=workspace,
    )
    size = sum(1 for _ in csv.DictReader((SHARED / name / "train.csv").open(encoding="utf-8")))
    rows.append(measured(run, f"fine-tune on {size} gold labels of train", seconds, workspace))
    report = studio("report", name, workspace=workspace)
    sys.stderr.write(f"{name}: {report['verdict']}\n")
    rows.append([f"report: **{report['verdict']}** against {report['criterion']}", "", "", "", ""])
    return rows


def fndds(workspace: Path) -> list[list[str]]:
    """Our own keto rules and definitions on dishes of the US dietary survey."""
    task = "usda_fndds_dishes"
    studio("rule", "import", task, str(KETO / "rules.yaml"), workspace=workspace)
    run, seconds = timed(
        "run", "start", task, "--rules", "--split", "test", "--wait", workspace=workspace
    )
    rows = [measured(run, "rules of data/keto, unseen here, no label", seconds, workspace)]
    run, seconds = timed("run", "start", task, "--split", "test", "--wait", workspace=workspace)
    return [*rows, measured(run, "prompt of the label definitions, no label", seconds, workspace)]


def youtube(workspace: Path) -> list[list[str]]:
    """A prompt of names only, and one with definitions and reasons."""
    task = "youtube_spam"
    rows = []
    path = workspace.with_suffix(".yaml")
    for title, body in (
        ("prompt of label names, no label", {"instructions": YOUTUBE_PROMPT["instructions"]}),
        ("prompt with definitions and 8 reasons, no label", YOUTUBE_PROMPT),
    ):
        path.write_text(json.dumps(body), encoding="utf-8")
        saved = studio("prompt", "save", task, "spam", str(path), workspace=workspace)
        prompt = str(saved["id"])
        run, seconds = timed(
            "run",
            "start",
            task,
            "--prompt",
            prompt,
            "--split",
            "test",
            "--wait",
            workspace=workspace,
        )
        rows.append(measured(run, title, seconds, workspace))
    return rows


def main() -> None:
    """Print the Markdown of this part."""
    if not (SHARED / "usda_fndds_dishes" / "train.csv").exists():
        sys.stderr.write("The shared data sets are not there; set STUDIO_SHARED.\n")
        raise SystemExit(3)
    definitions = [
        "--definition", "keto=A dish of meat, fish, egg, cheese, fat or green vegetables, with very little carbohydrate.",
        "--definition", "not_keto=A dish with starch or sugar: grain, bread, potato, rice, pasta, beans, fruit, sweets, milk, sauce.",
    ]  # fmt: skip
    head = "| classifier on test | accuracy | macro-F1 | n | seconds |\n|---|---|---|---|---|\n"
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "real.db"
        dishes = loop(
            "usda_fndds_dishes",
            {"train.csv": "train", "test.csv": "test"},
            ["--labels", "keto,not_keto", *definitions, "--criterion", "macro_f1>=0.80",
             "--question", "Is this dish keto?"],
            fndds, workspace,
        )  # fmt: skip
        comments = loop(
            "youtube_spam",
            {"train.csv": "train", "valid.csv": "validation", "test.csv": "test"},
            ["--labels", "ham,spam", "--criterion", "macro_f1>=0.90",
             "--question", "Is this comment under a music video spam?"],
            youtube, workspace,
        )  # fmt: skip
        from studio.bootstrap import open_workspace
        from studio.jobs.process import stop_worker

        for info in open_workspace(workspace).read.jobs.workers():
            stop_worker(info)
    for title, rows, note in (
        ("usda_fndds_dishes", dishes, "Floors of the data's own page: accuracy .818, macro-F1 .793 with all 3,645 labels; 13 keyword groups written for this set .821 with none."),
        ("youtube_spam", comments, "Floors of the data's own page: accuracy .940, macro-F1 .939 with all labels; .912 trained on majority votes."),
    ):  # fmt: skip
        print(
            f"### {title}\n\n{note}\n\n{head}"
            + "\n".join(f"| {' | '.join(row)} |" for row in rows)
            + "\n"
        )
    print(
        "Intervals are 95 %; seconds are wall time of the command, worker and server starting included."
    )


if __name__ == "__main__":
    main()
