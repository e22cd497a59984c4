"""What rules say of examples: read where it is stored, found where it is not, and then stored.

Votes are kept by what decides them, so that a changed rule or a new example is all that is ever
looked at anew. Rules with conditions that no text tells are put together again each time, from
what is stored of these conditions, for answers and likeness may have changed since.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unicodedata import unidata_version

from studio.domain.coded_rationale import CodedRationale, RuleBody, parse_rule
from studio.domain.conditions import GIVEN, Similar
from studio.domain.example import Example
from studio.domain.job import Job
from studio.errors import ProviderUnavailableError, RateLimitedError
from studio.handlers.given import likeness_key, read_given
from studio.jobs.control import Control, LaterError
from studio.providers.base import Provider
from studio.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.analysis.corpus import Corpus
    from studio.analysis.vote_matrix import VoteMatrix
    from studio.store.store import Store

MATCHING = 1
"""Raised whenever a rule may fire elsewhere than before though it says the same."""
BLOCK = 8_192
"""Examples whose votes are found and stored at once."""
EMBED_AT_ONCE = 512
LOOK_AGAIN_S = 2.0
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Found:
    """The votes of rules on some examples.

    Attributes:
        matrix: All votes.
        fresh: Of these, what was not stored: key to example ids and truths.
    """

    matrix: VoteMatrix
    fresh: dict[str, tuple[NDArray[np.int64], NDArray[np.bool_]]] = field(default_factory=dict)


def find_votes(
    store: Store,
    task_id: int,
    rules: Sequence[CodedRationale],
    corpus: Corpus,
    *,
    before_run: int | None = None,
) -> Found:
    """Return the votes of the enabled rules on some examples; nothing is stored here.

    Args:
        store: The store, or its reader.
        task_id: The task.
        rules: The rules; what is not stored of them is found in the texts.
        corpus: The examples.
        before_run: Answers of prompts count only of runs before this one.
    """
    import numpy as np

    from studio.analysis.vote_matrix import VoteMatrix
    from studio.analysis.votes import apply_rules

    rules = sorted((r for r in rules if r.enabled), key=lambda r: (r.position, r.id))
    fires = np.zeros((len(corpus.ids), len(rules)), dtype=np.bool_)
    # Rules that miss the same examples are looked for in one pass over these.
    missing: dict[bytes, list[int]] = defaultdict(list)
    live: list[int] = []
    for column, rule in enumerate(rules):
        if has_given(rule.body):
            live.append(column)
            continue
        fires[:, column], known = store.firings.load(task_id, rule_key(rule.body), corpus.ids)
        if not known.all():
            missing[np.packbits(~known).tobytes()].append(column)
    fresh = {}
    for bits, columns in missing.items():
        rows = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8), count=len(corpus.ids)))
        some = corpus if len(rows) == len(corpus) else _some(corpus, rows)
        said = apply_rules([rules[i] for i in columns], some).fires
        for place, column in enumerate(columns):
            fires[rows, column] = said[:, place]
            fresh[rule_key(rules[column].body)] = (some.ids, said[:, place])
    if live:
        given = read_given(
            store, task_id, [c for i in live for c in rules[i].body.conditions], corpus.ids,
            before_run=before_run,
        )  # fmt: skip
        fires[:, live] = apply_rules([rules[i] for i in live], corpus, given.truths).fires
    labels = np.array([rule.label_id for rule in rules], dtype=np.int32)
    matrix = VoteMatrix(
        rule_ids=tuple(rule.id for rule in rules),
        example_ids=tuple(corpus.ids.tolist()),
        labels=fires * labels,
        against=np.array([rule.body.against for rule in rules], dtype=np.bool_),
    )
    return Found(matrix, fresh)


def _some(corpus: Corpus, rows: NDArray[np.intp]) -> Corpus:
    """Return some of the examples of a corpus."""
    from studio.analysis.corpus import Corpus

    places = rows.tolist()

    def column(name: str) -> list[str | None]:
        cells = corpus.column(name)
        return [cells[i] for i in places]

    return Corpus(corpus.ids[rows], [corpus.texts[i] for i in places], column)


def rule_key(body: RuleBody) -> str:
    """Return where the votes of a rule are kept; votes found by other means are not taken."""
    return f"rule:{body.hash}:{MATCHING}:{unidata_version}"


def has_given(body: RuleBody) -> bool:
    """Return whether a rule has a condition that no text tells."""
    return any(isinstance(c, GIVEN) for c in body.conditions)


class Voting:
    """Finds votes for a job, block by block, and computes likeness where it is asked for.

    Args:
        ws: The workspace.
        task_id: The task.
        rules: The rules that vote.
        control: Of the job.
        before_run: Answers of prompts count only of runs before this one.
    """

    def __init__(
        self,
        ws: Workspace,
        task_id: int,
        rules: Sequence[CodedRationale],
        control: Control,
        *,
        before_run: int | None = None,
    ) -> None:
        self._ws, self._task_id, self._control = ws, task_id, control
        self._rules, self._before_run = rules, before_run
        self._likeness: _Likeness | None = None
        similar = [c for r in rules for c in r.body.conditions if isinstance(c, Similar)]
        if similar:
            self._likeness = _Likeness(ws, task_id, similar)

    async def of(self, examples: Sequence[Example]) -> Found:
        """Return the votes on some examples; in a thread, for others wait for the event loop.

        Raises:
            LaterError: The embedded server, which tells likeness, does not run yet.
        """
        if self._likeness:
            await self._likeness.compute(examples, self._control)
        return await asyncio.to_thread(self._find, examples)

    async def know_likeness(self, ids: Sequence[int]) -> None:
        """Compute the likeness that the rules ask for, of examples whose votes are read elsewhere.

        Raises:
            LaterError: The embedded server, which tells likeness, does not run yet.
        """
        if self._likeness is None:
            return
        for start in range(0, len(ids), BLOCK):
            examples = self._ws.store.examples.some(self._task_id, ids[start : start + BLOCK])
            await self._likeness.compute(examples, self._control)

    def _find(self, examples: Sequence[Example]) -> Found:
        from studio.analysis.corpus import Corpus

        return find_votes(
            self._ws.store, self._task_id, self._rules, Corpus.of(examples),
            before_run=self._before_run,
        )  # fmt: skip

    def keep(self, found: Found) -> None:
        """Store what was not stored of some votes, in the transaction around it."""
        for key, (ids, truths) in found.fresh.items():
            self._ws.store.firings.save(self._task_id, key, ids, truths)

    def forget_old(self) -> None:
        """Drop votes that no rule of the task asks for any more, and likeness none ever asked for.

        Votes are found anew where somebody looks; likeness is not, and runs that are under way or
        are explained rest on it by rules as they were.
        """
        store = self._ws.store
        bodies = [rule.body for rule in (*self._rules, *store.rules.all(self._task_id))]
        ever = [*bodies, *store.rules.bodies(self._task_id)]
        asked = [c for body in ever for c in body.conditions if isinstance(c, Similar)]
        with store.transaction():
            firings = store.firings
            firings.keep_only(self._task_id, "rule:", {rule_key(body) for body in bodies})
            firings.keep_only(self._task_id, "similar:", {likeness_key(c) for c in asked})

    async def close(self) -> None:
        """Close the connection to the embedded server, if one was opened."""
        if self._likeness:
            await self._likeness.close()


async def vote_handler(ws: Workspace, job: Job, control: Control) -> None:
    """Find the votes of a task's rules, and of a rule being tried, on all its examples."""
    task_id = job.subject_id
    rules = ws.store.rules.all(task_id, enabled_only=True)
    for number, data in enumerate(job.params.get("tried", ())):
        rules.append(CodedRationale(id=-1 - number, label_id=1, body=parse_rule(data)))
    voting = Voting(ws, task_id, rules, control)
    total = sum(ws.store.examples.counts(task_id).values())
    done = 0
    await control.checkpoint(done=done, total=total, message="")
    try:
        for ids in _blocks(ws, task_id):
            found = await voting.of(ws.store.examples.some(task_id, ids))
            done += len(ids)
            with ws.store.transaction():
                control.record(done=done, message="applying rules")
                voting.keep(found)
            await control.checkpoint()
    finally:
        await voting.close()
    if not job.params.get("tried"):
        voting.forget_old()
    await control.checkpoint(done=total, message="")


