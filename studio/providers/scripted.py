"""A provider that answers from a script: for tests, demos and trying a page without a model."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from studio.domain.capability import Capabilities, Feature, Finding, State
from studio.domain.finetune import FineTuneStatus
from studio.domain.run import Answer, Outcome, Question, Wire
from studio.errors import ProviderUnavailableError, RefusedRequestError
from studio.providers.base import (
    FINE_TUNE_KEY,
    BatchState,
    BatchStatus,
    FineTuneState,
    RateLimits,
    RemoteEvent,
    Tell,
)
from studio.providers.failures import UnknownThingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True)
class _Training:
    state: FineTuneState
    metadata: dict[str, str]
    looks: int = 0
    events: list[RemoteEvent] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    state: BatchState
    key: str
    questions: dict[str, Question]
    looks: int = 0


class ScriptedProvider:
    """Says what it was told to say; see `Provider` for the methods.

    The same question always gets the same answer. A training ends well at the second look, and so
    does a batch.

    Args:
        answers: A function from question to answer, or the content of the last message to a
            label or an answer; what is not in it is abstained.
        name: What people call it.
        fail_times: The first so many questions fail.
        failure: What they fail with.
        delay_s: How long each answer takes.
        failing_lines: Custom ids of batches that the service fails on.
        lost_lines: Custom ids of batches that never come back.
        batches_end_as: The final status of batches.
        capabilities: What a test of it finds; nothing is known when None.

    Attributes:
        calls: Questions asked so far, failed ones included, those of batches not.
        questions: These questions.
        embedded: Texts embedded so far.
        batches: Remote id of each batch to its questions.
        uploads: File id to content.
    """

    host = "script"
    is_local = True
    identity = "script"
    default_model = "scripted"
    wire = Wire.AUTO
    limits: RateLimits | None = None

    def __init__(
        self,
        answers: Callable[[Question], Answer] | Mapping[str, Answer | str],
        *,
        name: str = "scripted",
        fail_times: int = 0,
        failure: Exception | None = None,
        delay_s: float = 0.0,
        failing_lines: Collection[str] = (),
        lost_lines: Collection[str] = (),
        batches_end_as: BatchStatus = BatchStatus.COMPLETED,
        capabilities: Capabilities | None = None,
    ) -> None:
        self._answers = answers
        self._fail_times = fail_times
        self._failure = failure
        self._delay_s = delay_s
        self._failing_lines = failing_lines
        self._lost_lines = lost_lines
        self._batches_end_as = batches_end_as
        self._capabilities = capabilities
        self._trainings: dict[str, _Training] = {}
        self._batches: dict[str, _Batch] = {}
        self.name = name
        self.questions: list[Question] = []
        self.uploads: dict[str, bytes] = {}
        self.embedded: list[str] = []

    @property
    def calls(self) -> int:
        """Questions asked so far, failed ones included."""
        return len(self.questions)

    @property
    def batches(self) -> dict[str, dict[str, Question]]:
        """Remote id of each batch to its questions."""
        return {remote_id: batch.questions for remote_id, batch in self._batches.items()}

    async def classify(self, question: Question) -> Answer:
        """Answer as the script says, or fail as long as it says so."""
        self.questions.append(question)
        number = self.calls
        await asyncio.sleep(self._delay_s)
        if number <= self._fail_times:
            raise self._failure or ProviderUnavailableError("The script says: not reachable.")
        return self._said(question)

    def _said(self, question: Question) -> Answer:
        if callable(self._answers):
            return self._answers(question)
        said = self._answers.get(question.messages[-1]["content"])
        if isinstance(said, Answer):
            return said
        outcome = Outcome.ABSTAINED if said is None else Outcome.OK
        return Answer(outcome=outcome, label=said, model=question.model, raw=said or "")

    async def models(self) -> list[str]:
        """Return the script's model and the trained ones."""
        trained = [t.state.model for t in self._trainings.values() if t.state.model]
        return [self.default_model, *trained]

    async def capabilities(self, tell: Tell | None = None) -> Capabilities:
        """Return what the script says it can do, or that it says nothing."""
        for done, feature in enumerate(Feature):
            if tell is not None:
                tell(done, len(Feature), feature.words)
        return self._capabilities or Capabilities(
            model=self.default_model,
            findings=tuple(
                Finding(feature, State.UNKNOWN, "A script answers; no model is asked.")
                for feature in Feature
            ),
        )

    async def engine(self) -> str:
        """Return nothing: a script has no version."""
        return ""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors that are alike where texts share words."""
        import numpy as np

        self.embedded.extend(texts)
        vectors = np.full((len(texts), 256), 1e-6, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                vectors[row, zlib.crc32(word.encode()) % 256] += 1
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    async def upload(self, jsonl: bytes, filename: str) -> str:
        """Keep a training file and return its id."""
        file_id = f"file-{len(self.uploads) + 1}"
        self.uploads[file_id] = jsonl
        return file_id

    async def create_fine_tune(
        self,
        file_id: str,
        base_model: str,
        *,
        suffix: str = "",
        seed: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> FineTuneState:
        """Start a training; asking twice trains twice, as with a real service."""
        if file_id not in self.uploads:
            raise RefusedRequestError(f"The script has no file {file_id}.")
        remote_id = f"ftjob-{len(self._trainings) + 1}"
        state = FineTuneState(remote_id=remote_id, status=FineTuneStatus.QUEUED)
        training = _Training(state, dict(metadata or {}))
        training.metadata["model"] = f"ft:{base_model}:{suffix or remote_id}"
        self._trainings[remote_id] = training
        self._say(training, "Queued.")
        return state

    async def find_fine_tune(self, key: str) -> FineTuneState | None:
        """Return the newest training whose metadata holds this key, None without one."""
        for training in reversed(self._trainings.values()):
            if training.metadata.get(FINE_TUNE_KEY) == key:
                return training.state
        return None

    async def fine_tune(self, remote_id: str) -> FineTuneState:
        """Return where a training stands: running at the first look, then succeeded."""
        training = self._training(remote_id)
        if training.state.status.is_final or training.state.status is FineTuneStatus.PAUSED:
            return training.state
        training.looks += 1
        if training.looks == 1:
            return self._move(training, FineTuneStatus.RUNNING, "Training.")
        return self._move(
            training, FineTuneStatus.SUCCEEDED, "Done.", model=training.metadata["model"]
        )

    async def fine_tune_events(self, remote_id: str, after: str | None = None) -> list[RemoteEvent]:
        """Return what a training reported, oldest first; only what came after that event."""
        events = self._training(remote_id).events
        known = [index for index, event in enumerate(events) if event.id == after]
        return events[known[0] + 1 :] if known else list(events)

    async def cancel_fine_tune(self, remote_id: str) -> FineTuneState:
        """End a training and return where it stands now."""
        training = self._training(remote_id)
        if training.state.status.is_final:
            raise RefusedRequestError(f"The training {remote_id} has ended already.")
        return self._move(training, FineTuneStatus.CANCELLED, "Cancelled.")

    async def pause_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training rest until it is resumed."""
        return self._move(self._training(remote_id), FineTuneStatus.PAUSED, "Paused.")

    async def resume_fine_tune(self, remote_id: str) -> FineTuneState:
        """Let a training that rests go on."""
        return self._move(self._training(remote_id), FineTuneStatus.RUNNING, "Resumed.")

    async def result_files(self, remote_id: str) -> dict[str, bytes]:
        """Return a metrics file for a training that succeeded."""
        done = self._training(remote_id).state.status is FineTuneStatus.SUCCEEDED
        return {"step_metrics.csv": b"step,train_loss\n1,0.5\n2,0.25\n"} if done else {}

    async def create_batch(self, questions: Mapping[str, Question], *, key: str) -> BatchState:
        """Take a batch; asking twice makes two, as with a real service."""
        remote_id = f"batch-{len(self._batches) + 1}"
        state = BatchState(remote_id=remote_id, status=BatchStatus.VALIDATING, total=len(questions))
        self._batches[remote_id] = _Batch(state, key, dict(questions))
        return state

    async def find_batch(self, key: str) -> BatchState | None:
        """Return the newest batch made with this key, None without one."""
        for batch in reversed(self._batches.values()):
            if batch.key == key:
                return batch.state
        return None

    async def batch(self, remote_id: str) -> BatchState:
        """Return where a batch stands: in progress at the first look, then ended."""
        batch = self._batch(remote_id)
        if not batch.state.status.is_final:
            batch.looks += 1
            batch.state = (
                self._ended(batch)
                if batch.looks > 1
                else replace(batch.state, status=BatchStatus.IN_PROGRESS)
            )
        return batch.state

    async def cancel_batch(self, remote_id: str) -> BatchState:
        """End a batch before any of its questions is answered, unless it has ended."""
        batch = self._batch(remote_id)
        if not batch.state.status.is_final:
            batch.state = replace(batch.state, status=BatchStatus.CANCELLED)
        return batch.state

    async def batch_answers(
        self, state: BatchState, label_names: tuple[str, ...]
    ) -> dict[str, Answer]:
        """Return custom id to answer, of the lines the script neither loses nor never reached."""
        if not state.output_file:
            return {}
        failed = Answer(outcome=Outcome.ERROR, detail={"error": "The script fails on this line."})
        return {
            custom_id: failed if custom_id in self._failing_lines else self._said(question)
            for custom_id, question in self._batch(state.remote_id).questions.items()
            if custom_id not in self._lost_lines
        }

    def _batch(self, remote_id: str) -> _Batch:
        if remote_id not in self._batches:
            raise UnknownThingError(f"The script knows no batch {remote_id}.")
        return self._batches[remote_id]

    def _ended(self, batch: _Batch) -> BatchState:
        if self._batches_end_as is BatchStatus.FAILED:
            return replace(batch.state, status=BatchStatus.FAILED, error="The script says: failed.")
        came = set(batch.questions) - set(self._lost_lines)
        failed = len(came & set(self._failing_lines))
        return replace(
            batch.state,
            status=self._batches_end_as,
            done=len(came) - failed,
            failed=failed,
            output_file=f"{batch.state.remote_id}-answers",
        )

    async def close(self) -> None:
        """Do nothing; there is nothing to close."""

    def _training(self, remote_id: str) -> _Training:
        if remote_id not in self._trainings:
            raise UnknownThingError(f"The script knows no training {remote_id}.")
        return self._trainings[remote_id]

    def _move(
        self, training: _Training, status: FineTuneStatus, message: str, model: str = ""
    ) -> FineTuneState:
        remote_id = training.state.remote_id
        training.state = FineTuneState(remote_id=remote_id, status=status, model=model)
        self._say(training, message)
        return training.state

    def _say(self, training: _Training, message: str, **data: Any) -> None:
        number = len(training.events) + 1
        event_id = f"{training.state.remote_id}-{number}"
        training.events.append(
            RemoteEvent(id=event_id, at=float(number), level="info", message=message, data=data)
        )
