"""The store: one object with a part for each stored noun, over one SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from studio.domain.run import Run
from studio.store.assignments import Assignments
from studio.store.batches import Batches
from studio.store.connection import Connections, ReadOnlyConnections
from studio.store.deeds import Deeds
from studio.store.examples import Examples
from studio.store.exchange import finish_exchange
from studio.store.finetunes import FineTunes
from studio.store.firings import Firings
from studio.store.guidelines import Guidelines
from studio.store.in_use import Opened, lock_of
from studio.store.jobs import Jobs
from studio.store.label_sets import LabelSets
from studio.store.labels import Labels
from studio.store.ledger import Ledger
from studio.store.marks import Marks
from studio.store.migrations import prepare, refuse_foreign
from studio.store.prices import Prices
from studio.store.prompts import Prompts
from studio.store.providers import Providers
from studio.store.rationales import Rationales
from studio.store.rules import Rules
from studio.store.runs import Runs
from studio.store.tasks import Tasks


class Store:
    """Everything a workspace remembers.

    Each part has the writes and the reads of its noun. A write joins the transaction around it,
    or makes its own.

    Attributes:
        path: The workspace file.
        tasks, examples, rationales, rules, firings, prompts, runs, labels, assignments, guidelines,
            finetunes, jobs, providers, batches, prices, ledger: The parts.
    """

    _opened: Opened | None = None  # a reader has none of its own

    def __init__(self, path: Path) -> None:
        """Open the workspace, creating or updating its schema.

        Raises:
            DamagedError: If the file is damaged; nothing was written to it.
            WorkspaceError: If the file is not ours, or is being restored just now.
        """
        with suppress(OSError):  # `prepare` says why it cannot be read
            if not lock_of(path).exists():
                refuse_foreign(path)  # before anything is made beside a file of others
        self._opened = Opened(path)
        try:
            if self._opened.alone:
                finish_exchange(path)
            # The last to close a file empties its log: one left behind tells of a hard end.
            log = path.with_name(path.name + "-wal")
            unclean = self._opened.alone and log.exists() and log.stat().st_size > 0
            self._opened.ready()
            prepare(path, unclean=unclean)
        except BaseException:
            self._opened.close()
            raise
        self._join(path, Connections(path))

    def _join(self, path: Path, db: Connections) -> None:
        self.path = path
        self.db = db
        self.tasks = Tasks(self.db)
        self.examples = Examples(self.db)
        self.rationales = Rationales(self.db)
        self.rules = Rules(self.db)
        self.firings = Firings(self.db)
        self.prompts = Prompts(self.db)
        self.runs = Runs(self.db)
        self.labels = Labels(self.db)
        self.marks = Marks(self.db)
        self.deeds = Deeds(self.db, self.labels)
        self.label_sets = LabelSets(self.db, self.labels)
        self.assignments = Assignments(self.db)
        self.guidelines = Guidelines(self.db)
        self.finetunes = FineTunes(self.db)
        self.jobs = Jobs(self.db)
        self.providers = Providers(self.db)
        self.batches = Batches(self.db)
        self.prices = Prices(self.db)
        self.ledger = Ledger(self.db)

    def reader(self) -> Store:
        """Return the same store for screens: reads as here, while a write fails loudly."""
        reader = Store.__new__(Store)
        reader._join(self.path, ReadOnlyConnections(self.path))
        return reader

    def transaction(self) -> AbstractContextManager[Any]:
        """Return one write transaction for several parts; keep it short, never wait inside."""
        return self.db.transaction()

    def file_run(
        self,
        run: Run,
        *,
        example_ids: Sequence[int],
        finetune_id: int | None = None,
        params: dict[str, Any] | None = None,
        now: float,
    ) -> Run:
        """Store a run together with the job that does it; previews go first."""
        with self.transaction():
            run_id = self.runs.create(
                run, example_ids=example_ids, finetune_id=finetune_id, params=params or {}
            )
            job_id = self.jobs.file(
                kind="run",
                subject_id=run_id,
                total=len(example_ids),
                now=now,
                params={"priority": "high"} if run.preview else {},
            )
            self.runs.set_job(run_id, job_id)
            return self.runs.get(run_id)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file (the worker's duty)."""
        self.db.checkpoint()

    def close(self) -> None:
        """Close all connections."""
        self.db.close()
        if self._opened is not None:
            self._opened.close()
