"""Providers people added (never their keys), and who agreed to send what where."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from studio.domain.run import Wire
from studio.errors import NotFoundError
from studio.store.connection import Connections, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEntry:
    """A service as people added it.

    Attributes:
        name: What people call it.
        base_url: Where it is.
        key_env: Name of the variable or secret that holds its key; never the key.
        model: The model used when none is named.
        wire: The path by which it is asked.
    """

    name: str
    base_url: str
    key_env: str = ""
    model: str = ""
    wire: Wire = Wire.AUTO


class Providers:
    """The services of a workspace."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def save(self, entry: ProviderEntry, *, by: str, at: str) -> None:
        """Add a provider, or replace the one of this name."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO provider (name, base_url, key_env, model, wire, added_by, at)"
                " VALUES (?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET base_url = excluded.base_url,"
                " key_env = excluded.key_env, model = excluded.model, wire = excluded.wire",
                (entry.name, entry.base_url, entry.key_env, entry.model, entry.wire.value, by, at),
            )

    def all(self) -> list[ProviderEntry]:
        """Return the providers people added, by name."""
        return [_entry(row) for row in self.db.read("SELECT * FROM provider ORDER BY name")]

    def get(self, name: str) -> ProviderEntry:
        """Return one provider.

        Raises:
            NotFoundError: If there is none of this name.
        """
        row = self.db.one("SELECT * FROM provider WHERE name = ?", (name,))
        if row is None:
            raise NotFoundError(
                f"There is no provider {name!r}.", next_step="Add it with `studio provider add`."
            )
        return _entry(row)

    def record_consent(
        self, task_id: int, *, provider: str, host: str, person: str, shown: dict[str, Any], at: str
    ) -> None:
        """Keep who agreed to send a task's texts to a host, and what they were shown."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT INTO consent (task_id, provider, host, person, shown, at) VALUES (?,?,?,?,?,?)",
                (task_id, provider, host, person, json.dumps(shown), at),
            )

    def has_consent(self, task_id: int, host: str) -> bool:
        """Return whether somebody agreed to send this task's texts to this host."""
        return bool(
            self.db.value("SELECT 1 FROM consent WHERE task_id = ? AND host = ?", (task_id, host))
        )


def _entry(row: Row) -> ProviderEntry:
    return ProviderEntry(
        name=row["name"],
        base_url=row["base_url"],
        key_env=row["key_env"],
        model=row["model"],
        wire=Wire(row["wire"]),
    )
