"""What is read of runs: how they stand, what they said, what they cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studio.domain.example import Example
from studio.domain.run import Answer, ClassifierKind, Method, Outcome, Prediction, Run
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.examples import _example
from studio.store.methods import METHOD
from studio.store.responses import answer_of


class RunReads:
    """The runs of a task, to be read."""

    def __init__(self, db: Connections) -> None:
        self.db = db

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
        """Return what labeled in this run: "rules", "prompt:VERSION", or "model:" or "joined:FINETUNE"."""
        row = self.db.one(
            "SELECT kind, prompt_version_id, finetune_id FROM run WHERE id = ?", (run_id,)
        )
        if row["kind"] == ClassifierKind.RULES:
            return "rules"
        is_tuned = row["kind"] in (ClassifierKind.MODEL, ClassifierKind.JOINED)
        number = row["finetune_id" if is_tuned else "prompt_version_id"]
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
        return {row["key"]: answer_of(row) for row in rows}

    def reserved(self, run_id: int) -> float:
        """Return the most that calls can cost whose cost is not known, in US dollars.

        These are the calls under way, and those whose replies told no tokens.
        """
        return float(
            self.db.value(
                "SELECT (SELECT coalesce(sum(bound_usd), 0.0) FROM ledger WHERE run_id = r.id AND outcome = 'open')"
                " + CASE WHEN unpriced THEN (SELECT coalesce(sum(bound_usd), 0.0) FROM ledger"
                "  WHERE task_id = r.task_id AND run_id = r.id AND cost_usd IS NULL AND outcome != 'open') ELSE 0 END"
                " FROM run r WHERE id = ?",
                (run_id,),
            )
        )

    def figure(self, run_id: int, name: str, version: str) -> str | None:
        """Return a kept figure; None when there is none or the gold behind it has changed."""
        found: str | None = self.db.value(
            "SELECT body FROM run_figure WHERE run_id = ? AND name = ? AND version = ?",
            (run_id, name, version),
        )
        return found

    def last_label_event(self) -> int:
        """Return the number of the latest decision on a label; gold is as of then."""
        return int(self.db.value("SELECT coalesce(max(id), 0) FROM label_event"))

    def predictions(
        self,
        run_id: int,
        *,
        splits: Sequence[str] = (),
        example_ids: Sequence[int] | None = None,
        with_gold: bool = False,
    ) -> list[Prediction]:
        """Return what a run said, by example id, of the splits or examples (all by default).

        Args:
            run_id: The run.
            splits: Only of these splits.
            example_ids: Only of these examples.
            with_gold: Only of examples with gold, which may be few among many.
        """  # fmt: skip
        first = "gold g JOIN prediction p ON p.run_id = :run AND p.example_id = g.example_id"
        source = first if with_gold else "prediction p"
        rows = self.db.read(
            f"SELECT p.*, {METHOD} AS method FROM {source} JOIN example e ON e.id = p.example_id"
            " LEFT JOIN response s ON s.id = p.response_id WHERE p.run_id = :run"
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
                method=Method(row["method"]) if row["method"] else None,
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
        return None if row is None else answer_of(row)

    def outcomes(self, run_id: int) -> dict[str, int]:
        """Return outcome to number of examples."""
        rows = self.db.read(
            "SELECT outcome, n FROM run_outcome WHERE run_id = ? AND n > 0 ORDER BY 1", (run_id,)
        )
        return {row[0]: row[1] for row in rows}

    def methods(self, run_id: int) -> dict[Method, int]:
        """Return method to number of confidences it gave, the main one first.

        Confidences of different methods do not belong in one figure.
        """
        rows = self.db.read(
            f"SELECT {METHOD}, count(*) FROM prediction p LEFT JOIN response s ON s.id = p.response_id"
            " WHERE p.run_id = ? AND p.confidence IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1",
            (run_id,),
        )
        return {Method(row[0]): row[1] for row in rows}

    def foreign(self, run_id: int, *, most: int = 1_000) -> tuple[int, int]:
        """Return of how many texts their reader said that they are not English, and of how many asked.

        Args:
            run_id: The run.
            most: About so many answers are looked at, spread over all.
        """
        row = self.db.one(
            "SELECT coalesce(sum(s.detail ->> 'not_english'), 0), count(*)"
            " FROM prediction p JOIN response s ON s.id = p.response_id WHERE p.run_id = ?1 AND"
            " p.example_id % (SELECT max(1, count(*) / ?2) FROM prediction WHERE run_id = ?1) = 0",
            (run_id, most),
        )
        return (row[0], row[1]) if row else (0, 0)

    def answered_by(self, run_id: int) -> str:
        """Return the model that really answered; empty while nothing did."""
        return str(
            self.db.value(
                "SELECT s.model FROM prediction p JOIN response s ON s.id = p.response_id WHERE p.run_id = ?"
                " AND s.model != '' LIMIT 1",
                (run_id,),
            )
            or ""
        )

    def spent(self, task_id: int) -> float | None:
        """Return the money all calls and trainings of a task cost; None when a price is unknown.

        A call of no run that is under way counts at its most.
        """
        row = self.db.one(
            "SELECT coalesce(sum(usd), 0.0) AS usd, coalesce(sum(unknown), 0) AS unknown FROM ("
            " SELECT spent_usd AS usd, unpriced AS unknown FROM run WHERE task_id = :task UNION ALL"
            " SELECT usd, usd IS NULL FROM (SELECT coalesce(cost_usd, CASE outcome WHEN 'open' THEN bound_usd END)"
            "  AS usd FROM ledger WHERE task_id = :task AND run_id IS NULL))",
            {"task": task_id},
        )
        return None if row["unknown"] else float(row["usd"])


_SELECT = (
    "SELECT r.*, coalesce(j.status, 'done') AS status, coalesce(j.message, '') AS message"
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
        budget_usd=row["budget_usd"],
        spent_usd=row["spent_usd"],
        calls=row["calls"],
        unpriced=row["unpriced"],
    )
