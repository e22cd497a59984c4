"""Versions of prompts against slices: which is better where, as far as that can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.analysis.intervals import mid_p_mcnemar, wilson
from studio.analysis.tried_versions import holm
from studio.domain.evaluation import Figure
from studio.domain.run import Prediction
from studio.domain.slicing import Slice

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One version on one slice.

    Attributes:
        accuracy: Share of right labels there, with n.
        difference: Accuracy less that of the version held against, on the examples both answered;
            None in its own row.
        p: How likely such a difference is between equals, after Holm over the whole matrix.
        wrong: The examples it errs on.
    """

    accuracy: Figure
    difference: float | None
    p: float
    wrong: tuple[int, ...]

    @property
    def tells(self) -> bool:
        """Whether it differs beyond luck, at 5 % over the whole matrix."""
        return self.p <= 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """One version in all slices.

    Attributes:
        title: What people call it.
        version_id: The prompt version.
        run_id: The run it is told by.
        cells: By the columns of the matrix.
    """

    title: str
    version_id: int
    run_id: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMatrix:
    """Versions against slices.

    Attributes:
        columns: The slices, the whole first.
        rows: The versions, newest first.
        against: The version all are held against: the champion, else the first.
    """

    columns: tuple[Slice, ...]
    rows: tuple[MatrixRow, ...]
    against: str

    def telling(self, most: int) -> list[int]:
        """Return the places of the columns that tell most, in their order; the whole is one.

        First come those on which a version differs beyond luck, then those where versions are
        likeliest to differ, then those that hold the most errors beyond their share.
        """
        cells = [[row.cells[i] for row in self.rows] for i in range(len(self.columns))]

        def rank(i: int) -> tuple[float, float]:
            beyond = [
                len(cell.wrong) - (1 - row.cells[0].accuracy.value) * cell.accuracy.n
                for cell, row in zip(cells[i], self.rows, strict=True)
                if cell.accuracy.n
            ]
            return min((cell.p for cell in cells[i]), default=1.0), -max(beyond, default=0.0)

        return sorted([0, *sorted(range(1, len(self.columns)), key=rank)[: most - 1]])

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "against": self.against,
            "slices": [{"slice": s.name, "kind": s.kind} for s in self.columns],
            "versions": [
                {
                    "prompt": row.title,
                    "run": row.run_id,
                    "cells": [
                        {
                            "slice": s.name, "accuracy": c.accuracy.to_dict(),
                            "difference": c.difference, "p": c.p, "tells": c.tells,
                            "errors": len(c.wrong),
                        }
                        for s, c in zip(self.columns, row.cells, strict=True)
                    ],
                }
                for row in self.rows
            ],
        }  # fmt: skip


def build_matrix(
    versions: Sequence[tuple[str, int, int, Sequence[Prediction]]],
    gold: Mapping[int, int],
    slices: Sequence[Slice],
    against: str,
) -> PromptMatrix:
    """Return every version's accuracy on every slice, and where it differs beyond luck.

    Args:
        versions: Title, version, run and what the run said.
        gold: Example to gold label.
        slices: The groups of examples; the whole is put before them.
        against: Title of the version that all are held against.
    """
    whole = Slice(name=ALL, kind=ALL, example_ids=frozenset(gold))
    columns = (whole, *slices)
    hits = {
        title: {
            p.example_id: p.label_id == gold[p.example_id] for p in said if p.example_id in gold
        }
        for title, _, _, said in versions
    }
    rows = [
        MatrixRow(
            title=title, version_id=version_id, run_id=run_id,
            cells=tuple(_cell(hits[title], hits[against], s, title == against) for s in columns),
        )
        for title, version_id, run_id, _ in versions
    ]  # fmt: skip
    others = [row for row in rows if row.title != against]
    corrected = iter(holm([cell.p for row in others for cell in row.cells]))
    told = {
        row.title: replace(row, cells=tuple(replace(c, p=next(corrected)) for c in row.cells))
        for row in others
    }
    return PromptMatrix(
        columns=columns, rows=tuple(told.get(row.title, row) for row in rows), against=against
    )


def _cell(
    own: Mapping[int, bool], held: Mapping[int, bool], part: Slice, is_reference: bool
) -> Cell:
    inside = own.keys() & part.example_ids
    shared = inside & held.keys()
    won = sum(own[i] and not held[i] for i in shared)
    lost = sum(held[i] and not own[i] for i in shared)
    return Cell(
        accuracy=wilson(sum(own[i] for i in inside), len(inside)),
        difference=(won - lost) / len(shared) if shared and not is_reference else None,
        p=1.0 if is_reference else mid_p_mcnemar(lost, won),
        wrong=tuple(sorted(i for i in inside if not own[i])),
    )
