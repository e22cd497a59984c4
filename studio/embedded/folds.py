"""The folds a training has behind it, on disk: cut off or paused, it goes on where it was."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from studio.embedded.disk import write_bytes
from studio.embedded.fitting import Fold


class FoldsOnDisk:
    """One file a fold, written whole.

    Args:
        folder: Where they are.
        key: What they were made of; those of another key do not count.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder, self._key = folder, key

    def load(self) -> dict[int, Fold]:
        """Return what is known by fold."""
        found = {}
        for path in self._folder.glob("fold-*.npz"):
            if fold := self._read(path):
                found[int(path.stem.removeprefix("fold-"))] = fold
        return found

    def save(self, number: int, fold: Fold) -> None:
        """Keep what is known of a fold."""
        raw = io.BytesIO()
        weights, bias = fold.fitted
        np.savez(
            raw, key=np.array(self._key), weights=weights, bias=bias,
            strengths=np.array(list(fold.logits)), logits=np.array(list(fold.logits.values())),
        )  # fmt: skip
        write_bytes(self._folder / f"fold-{number}.npz", raw.getvalue())

    def _read(self, path: Path) -> Fold | None:
        try:
            # From memory: of a damaged file numpy would leave the handle open.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
                if str(kept["key"]) != self._key:
                    return None
                logits = zip(kept["strengths"].tolist(), kept["logits"], strict=True)
                return Fold((kept["weights"], kept["bias"]), dict(logits))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
