"""Runs, their predictions, the responses behind them, and the ledger of every call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.domain.example import Example
from studio.domain.run import Answer, ClassifierKind, Method, Outcome, Prediction, Run
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row
from studio.store.examples import _example
from studio.store.label_moves import keep_moved, moved_labels
from studio.store.methods import METHOD
from studio.store.responses import answer_of, columns_of
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
        joined: Probability of the label where rules had a say in it; else it is the answer's own.
    """

    example_id: int
    label_id: int | None
    answer: Answer
    key: str = ""
    cached: bool = False
    joined: float | None = None

    @property
    def confidence(self) -> float | None:
        """Probability of the label; None without one."""
        return self.answer.confidence if self.joined is None else self.joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A call about to be made.

    Attributes:
        example_id: What it asks about.
        number: The how manieth time this run asks about it, from 1.
        bound_usd: The most it can cost; None while the price is unknown.
    """

    example_id: int
    number: int
    bound_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended.

    Attributes:
        ledger_id: What `commit` gave it when it was opened.
        outcome: An outcome, an error's code, or "lost" where its fate is unknown.
        cost_usd: What it cost; None while the price is unknown.
        input_tokens, output_tokens: As its reply told.
    """

    ledger_id: int
    outcome: str
    cost_usd: float | None
    input_tokens: int = 0
    output_tokens: int = 0


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
                " preview, params, total, created_at, created_by, budget_usd) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (run.task_id, run.kind.value, run.title, run.prompt_version_id, finetune_id, run.model,
                 run.provider, json.dumps(list(run.splits)), int(run.preview), json.dumps(params),
                 len(example_ids), run.created_at, run.created_by, run.budget_usd),
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

    def set_param(self, run_id: int, name: str, value: Any) -> None:
        """Keep one more thing with what the run was started with."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE run SET params = json_set(params, '$.' || ?, json(?)) WHERE id = ?",
                (name, json.dumps(value), run_id),
            )

    def drop_param(self, run_id: int, name: str) -> None:
        """Forget something that was kept with what the run was started with."""
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE run SET params = json_remove(params, '$.' || ?) WHERE id = ?",
                (name, run_id),
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

    def commit(
        self,
        run: Run,
        results: Sequence[Result],
        calls: Sequence[Ending] = (),
        opened: Sequence[Attempt] = (),
        *,
        at: str,
        tell: bool = True,
    ) -> list[int]:
        """Store in one transaction what was learned, how calls ended, and which calls follow.

        Args:
            run: The run.
            results: Its new predictions; an example that has one keeps it.
            calls: How calls that were opened before ended.
            opened: Calls that are made as soon as this is stored, and not before.
            at: The time.
            tell: Whether screens should look anew; a commit that is one of many may spare it.

        Returns:
            The ledger numbers of the opened calls, in their order.
        """  # fmt: skip
        with self.db.transaction() as conn:
            if results:
                self._predict(conn, run, results, at)
            if calls:
                self._settle(conn, run, calls)
            numbers = self._open(conn, run, opened, at) if opened else []
            if tell:
                bump(self.db, run.task_id)
        return numbers

    def _predict(self, conn: Any, run: Run, results: Sequence[Result], at: str) -> None:
        fresh = [r for r in results if r.key and not r.cached]
        if fresh and self._respond(conn, fresh, at) < len(fresh):  # a run was faster
            results = self._apart(run, results)
            self._respond(conn, [r for r in results if r.key and not r.cached], at)
        results = self._in_use(conn, run, results)
        new = conn.executemany(
            "INSERT OR IGNORE INTO prediction (run_id, example_id, label_id, confidence, outcome, response_id, split)"
            " SELECT ?1, id, ?3, ?4, ?5, (SELECT id FROM response WHERE key = ?6), split FROM example WHERE id = ?2",
            [
                (run.id, r.example_id, r.label_id, r.confidence, r.answer.outcome.value, r.key or None)
                for r in results
            ],
        ).rowcount  # fmt: skip
        if new == len(results):
            counted = Counter(r.answer.outcome.value for r in results)
            conn.executemany(
                "INSERT INTO run_outcome VALUES (?,?,?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                [(run.id, outcome, n) for outcome, n in counted.items()],
            )
            conn.execute("UPDATE run SET done = done + ? WHERE id = ?", (new, run.id))
        else:
            self._recount(conn, run.id)

    def _in_use(self, conn: Any, run: Run, results: Sequence[Result]) -> Sequence[Result]:
        """Return results that say labels in use: the label set may have changed since the run began."""
        moved = moved_labels(self.db, run.task_id)
        now = []
        for result in results:
            if result.label_id in moved:
                went = moved[result.label_id]
                keep_moved(conn, run.id, result.example_id, went)
                result = replace(result, label_id=went.into, joined=result.confidence)
                if went.into is None:
                    off = replace(result.answer, outcome=Outcome.OFF_LABEL)
                    result = replace(result, answer=off)
            now.append(result)
        return now

    def _respond(self, conn: Any, fresh: Sequence[Result], at: str) -> int:
        """Store responses, and return how many of them were new."""
        return int(
            conn.executemany(
                "INSERT OR IGNORE INTO response (key, model, outcome, label, probabilities, method, detail, raw,"
                " input_tokens, output_tokens, cost_usd, latency_ms, at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                [(r.key, *columns_of(r.answer), at) for r in fresh],
            ).rowcount
        )  # fmt: skip

    def _apart(self, run: Run, results: Sequence[Result]) -> list[Result]:
        """Give answers a key of their own where another one is stored: each shows what it rests on."""
        stored = self.cached([r.key for r in results])
        return [
            replace(r, key=f"{run.id}:{r.key}", cached=False)
            if r.key and stored[r.key].label != r.answer.label
            else r
            for r in results
        ]

    def remember(self, results: Sequence[Result], *, at: str) -> None:
        """Store answers by the content of their questions alone; those that are known stay."""
        with self.db.transaction() as conn:
            self._respond(conn, [r for r in results if r.key and not r.cached], at)

    def _settle(self, conn: Any, run: Run, calls: Sequence[Ending]) -> None:
        conn.executemany(
            "UPDATE ledger SET outcome = ?, cost_usd = ?, input_tokens = ?, output_tokens = ? WHERE id = ?",
            [(c.outcome, c.cost_usd, c.input_tokens, c.output_tokens, c.ledger_id) for c in calls],
        )
        conn.execute(
            "UPDATE run SET spent_usd = spent_usd + ?, unpriced = unpriced + ? WHERE id = ?",
            (sum(c.cost_usd or 0.0 for c in calls), sum(c.cost_usd is None for c in calls), run.id),
        )

    def _open(self, conn: Any, run: Run, opened: Sequence[Attempt], at: str) -> list[int]:
        last = conn.execute("SELECT coalesce(max(id), 0) FROM ledger").fetchone()[0]
        numbers = list(range(last + 1, last + 1 + len(opened)))
        conn.executemany(
            "INSERT INTO ledger (id, task_id, run_id, example_id, at, outcome, attempt, bound_usd)"
            " VALUES (?,?,?,?,?,'open',?,?)",
            [
                (number, run.task_id, run.id, a.example_id, at, a.number, a.bound_usd)
                for number, a in zip(numbers, opened, strict=True)
            ],
        )
        conn.execute("UPDATE run SET calls = calls + ? WHERE id = ?", (len(opened), run.id))
        return numbers

    def settle_lost(self, run_id: int) -> int:
        """Count the calls whose fate a dead worker took with it, at the most they can have cost.

        Returns:
            How many there were.
        """
        with self.db.transaction() as conn:
            lost = conn.execute(
                "UPDATE ledger SET outcome = 'lost', cost_usd = bound_usd"
                " WHERE run_id = ? AND outcome = 'open' RETURNING cost_usd",
                (run_id,),
            ).fetchall()
            conn.execute(
                "UPDATE run SET spent_usd = spent_usd + ?, unpriced = unpriced + ? WHERE id = ?",
                (sum(row[0] or 0.0 for row in lost), sum(row[0] is None for row in lost), run_id),
            )
        return len(lost)

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

    def set_budget(self, run_id: int, usd: float | None) -> None:
        """Cap what a run may spend; None takes the cap away."""
        with self.db.transaction() as conn:
            conn.execute("UPDATE run SET budget_usd = ? WHERE id = ?", (usd, run_id))

    def recount(self, run_id: int) -> None:
        """Make the counters of a run anew from its predictions and its ledger."""
        with self.db.transaction() as conn:
            self._recount(conn, run_id)
            conn.execute(
                "UPDATE run SET (calls, spent_usd, unpriced) = (SELECT count(*), coalesce(sum(cost_usd), 0.0),"
                " count(*) - count(cost_usd) - count(CASE WHEN outcome = 'open' THEN 1 END)"
                " FROM ledger WHERE run_id = run.id) WHERE id = ?",
                (run_id,),
            )

    def _recount(self, conn: Any, run_id: int) -> None:
        conn.execute("DELETE FROM run_outcome WHERE run_id = ?", (run_id,))
        conn.execute(
            "INSERT INTO run_outcome SELECT run_id, outcome, count(*) FROM prediction WHERE run_id = ? GROUP BY 2",
            (run_id,),
        )
        conn.execute(
            "UPDATE run SET done = (SELECT coalesce(sum(n), 0) FROM run_outcome WHERE run_id = run.id) WHERE id = ?",
            (run_id,),
        )

    def forget_errors(self, run_id: int) -> None:
        """Take back the predictions that are errors, so that they are asked again.

        What the failed attempts cost stays in the ledger.
        """
        with self.db.transaction() as conn:
            conn.execute(
                "DELETE FROM prediction WHERE run_id = ? AND outcome = ?",
                (run_id, Outcome.ERROR.value),
            )
            self._recount(conn, run_id)

    def keep_figure(self, run_id: int, name: str, version: str, body: str) -> None:
        """Keep a figure of a run, in place of the one of this name, for the gold it was of."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO run_figure VALUES (?,?,?,?)", (run_id, name, version, body)
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
