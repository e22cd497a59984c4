"""Providers people added (never their keys), what tests found, and who agreed to send what where."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from studio.domain.capability import Capabilities
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """That somebody agreed to send a task's texts to a host.

    Attributes:
        id: Its number.
        task: The task's name.
        provider: The provider's name then.
        host: Where texts may be sent.
        person: Who agreed.
        shown: What they were shown: columns, examples, tokens, cost.
        at: When, in ISO form.
        withdrawn_by, withdrawn_at: Who took it back and when; empty while it holds.
    """

    id: int
    task: str
    provider: str
    host: str
    person: str
    shown: dict[str, Any]
    at: str
    withdrawn_by: str = ""
    withdrawn_at: str = ""


class Providers:
    """The services of a workspace."""

    def __init__(self, db: Connections) -> None:
        self.db = db

    def save(self, entry: ProviderEntry, *, by: str, at: str) -> None:
        """Add a provider, or replace the one of this name; what was found elsewhere is forgotten."""
        with self.db.transaction() as conn:
            conn.execute(
                "DELETE FROM capability WHERE provider = ? AND NOT EXISTS"
                " (SELECT 1 FROM provider WHERE name = ? AND base_url = ?)",
                (entry.name, entry.name, entry.base_url),
            )
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

    def has_consent(self, task_id: int, host: str, columns: Collection[str] = ("text",)) -> bool:
        """Return whether somebody agreed to send these columns of this task to this host."""
        rows = self.db.read(
            "SELECT shown FROM consent WHERE task_id = ? AND host = ? AND withdrawn_at = ''",
            (task_id, host),
        )
        told = [json.loads(row["shown"]).get("columns", ["text"]) for row in rows]
        return bool(told) and set(columns) <= {name for names in told for name in names}

    def consents(self) -> list[Consent]:
        """Return who agreed to send what where, the newest first; the withdrawn ones too."""
        rows = self.db.read(
            "SELECT c.*, t.name AS task FROM consent c JOIN task t ON t.id = c.task_id"
            " ORDER BY c.id DESC"
        )
        names = [field.name for field in fields(Consent)]
        return [
            Consent(**{name: row[name] for name in names} | {"shown": json.loads(row["shown"])})
            for row in rows
        ]

    def withdraw_consent(self, consent_id: int, *, by: str, at: str) -> bool:
        """Take back a consent, and all others of its task and host; return whether one held."""
        with self.db.transaction() as conn:
            found = conn.execute(
                "UPDATE consent SET withdrawn_by = ?, withdrawn_at = ? WHERE withdrawn_at = ''"
                " AND (task_id, host) = (SELECT task_id, host FROM consent WHERE id = ?)",
                (by, at, consent_id),
            )
            return bool(found.rowcount)

    def save_capabilities(self, name: str, found: Capabilities) -> None:
        """Keep what the latest test of a provider found."""
        with self.db.transaction() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO capability (provider, body, at) VALUES (?,?,?)",
                (name, json.dumps(found.to_dict(), ensure_ascii=False), found.at),
            )

    def capabilities(self, name: str) -> Capabilities | None:
        """Return what the latest test of a provider found; None before the first."""
        body = self.db.value("SELECT body FROM capability WHERE provider = ?", (name,))
        return None if body is None else Capabilities.from_dict(json.loads(body))

    def latest_probe(self, name: str) -> int | None:
        """Return the id of the latest job that tests a provider, None without one."""
        found = self.db.value(
            "SELECT max(id) FROM job WHERE kind = 'probe' AND json_extract(params, '$.provider') = ?",
            (name,),
        )
        return None if found is None else int(found)


def _entry(row: Row) -> ProviderEntry:
    return ProviderEntry(
        name=row["name"],
        base_url=row["base_url"],
        key_env=row["key_env"],
        model=row["model"],
        wire=Wire(row["wire"]),
    )
