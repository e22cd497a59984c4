"""Vectors by the hash of their text, in memory and in a file: an edit re-reads no text."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from studio.embedded.encoder import Encoder, Matrix

IN_MEMORY = 100_000
_SCHEMA = "CREATE TABLE IF NOT EXISTS vector (hash BLOB PRIMARY KEY, tokens INTEGER, half BLOB)"


class Known(NamedTuple):
    """A text's vector and how many tokens it has."""

    vector: Matrix
    tokens: int


class VectorCache:
    """The vectors of one encoder, kept over restarts in `vectors-<fingerprint>.db`.

    The file may be deleted at any time: it holds nothing that cannot be computed again, and a
    damaged one is replaced. Several processes may share it.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._encoder = encoder
        self._memory: OrderedDict[bytes, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._path = folder / f"vectors-{encoder.fingerprint}.db"
        self._file = self._open()

    def recall(self, text: str) -> Known | None:
        """Return what is in memory of a text, without touching the disk."""
        key = _key(text)
        with self._lock:
            held = self._memory.get(key)
            if held is None:
                return None
            self._memory.move_to_end(key)
        return Known(held[0].astype(np.float32), held[1])

    def look_up(self, texts: Sequence[str]) -> list[Known]:
        """Return every text's vector: from memory, from the file, else from the encoder."""
        known = {text: found for text in dict.fromkeys(texts) if (found := self.recall(text))}
        self._from_file([text for text in dict.fromkeys(texts) if text not in known], known)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            self._encode(missing, known)
        return [known[text] for text in texts]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def _encode(self, missing: list[str], known: dict[str, Known]) -> None:
        made = self._encoder.encode(missing)
        rows = []
        for text, half, tokens in zip(missing, made.vectors, made.tokens.tolist(), strict=True):
            known[text] = Known(half.astype(np.float32), tokens)
            self._remember(_key(text), half.copy(), tokens)
            rows.append((_key(text), tokens, half.tobytes()))
        self._run("INSERT OR IGNORE INTO vector VALUES (?, ?, ?)", rows)

    def _from_file(self, texts: list[str], known: dict[str, Known]) -> None:
        by_key = {_key(text): text for text in texts}
        keys = list(by_key)
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            query = f"SELECT hash, tokens, half FROM vector WHERE hash IN ({marks})"  # noqa: S608
            for key, tokens, raw in self._run(query, part):
                half = np.frombuffer(raw, dtype=np.float16)
                if len(half) == self._encoder.dims:
                    known[by_key[key]] = Known(half.astype(np.float32), tokens)
                    self._remember(key, half, tokens)

    def _remember(self, key: bytes, half: Any, tokens: int) -> None:
        with self._lock:
            self._memory[key] = (half, tokens)
            if len(self._memory) > IN_MEMORY:
                self._memory.popitem(last=False)

    def _run(self, statement: str, values: Iterable[Any]) -> list[Any]:
        """Run a statement; a file that cannot be read or written costs time, not answers."""
        from pysqlite3 import dbapi2 as sqlite

        with self._lock:
            try:
                if statement.startswith("SELECT"):
                    return list(self._file.execute(statement, list(values)))
                self._file.execute("BEGIN IMMEDIATE")
                self._file.executemany(statement, values)
                self._file.execute("COMMIT")
            except sqlite.Error:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
            return []

    def _open(self) -> Any:
        from pysqlite3 import dbapi2 as sqlite

        self._path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            file = sqlite.connect(
                str(self._path), timeout=5, isolation_level=None, check_same_thread=False
            )
            try:
                file.execute("PRAGMA journal_mode = WAL")
                file.execute("PRAGMA synchronous = OFF")
                file.execute(_SCHEMA)
            except sqlite.DatabaseError as error:
                file.close()
                if isinstance(error, sqlite.OperationalError):
                    break
                for path in self._path.parent.glob(f"{self._path.name}*"):
                    path.unlink(missing_ok=True)
            else:
                return file
        file = sqlite.connect(":memory:", isolation_level=None, check_same_thread=False)
        file.execute(_SCHEMA)
        return file


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
