"""Prices people set in a workspace, and those that come with the studio."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass

from studio.config import data_folder
from studio.domain.price import CHAT, Price
from studio.domain.run import Run
from studio.store.connection import Connections, Row

_RUNS = 5
_CALLS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What calls of a classifier took lately.

    Attributes:
        rate: Examples a second in its latest finished runs; None without one.
        output_tokens: Mean tokens of a reply; None where no reply told them.
    """

    rate: float | None
    output_tokens: float | None


class Prices:
    """The prices of a workspace, which go before the shipped ones, and what calls took."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def set(self, price: Price, *, by: str, at: str) -> None:
        """Keep a price, in place of the one of this provider, model and kind."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO price (provider, model, kind, input_usd, output_usd, batch_input_usd,"
                " batch_output_usd, source, as_of, set_by, at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (price.provider, price.model, price.kind, price.input_usd, price.output_usd,
                 price.batch_input_usd, price.batch_output_usd, price.source, price.as_of, by, at),
            )  # fmt: skip

    def unset(self, provider: str, model: str, kind: str = CHAT) -> bool:
        """Forget a price; return whether there was one."""
        with self.db.transaction() as conn:
            found = conn.execute(
                "DELETE FROM price WHERE provider = ? AND model = ? AND kind = ?",
                (provider, model, kind),
            )
            return bool(found.rowcount)

    def own(self) -> list[Price]:
        """Return the prices people set, by provider, model and kind."""
        rows = self.db.read("SELECT * FROM price ORDER BY provider, model, kind")
        return [_price(row) for row in rows]

    def lately(self, kind: str, provider: str, model: str) -> Lately:
        """Return what the latest runs of this kind with this model took, as far as they asked."""
        runs = self.db.read(
            "SELECT r.id, r.task_id, CASE r.kind WHEN 'rules' THEN r.total ELSE r.calls END AS n,"
            " j.finished_at - j.started_at AS seconds FROM run r JOIN job j ON j.id = r.job_id"
            " WHERE r.kind = ? AND r.provider = ? AND r.model = ? AND j.status = 'done' AND n > 0"
            " AND seconds > 0 ORDER BY r.id DESC LIMIT ?",
            (kind, provider, model, _RUNS),
        )
        if not runs:
            return Lately(rate=None, output_tokens=None)
        tokens = self.db.value(
            "SELECT avg(output_tokens) FROM (SELECT output_tokens FROM ledger WHERE task_id = ?"
            " AND run_id = ? AND output_tokens > 0 LIMIT ?)",
            (runs[0]["task_id"], runs[0]["id"], _CALLS),
        )
        rate = sum(row["n"] for row in runs) / sum(row["seconds"] for row in runs)
        return Lately(rate=rate, output_tokens=tokens)

    def tokens(self, run: Run) -> tuple[int, int]:
        """Return the tokens a run's calls sent and got back, as far as their replies told."""
        row = self.db.one(
            # Not `sum`, which refuses what a service that lies about its tokens can make of them.
            "SELECT CAST(total(input_tokens) AS INTEGER), CAST(total(output_tokens) AS INTEGER) FROM ledger"
            " WHERE task_id = ? AND run_id = ?",
            (run.task_id, run.id),
        )
        return row[0], row[1]

    @staticmethod
    def shipped() -> tuple[Price, ...]:
        """Return the prices that come with the studio; their provider is a host."""
        return _shipped()


@functools.cache
def _shipped() -> tuple[Price, ...]:
    rows = json.loads((data_folder() / "prices.json").read_text(encoding="utf-8"))
    return tuple(
        Price(
            provider=row["host"], model=row["model"], kind=row["kind"], input_usd=row["input"],
            cached_usd=row["cached"], output_usd=row["output"], batch_input_usd=row["batch_input"],
            batch_output_usd=row["batch_output"], source=row["source"], as_of=row["as_of"],
            expires=row["expires"] or "",
        )
        for row in rows
    )  # fmt: skip


def _price(row: Row) -> Price:
    return Price(
        provider=row["provider"],
        model=row["model"],
        kind=row["kind"],
        input_usd=row["input_usd"],
        output_usd=row["output_usd"],
        batch_input_usd=row["batch_input_usd"],
        batch_output_usd=row["batch_output_usd"],
        source=row["source"],
        as_of=row["as_of"],
    )
