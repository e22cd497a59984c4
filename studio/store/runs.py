"""Runs, their predictions, the responses behind them, and the ledger of every call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.domain.example import Example
from studio.domain.run import Answer, ClassifierKind, Outcome, Prediction, Run, Usage
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.examples import _example
from studio.store.tasks import bump


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One answered question, ready to be stored.

    Attributes:
        example_id: The example.
        label_id: The label's id, None unless the outcome is ok.
        answer: What the classifier said.
        key: Content key of the response; empty for classifiers that make none (rules).
        cached: True when the response was known, so that nothing was asked.
    """

    example_id: int
    label_id: int | None
    answer: Answer
    key: str = ""
    cached: bool = False


class Runs:
    """The runs of a task."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def create(
        self,
        run: Run,
        *,
        example_ids: Sequence[int],
        finetune_id: int | None,
        params: dict[str, Any],
    ) -> int:
        """Store a run (its id is ignored) with the examples it covers, and return its id."""
        with self.db.transaction() as conn:
            run_id = conn.execute(
                "INSERT INTO run (task_id, kind, title, prompt_version_id, finetune_id, model, provider, splits,"
                " preview, params, total, created_at, created_by) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (run.task_id, run.kind.value, run.title, run.prompt_version_id, finetune_id, run.model,
                 run.provider, json.dumps(list(run.splits)), int(run.preview), json.dumps(params),
                 len(example_ids), run.created_at, run.created_by),
            ).lastrowid  # fmt: skip
            conn.executemany(
                "INSERT INTO run_example VALUES (?, ?)", [(run_id, i) for i in sorted(example_ids)]
            )
            bump(self.db, run.task_id)
        return int(run_id)

    def set_job(self, run_id: int, job_id: int) -> None:
        """Say which job does the run."""
        with self.db.transaction() as conn:
            conn.execute("UPDATE run SET job_id = ? WHERE id = ?", (job_id, run_id))

    def get(self, run_id: int) -> Run:
        """Return a run.

        Raises:
            NotFoundError: If there is none of this number.
        """
        row = self.db.one(f"{_SELECT} WHERE r.id = ?", (run_id,))
        if row is None:
            raise NotFoundError(f"There is no run {run_id}.", next_step="See `studio run list`.")
        return _run(row)

    def all(self, task_id: int, *, previews: bool = False) -> list[Run]:
        """Return the runs of a task, newest first."""
        rows = self.db.read(
            f"{_SELECT} WHERE r.task_id = ? AND (? OR NOT r.preview) ORDER BY r.id DESC",
            (task_id, previews),
        )
        return [_run(row) for row in rows]

    def classifier(self, run_id: int) -> str:
        """Return what labeled in this run: "rules", "prompt:VERSION" or "model:FINETUNE"."""
        row = self.db.one(
            "SELECT kind, prompt_version_id, finetune_id FROM run WHERE id = ?", (run_id,)
        )
        if row["kind"] == ClassifierKind.RULES:
            return "rules"
        number = row["finetune_id" if row["kind"] == ClassifierKind.MODEL else "prompt_version_id"]
        return f"{row['kind']}:{number}"

    def params(self, run_id: int) -> dict[str, Any]:
        """Return what else the run was started with."""
        return dict(
            json.loads(self.db.value("SELECT params FROM run WHERE id = ?", (run_id,)) or "{}")
        )

    def remaining(self, run_id: int, *, after: int = 0, limit: int = 500) -> list[Example]:
        """Return the next examples of the run without a prediction, by id."""
        rows = self.db.read(
            "SELECT e.* FROM run_example x JOIN example e ON e.id = x.example_id"
            " WHERE x.run_id = ? AND x.example_id > ? AND NOT EXISTS"
            " (SELECT 1 FROM prediction p WHERE p.run_id = x.run_id AND p.example_id = x.example_id)"
            " ORDER BY x.example_id LIMIT ?",
            (run_id, after, limit),
        )
        return [_example(row) for row in rows]

    def cached(self, keys: Sequence[str]) -> dict[str, Answer]:
        """Return content key to the answer it got before, for those that are known."""
        rows = self.db.read(
            "SELECT * FROM response WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return {row["key"]: _answer(row) for row in rows}

    def store(self, run: Run, results: Sequence[Result], at: str) -> None:
        """Store predictions, responses and ledger lines together, in one transaction."""
        with self.db.transaction() as conn:
            for r in results:
                response_id = self._response_id(conn, r, at) if r.key else None
                conn.execute(
                    "INSERT OR IGNORE INTO prediction VALUES (?,?,?,?,?,?)",
                    (
                        run.id,
                        r.example_id,
                        r.label_id,
                        r.answer.confidence,
                        r.answer.outcome.value,
                        response_id,
                    ),
                )
                if r.key and not r.cached:
                    usage = r.answer.usage
                    conn.execute(
                        "INSERT INTO ledger (task_id, run_id, example_id, at, outcome, cost_usd, input_tokens,"
                        " output_tokens) VALUES (?,?,?,?,?,?,?,?)",
                        (run.task_id, run.id, r.example_id, at, r.answer.outcome.value, usage.cost_usd,
                         usage.input_tokens, usage.output_tokens),
                    )  # fmt: skip
            bump(self.db, run.task_id)

    def _response_id(self, conn: Any, result: Result, at: str) -> int:
        answer = result.answer
        if not result.cached:
            conn.execute(
                "INSERT OR IGNORE INTO response (key, model, outcome, label, probabilities, detail, raw,"
                " input_tokens, output_tokens, cost_usd, latency_ms, at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (result.key, answer.model, answer.outcome.value, answer.label,
                 json.dumps(answer.probabilities, ensure_ascii=False), json.dumps(answer.detail, ensure_ascii=False),
                 answer.raw, answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cost_usd,
                 answer.usage.latency_ms, at),
            )  # fmt: skip
        row = conn.execute("SELECT id FROM response WHERE key = ?", (result.key,)).fetchone()
        return int(row[0])

    def forget_errors(self, run_id: int) -> None:
        """Take back the predictions that are errors, so that they are asked again.

        What the failed attempts cost stays in the ledger.
        """
        with self.db.transaction() as conn:
            conn.execute(
                "DELETE FROM prediction WHERE run_id = ? AND outcome = ?",
                (run_id, Outcome.ERROR.value),
            )

    def predictions(
        self, run_id: int, *, splits: Sequence[str] = (), example_ids: Sequence[int] | None = None
    ) -> list[Prediction]:
        """Return what a run said, by example id, of the splits or examples (all by default)."""
        rows = self.db.read(
            "SELECT p.* FROM prediction p JOIN example e ON e.id = p.example_id WHERE p.run_id = :run"
            " AND (:splits = '[]' OR e.split IN (SELECT value FROM json_each(:splits)))"
            " AND (:ids IS NULL OR p.example_id IN (SELECT value FROM json_each(:ids))) ORDER BY p.example_id",
            {"run": run_id, "splits": json.dumps(list(splits)),
             "ids": None if example_ids is None else json.dumps(list(example_ids))},
        )  # fmt: skip
        return [
            Prediction(
                example_id=row["example_id"],
                label_id=row["label_id"],
                confidence=row["confidence"],
                outcome=Outcome(row["outcome"]),
                response_id=row["response_id"],
            )
            for row in rows
        ]

    def answer(self, run_id: int, example_id: int) -> Answer | None:
        """Return the full response behind a prediction; None for rules and unknown pairs."""
        row = self.db.one(
            "SELECT s.* FROM prediction p JOIN response s ON s.id = p.response_id"
            " WHERE p.run_id = ? AND p.example_id = ?",
            (run_id, example_id),
        )
        return None if row is None else _answer(row)

    def outcomes(self, run_id: int) -> dict[str, int]:
        """Return outcome to number of examples."""
        rows = self.db.read(
            "SELECT outcome, count(*) FROM prediction WHERE run_id = ? GROUP BY 1 ORDER BY 1",
            (run_id,),
        )
        return {row[0]: row[1] for row in rows}

    def calls(self, run_id: int) -> dict[str, Any]:
        """Return {"calls", "cost_usd", "model"} of a run; cost is None when a price is unknown."""
        row = self.db.one(
            "SELECT count(*) AS n, sum(cost_usd) AS usd, count(cost_usd) AS priced FROM ledger WHERE run_id = ?",
            (run_id,),
        )
        model = self.db.value(
            "SELECT s.model FROM prediction p JOIN response s ON s.id = p.response_id WHERE p.run_id = ?"
            " AND s.model != '' LIMIT 1",
            (run_id,),
        )
        known = row["priced"] == row["n"]
        return {
            "calls": row["n"],
            "cost_usd": (row["usd"] or 0.0) if known else None,
            "model": model or "",
        }

    def spent(self, task_id: int) -> float | None:
        """Return the money all calls and trainings of a task cost; None when a price is unknown."""
        row = self.db.one(
            "SELECT coalesce(sum(cost_usd), 0.0) AS usd, count(*) - count(cost_usd) AS unknown"
            " FROM ledger WHERE task_id = ?",
            (task_id,),
        )
        return None if row["unknown"] else float(row["usd"])


_SELECT = (
    "SELECT r.*, coalesce(j.status, 'done') AS status, coalesce(j.message, '') AS message,"
    " (SELECT count(*) FROM prediction p WHERE p.run_id = r.id) AS done"
    " FROM run r LEFT JOIN job j ON j.id = r.job_id"
)


def _run(row: Row) -> Run:
    return Run(
        id=row["id"],
        task_id=row["task_id"],
        kind=ClassifierKind(row["kind"]),
        title=row["title"],
        prompt_version_id=row["prompt_version_id"],
        model=row["model"],
        provider=row["provider"],
        splits=tuple(json.loads(row["splits"])),
        preview=bool(row["preview"]),
        status=row["status"],
        total=row["total"],
        done=row["done"],
        error=row["message"] if row["status"] == "failed" else "",
        created_at=row["created_at"],
        created_by=row["created_by"],
        job_id=row["job_id"],
    )


def _answer(row: Row) -> Answer:
    return Answer(
        outcome=Outcome(row["outcome"]),
        label=row["label"],
        probabilities=json.loads(row["probabilities"]),
        model=row["model"],
        usage=Usage(
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            cost_usd=row["cost_usd"],
            latency_ms=row["latency_ms"],
        ),
        detail=json.loads(row["detail"]),
        raw=row["raw"],
    )
