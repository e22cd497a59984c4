"""A frozen training set, a training on it, and the model that comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FineTuneStatus(StrEnum):
    """The wire's own words for the life of a training, and `launching` before it got there."""

    LAUNCHING = "launching"
    VALIDATING_FILES = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (FineTuneStatus.SUCCEEDED, FineTuneStatus.FAILED, FineTuneStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """Frozen examples with their labels.

    Attributes:
        id: Number in the workspace.
        name: What people call it.
        source: Where its labels come from, in words: "gold of train", "run 3 with corrections".
        size: Number of examples.
        labels: Label name to how many examples carry it.
        origins: Origin of a label (blind, computed, prediction, …) to how many.
        hash: Of its content.
        created_at: UTC time in ISO form.
    """

    id: int
    name: str
    source: str
    size: int
    labels: dict[str, int]
    origins: dict[str, int]
    hash: str
    created_at: str

    @property
    def run_id(self) -> int | None:
        """The run whose labels were frozen; None where they are gold.

        >>> TrainingSet(
        ...     id=1,
        ...     name="",
        ...     source="run 3 with 2 corrections",
        ...     size=0,
        ...     labels={},
        ...     origins={},
        ...     hash="",
        ...     created_at="",
        ... ).run_id
        3
        """
        found = re.match(r"run (\d+) with ", self.source)
        return int(found[1]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneEvent:
    """Something a training reported.

    Attributes:
        at: Seconds since 1970.
        level: info, warn or error.
        message: In words; untrusted.
        data: Metrics, if any.
    """

    at: float
    level: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTune:
    """A training and its state.

    Attributes:
        id: Number in the workspace.
        training_set_id: What it learns from.
        provider: Where it is trained.
        base_model: What it starts from.
        status: Where it stands.
        remote_id: The provider's id of it; empty until it is known.
        model: The model that came out; empty until it succeeded.
        prompt_version_id: The prompt it was trained with.
        metrics: What the provider measured, e.g. cross-validated accuracy.
        error: The sentence of its failure; empty otherwise.
        created_at: UTC time in ISO form.
        created_by: Who launched it.
        job_id: Its job.
        seconds: How long it took; None while it runs.
    """

    id: int
    training_set_id: int
    provider: str
    base_model: str
    status: FineTuneStatus
    remote_id: str = ""
    model: str = ""
    prompt_version_id: int | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    created_at: str = ""
    created_by: str = ""
    job_id: int | None = None
    seconds: float | None = None
