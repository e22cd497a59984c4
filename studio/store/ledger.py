"""Calls that are no run's, and trainings, in the ledger of what a task cost."""

from __future__ import annotations

from studio.store.connection import Connections


class Ledger:
    """What is paid for beside runs; those open and settle their own calls in `Runs.commit`."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def open_call(self, task_id: int, job_id: int, *, bound_usd: float | None, at: str) -> int:
        """Write down a call a job is about to make, and return its number.

        A call the job left open was lost with a worker, and may have cost its most.

        Args:
            task_id: The task it is made for.
            job_id: The job that makes it.
            bound_usd: The most it can cost; None while the price is unknown.
            at: The time.
        """
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE ledger SET outcome = 'lost', cost_usd = bound_usd"
                " WHERE task_id = ? AND run_id IS NULL AND job_id = ? AND outcome = 'open'",
                (task_id, job_id),
            )
            number = conn.execute(
                "INSERT INTO ledger (task_id, job_id, at, outcome, bound_usd, attempt)"
                " SELECT ?1, ?2, ?3, 'open', ?4, 1 + count(*) FROM ledger"
                " WHERE task_id = ?1 AND run_id IS NULL AND job_id = ?2",
                (task_id, job_id, at, bound_usd),
            ).lastrowid
        return int(number)

    def end_call(
        self, number: int, *, outcome: str, cost_usd: float | None,
        input_tokens: int = 0, output_tokens: int = 0,
    ) -> None:  # fmt: skip
        """Write down how a call ended.

        Args:
            number: What `open_call` returned.
            outcome: An outcome, an error's code, or "lost" where its fate is unknown.
            cost_usd: What it cost; None while unknown.
            input_tokens: As its reply told.
            output_tokens: As its reply told.
        """
        with self.db.transaction() as conn:
            conn.execute(
                "UPDATE ledger SET outcome = ?, cost_usd = ?, input_tokens = ?, output_tokens = ?"
                " WHERE id = ?",
                (outcome, cost_usd, input_tokens, output_tokens, number),
            )

    def add_training(
        self, task_id: int, finetune_id: int, *, cost_usd: float | None, tokens: int, at: str
    ) -> None:
        """Write down what a training that gave a model cost, once however often it is told."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO ledger (task_id, finetune_id, at, outcome, cost_usd, input_tokens)"
                " SELECT ?1, ?2, ?3, 'succeeded', ?4, ?5 WHERE NOT EXISTS"
                " (SELECT 1 FROM ledger WHERE task_id = ?1 AND run_id IS NULL AND finetune_id = ?2)",
                (task_id, finetune_id, at, cost_usd, tokens),
            )
