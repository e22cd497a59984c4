"""Commands: studio evaluate | compare | slices."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.actions.evaluations import calibrate_run, compare_runs, evaluate_run, find_slices
from studio.cli.common import AsJson, WorkspacePath, emit, language_note, me, open_ws, table
from studio.domain.calibration import Calibration
from studio.domain.evaluation import Comparison, Evaluation

Split = Annotated[str, typer.Option(help='train, validation or test; several joined by "+".')]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("evaluate")(evaluate)
    app.command("compare")(compare)
    app.command("slices")(slices)


def evaluate(
    run: int,
    split: Split = "validation",
    slice_: Annotated[str, typer.Option("--slice", help="Only this slice.")] = "",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Show a run's metrics against gold; a look at test is counted."""
    ws = open_ws(workspace)
    found = evaluate_run(ws, run, split=split, slice_name=slice_, by=me(ws))
    trust = calibrate_run(ws, run, split=split, slice_name=slice_)
    outdated = ws.read.label_sets.marks(ws.read.runs.get(run).task_id).runs.get(run)
    language = language_note(ws, run)
    data = evaluation_to_dict(found) | {
        "calibration": trust.to_dict(), "outdated": outdated, "language": language,
    }  # fmt: skip
    note = "".join(f"{said}\n" for said in (outdated, language) if said)
    emit(data, as_json, lambda: f"{note}{_text(found)}\n\n{_trust_text(trust)}")


def compare(
    run_a: int,
    run_b: int,
    split: Split = "train+validation",
    metric: Annotated[str, typer.Option(help="macro_f1 or accuracy.")] = "macro_f1",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same examples."""
    ws = open_ws(workspace)
    found = compare_runs(ws, run_a, run_b, split=split, metric=metric, by=me(ws))
    data = {
        "runs": list(found.runs),
        "metric": found.metric,
        "n": found.n,
        "difference": found.difference.to_dict(),
        "p": found.p,
        "fixed": list(found.fixed),
        "broke": list(found.broke),
        "changed": found.changed,
        "needed": found.needed,
    }
    emit(data, as_json, lambda: comparison_text(found))


def slices(
    run: int,
    split: Split = "validation",
    workspace: WorkspacePath = None,
    as_json: AsJson = False,
) -> None:
    """Rank the slices of a run by how much worse they are; a look at test is counted."""
    ws = open_ws(workspace)
    found = find_slices(ws, run, split=split, by=me(ws))
    data: list[dict[str, Any]] = [
        {
            "slice": s.slice.name,
            "n": s.error.n,
            "error": s.error.to_dict(),
            "lift": s.lift,
            "q": s.q,
        }
        for s in found
    ]
    rows = [
        {
            "slice": s.slice.name,
            "error": str(s.error),
            "lift": s.lift,
            "q": s.q,
            "worse": "yes" if s.is_worse else "",
        }
        for s in found[:20]
    ]
    emit(data, as_json, table(rows, "No slice is large enough to look at."))


def comparison_text(c: Comparison) -> str:
    """Return a comparison as people read it."""
    verdict = "tells" if c.tells else "; ".join(filter(None, ("does not tell", c.what_would_tell)))
    return (
        f"{c.metric}: run {c.runs[1]} minus run {c.runs[0]}: {c.difference}, p={c.p:.4f} ({verdict}); "
        f"fixed {len(c.fixed)}, broke {len(c.broke)}"
    )


def evaluation_to_dict(e: Evaluation) -> dict[str, Any]:
    """Return an evaluation as `--json` shows it."""
    return {
        "run": e.run_id,
        "split": e.split,
        "n": e.n,
        "coverage": e.coverage,
        "accuracy": e.accuracy.to_dict(),
        "macro_f1": e.macro_f1.to_dict(),
        "majority": e.majority,
        "majority_label": e.majority_label,
        "labels": {
            s.label: {
                "precision": s.precision.to_dict(),
                "recall": s.recall.to_dict(),
                "f1": s.f1.to_dict(),
                "support": s.support,
            }
            for s in e.labels
        },
        "confusion": e.confusion.to_dict(),
        "outcomes": e.outcomes,
    }


def _text(e: Evaluation) -> str:
    head = (
        f"Run {e.run_id} on {e.split}, n={e.n}, coverage {e.coverage:.3f}\n"
        f"accuracy {e.accuracy}\nmacro-F1 {e.macro_f1}\n"
        f"always {e.majority_label}: {e.majority:.3f}\n"
    )
    scores = [
        {"label": s.label, "precision": str(s.precision), "recall": str(s.recall), "f1": str(s.f1)}
        for s in e.labels
    ]
    matrix = [{"gold \\ said": gold, **counts} for gold, counts in e.confusion.to_dict().items()]
    return "\n".join((head, table(scores, ""), "", table(matrix, "")))


def _trust_text(c: Calibration) -> str:
    """Return what the confidences are worth, as people read it."""
    if not c.n:
        return "This run gave no confidence, so nothing can be said of it."
    odds = "more than" if c.is_off else "no more than"
    head = (
        f"Confidence: {c.kind}, n={c.n}\n"
        f"calibration error {c.ece:.3f}, {odds} chance explains (up to {c.chance:.3f})"
    )
    rows = [
        {"taken unseen from": f"{one.least:.2f}", "share": str(one.share),
         "accuracy": str(one.accuracy)}
        for one in c.accepted
    ]  # fmt: skip
    return "\n".join(part for part in (head, c.left_out, table(rows, "")) if part)