def _blocks(ws: Workspace, task_id: int) -> list[list[int]]:
    ids = ws.store.examples.ids(task_id)
    return [ids[start : start + BLOCK] for start in range(0, len(ids), BLOCK)]


class _Likeness:
    """The greatest cosine of each example to the examples that conditions name."""

    def __init__(self, ws: Workspace, task_id: int, conditions: Sequence[Similar]) -> None:
        self._ws, self._task_id = ws, task_id
        self._conditions = {likeness_key(c): c for c in conditions}
        self._service: Provider | None = None
        self._engine = ""
        self._models: dict[str, NDArray[np.float32]] = {}

    async def compute(self, examples: Sequence[Example], control: Control) -> None:
        """Compute and store what is not stored of some examples."""
        import numpy as np

        try:
            await self._open()
            ids = np.array([e.id for e in examples], dtype=np.int64)
            store = self._ws.store.firings
            known = {key: store.load(self._task_id, key, ids)[1] for key in self._models}
            rows = np.flatnonzero(~np.all(list(known.values()), axis=0))
            for start in range(0, len(rows), EMBED_AT_ONCE):
                some = rows[start : start + EMBED_AT_ONCE]
                vectors = await self._embed([examples[i].text for i in some.tolist()])
                with self._ws.store.transaction():
                    control.record(message="finding out which examples are alike")
                    for key, model in self._models.items():
                        cosines = (vectors @ model.T).max(axis=1)
                        store.save(self._task_id, key, ids[some], cosines, made_by=self._engine)
                control.raise_if_unwanted()
        except (ProviderUnavailableError, RateLimitedError) as error:
            raise LaterError(f"{error.message} It is tried again.", LOOK_AGAIN_S) from None

    async def _open(self) -> None:
        """Embed the named examples; likeness by another engine is forgotten."""
        if self._models:
            return
        store = self._ws.store
        self._service = self._service or self._ws.provider(EMBEDDED)
        self._engine = await self._service.engine()
        for key, condition in self._conditions.items():
            ids = store.examples.by_external_id(self._task_id, condition.examples)
            texts = [e.text for e in store.examples.some(self._task_id, list(ids.values()))]
            self._models[key] = await self._embed(texts)
            if store.firings.made_by(self._task_id, key) not in (None, self._engine):
                store.firings.drop(self._task_id, key)

    async def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self._service is not None
        return await self._service.embed(texts)

    async def close(self) -> None:
        if self._service is not None:
            await self._service.close()
