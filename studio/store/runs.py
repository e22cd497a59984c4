"""Runs, their predictions, the responses behind them, and the ledger of every call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.domain.run import Answer, Outcome, Run
from studio.store.label_moves import keep_moved, moved_labels
from studio.store.responses import columns_of
from studio.store.run_reads import RunReads
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


class Runs(RunReads):
    """The runs of a task."""

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
