"""One question to one model: which label, how probable each, and what moved it."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from studio.embedded.cache import Known
from studio.embedded.encoder import Encoder, Matrix
from studio.embedded.language import looks_foreign
from studio.embedded.models import BASE, Models
from studio.embedded.reading import read_prompt
from studio.embedded.scoring import Evidence, PromptScorer, Scored, best, texts
from studio.errors import InputError

_PROMPTS, _ANSWERS = 256, 4096
Vectors = Callable[[Sequence[str]], Awaitable[list[Known]]]


@dataclass(frozen=True)
class Question:
    """A text, and how it is to be judged.

    Attributes:
        model: The base model or a trained one.
        system: The prompt.
        shots: The prompt's labeled examples.
        labels: The labels to choose from; empty when the prompt names them.
        text: The text.
        described: What labels mean, in pairs, where that does not stand in the prompt.
    """

    model: str
    system: str
    shots: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    text: str
    described: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a model says of a text.

    Attributes:
        label: The most probable label.
        probabilities: One for each label; they sum to one.
        evidence: What moved this text, the strongest first.
        unused: Lines of the prompt that this reader cannot use.
        notes: Sentences for the author of the prompt, and on this text.
        truncated: The text is longer than the encoder reads.
        not_english: The text does not look like English.
        readable: False when nothing in the prompt speaks for any label.
        prompt_tokens: Tokens of prompt and text.
        fingerprint: Changes when the same question could get another answer.
    """

    label: str
    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]
    unused: tuple[str, ...]
    notes: tuple[str, ...]
    truncated: bool
    not_english: bool
    readable: bool
    prompt_tokens: int
    fingerprint: str


@dataclass(frozen=True)
class _Judge:
    """A prompt or a trained model, ready."""

    score: Callable[[Matrix, str], Scored]
    unused: tuple[str, ...]
    notes: tuple[str, ...]
    readable: bool
    tokens: int
    fingerprint: str


class Answerer:
    """Answers questions; prompts that come again are read once.

    Args:
        encoder: Counts tokens and names the engine.
        vectors: Gives a vector for each text.
        models: The models that can be asked.
    """

    def __init__(self, encoder: Encoder, vectors: Vectors, models: Models) -> None:
        self.encoder, self.vectors, self.models = encoder, vectors, models
        self.count_answer_tokens = functools.lru_cache(_ANSWERS)(encoder.count_tokens)
        self._judges: OrderedDict[tuple[object, ...], asyncio.Task[_Judge]] = OrderedDict()

    async def answer(self, question: Question) -> Answer:
        """Return what the model says.

        Raises:
            InputError: No labels are named, or the model was made for another encoder.
            NotFoundError: There is no such model.
            WeightsError: The model's bytes were altered.
        """
        judge = await self._judge(question)
        (known,) = await self.vectors([question.text])
        return self._put(judge, judge.score(known.vector, question.text), known, question.text)

    def _put(self, judge: _Judge, scored: Scored, known: Known, text: str) -> Answer:
        truncated, foreign = known.tokens > self.encoder.limit, looks_foreign(text)
        notes = list(judge.notes)
        if truncated:
            notes.append(f"The text has {known.tokens} tokens; {self.encoder.limit} were read.")
        if foreign:
            notes.append("The text does not look like English, which is all this encoder knows.")
        if not text.strip():
            notes.append("The text is empty.")
        return Answer(
            label=best(scored.probabilities),
            probabilities=scored.probabilities,
            evidence=scored.evidence,
            unused=judge.unused,
            notes=tuple(notes),
            truncated=truncated,
            not_english=foreign,
            readable=judge.readable,
            prompt_tokens=judge.tokens + known.tokens,
            fingerprint=judge.fingerprint,
        )

    async def _judge(self, question: Question) -> _Judge:
        """Return the prompt ready to judge; many questions at once wait for one reading."""
        if question.model != BASE:
            self.models.get(question.model)
        key = (
            question.model, question.labels, question.system, question.shots, question.described,
        )  # fmt: skip
        task = self._judges.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._judges[key] = asyncio.create_task(self._prepare(question))
            if len(self._judges) > _PROMPTS:
                self._judges.popitem(last=False)
        self._judges.move_to_end(key)
        return await asyncio.shield(task)

    async def _prepare(self, question: Question) -> _Judge:
        pairs = (*question.shots, *question.described)
        words = "\n".join([question.system, *(part for pair in pairs for part in pair)])
        tokens = await asyncio.to_thread(self.encoder.count_tokens, words)
        if question.model == BASE:
            return await self._prompt(question, tokens)
        return await asyncio.to_thread(self._trained, question, tokens)

    async def _prompt(self, question: Question, tokens: int) -> _Judge:
        reading = read_prompt(question.system, question.labels, question.shots, question.described)
        if len(reading.labels) < 2:
            raise InputError(
                "The request names fewer than two labels.",
                next_step="Send them as an enum in response_format, or list them in the prompt.",
            )
        wanted = texts(reading)
        vectors = dict(zip(wanted, await self.vectors(wanted), strict=True))
        scorer = await asyncio.to_thread(
            PromptScorer,
            reading,
            {text: known.vector for text, known in vectors.items()},
            self.encoder,
        )
        notes = (self.encoder.note,) if self.encoder.note else ()
        return _Judge(
            score=lambda vector, _: scorer.score(vector),
            unused=reading.unused,
            notes=(*notes, *reading.notes),
            readable=bool(reading.lines or reading.shots),
            tokens=tokens,
            fingerprint=f"fp_{self.encoder.fingerprint}",
        )

    def _trained(self, question: Question, tokens: int) -> _Judge:
        head = self.models.head(question.model)
        if head.facts.fingerprint != self.encoder.fingerprint:
            raise InputError(
                f"{question.model} was trained with the encoder {head.facts.engine}, but this "
                f"server runs {self.encoder.engine}.",
                next_step="Train it again, or bring that encoder back.",
            )
        known = [label for label in question.labels if label in head.facts.labels]
        if question.labels and not known:
            raise InputError(f"{question.model} knows none of the labels asked for.")
        unknown = [label for label in question.labels if label not in head.facts.labels]
        notes = []
        if unknown:
            notes.append(f"The model has never seen these labels: {', '.join(unknown)}.")
        if question.system.strip() and question.system.strip() != head.facts.system.strip():
            notes.append("A trained model keeps the prompt it was trained with; this one differs.")
        digest = hashlib.sha256(f"{self.encoder.fingerprint} {question.model}".encode())
        return _Judge(
            score=lambda vector, text: head.score(vector, text, question.labels),
            unused=(),
            notes=tuple(notes),
            readable=True,
            tokens=tokens,
            fingerprint=f"fp_{digest.hexdigest()[:12]}",
        )
