"""Rules joined with a model: chosen on gold once a run, frozen with it, applied to each answer.

The gold it is chosen on is blind gold of train and validation, never test, of examples on which the
model's word is honest: what it said of them out of fold while it was trained, or in a run where it
was not trained on them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from studio.domain.coded_rationale import CodedRationale
from studio.domain.finetune import FineTune
from studio.domain.label_names import read_answer
from studio.domain.run import Answer, Method, Outcome, Run
from studio.domain.task import Task
from studio.errors import InputError, ProviderError
from studio.handlers.asked import asked_names, asked_of, asked_of_model
from studio.handlers.joined import EXPERT_ORDER, joining_setting
from studio.handlers.votes import BLOCK, Voting, find_votes
from studio.jobs.control import Control
from studio.providers.base import Provider
from studio.store.runs import Result
from studio.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studio.analysis.joined_evidence import RulesAndText
    from studio.analysis.joined_votes import Joining
    from studio.analysis.rules_and_text import Choice, RulesSay
    from studio.analysis.vote_matrix import VoteMatrix
    from studio.store.store import Store

    Floats = NDArray[np.float64]

PARAM = "rules_and_text"
OUT_OF_FOLD = "out_of_fold.json"
_SURE = 0.9
"""What a label is taken for that a model gave without a probability; gold then scales it."""


async def keep_held_out(ws: Workspace, finetune: FineTune, service: Provider) -> None:
    """Keep what a model said of its training examples out of fold, where its provider tells it.

    Kept as answers by a key of their own: nobody asks these questions again.
    """
    with contextlib.suppress(ProviderError, json.JSONDecodeError, KeyError, ValueError):
        files = await service.result_files(finetune.remote_id)
        # Its name may begin with that of the job.
        found = [body for name, body in files.items() if name.endswith(OUT_OF_FOLD)]
        if not found:
            return
        told = json.loads(found[0])
        rows = ws.store.finetunes.training_rows(finetune.training_set_id)
        results = []
        for row in told["rows"]:
            example_id, text, _ = rows[row["line"] - 1]  # the file has a line an example
            if row["text"] != text:
                return
            answer = Answer(
                outcome=Outcome.OK, label=row["predicted"], method=Method.SERVER,
                probabilities=dict(zip(told["labels"], row["probabilities"], strict=True)),
                model=finetune.model,
            )  # fmt: skip
            key = _held_out_key(finetune.id, example_id)
            results.append(Result(example_id=example_id, label_id=None, answer=answer, key=key))
        ws.store.runs.remember(results, at=ws.now())


def _held_out_key(finetune_id: int, example_id: int) -> str:
    return f"held-out:{finetune_id}:{example_id}"


def honest_answers(
    store: Store, finetune: FineTune, example_ids: Sequence[int]
) -> dict[int, Answer]:
    """Return what a model said of examples whose labels it had not learnt, where that is known."""
    trained = {row[0] for row in store.finetunes.training_rows(finetune.training_set_id)}
    keys = {_held_out_key(finetune.id, i): i for i in example_ids if i in trained}
    answers = {keys[key]: answer for key, answer in store.runs.cached(list(keys)).items()}
    others = [i for i in example_ids if i not in trained]
    answers |= store.finetunes.answers(finetune.id, others)
    task = store.tasks.get(store.finetunes.task_of(finetune.id))
    asked = asked_names(asked_of_model(store, finetune.id))
    return {i: read_answer(answer, task, asked) for i, answer in answers.items()}


@dataclass(frozen=True, eq=False, slots=True)
class Chosen:
    """A choice among text, rules and both, with how the rules' votes are joined for it."""

    choice: Choice
    joining: Joining


def choose(store: Store, task: Task, finetune: FineTune, rules: Sequence[CodedRationale]) -> Chosen:
    """Choose among a model alone, the rules alone and both, as blind gold shows; asks nobody.

    Args:
        store: The store, or its reader.
        task: The task.
        finetune: The model.
        rules: The rules that vote.
    """
    import numpy as np

    from studio.analysis.corpus import Corpus
    from studio.analysis.joining import fit_joining
    from studio.analysis.rules_and_text import MOST_GOLD, choose_way
    from studio.handlers.boards import OPEN_SPLITS

    labels = {label.id: label.name for label in task.labels}
    found = store.labels.gold(task.id, OPEN_SPLITS, blind_only=True)
    gold = {i: g.label_id for i, g in found.items() if g.label_id in labels}
    answers = {
        i: answer
        for i, answer in honest_answers(store, finetune, sorted(gold)).items()
        if answer.outcome is Outcome.OK
    }
    ids = sorted(answers)
    if len(ids) > MOST_GOLD:
        ids = sorted(np.random.default_rng(task.id).choice(ids, MOST_GOLD, replace=False).tolist())
    matrix = find_votes(store, task.id, rules, Corpus.of(store.examples.some(task.id, ids))).matrix
    text = text_chances([answers[i] for i in ids], task)
    method = store.tasks.setting(joining_setting(task.id)) or EXPERT_ORDER

    def fitted(rows: NDArray[np.int64]) -> Joining:
        told = {ids[row]: gold[ids[row]] for row in rows.tolist()}
        some = (part_of(matrix, rows), rules, told, list(labels), task.fallback_label_id)
        try:
            return fit_joining(method, *some)
        except InputError:  # with less gold than that way needs
            return fit_joining(EXPERT_ORDER, *some)

    choice = choose_way(
        text,
        lambda rows: rules_say(matrix, rules, task, fitted(rows)),
        matrix,
        [gold[i] for i in ids],
        labels,
    )
    return Chosen(choice, fitted(np.arange(len(ids))))


def text_chances(answers: Sequence[Answer], task: Task) -> Floats:
    """Return the probabilities of answers that gave a label, of shape (n, labels)."""
    import numpy as np

    names = task.label_names
    rest = (1.0 - _SURE) / max(1, len(names) - 1)
    rows = [
        [answer.probabilities.get(name, 0.0) for name in names]
        if answer.probabilities
        else [_SURE if name == answer.label else rest for name in names]
        for answer in answers
    ]
    told = np.array(rows, dtype=np.float64).reshape(len(rows), len(names)) + 1e-9
    result: Floats = told / told.sum(axis=1, keepdims=True)
    return result


def rules_say(
    matrix: VoteMatrix, rules: Sequence[CodedRationale], task: Task, joining: Joining
) -> RulesSay:
    """Return what rules together say of the examples of a matrix."""
    import numpy as np

    from studio.analysis.joining import join_votes, posterior
    from studio.analysis.rules_and_text import RulesSay

    ids = [label.id for label in task.labels]
    fallback = task.fallback_label_id
    joined = join_votes(matrix, rules, fallback, ids, joining)
    said = [-1 if j.label_id is None else ids.index(j.label_id) for j in joined]
    chances = posterior(matrix, rules, ids, joining, fallback)
    return RulesSay.of(chances, np.array(said, dtype=np.int64))


def part_of(matrix: VoteMatrix, rows: NDArray[np.int64]) -> VoteMatrix:
    """Return some rows of a matrix."""
    from studio.analysis.vote_matrix import VoteMatrix

    return VoteMatrix(
        rule_ids=matrix.rule_ids,
        example_ids=tuple(matrix.example_ids[i] for i in rows.tolist()),
        labels=matrix.labels[rows],
        against=matrix.against,
    )


class JoinedAnswers:
    """The answers of a model, joined with what the rules say of the same examples.

    Args:
        ws: The workspace.
        run: The run.
        task: Its task.
        rules: The rules, as they were when the run was started.
        joined: How the evidence is added up.
        joining: How the rules' votes are joined.
    """

    def __init__(
        self,
        ws: Workspace,
        run: Run,
        task: Task,
        rules: Sequence[CodedRationale],
        joined: RulesAndText,
        joining: Joining,
    ) -> None:
        self._ws, self._run, self._task, self._rules = ws, run, task, rules
        self._joined, self.joining = joined, joining

    @classmethod
    async def open(
        cls, ws: Workspace, run: Run, service: Provider, control: Control
    ) -> JoinedAnswers:
        """Return those of a run; what is chosen on gold is chosen once and kept with the run.

        Raises:
            LaterError: A rule asks for likeness, and the embedded server does not run yet.
        """
        import asyncio

        from studio.analysis.joined_evidence import RulesAndText
        from studio.analysis.joining import Joining

        task = ws.store.tasks.get(run.task_id)
        params = ws.store.runs.params(run.id)
        rules = ws.store.rules.frozen(task.id, params["rules"])
        if PARAM not in params:
            finetune = ws.store.finetunes.of_run(run.id)
            await _keep_if_new(ws, finetune, service)
            await _find_votes(ws, run, rules, control)
            found = await asyncio.to_thread(choose, ws.store, task, finetune, rules)
            params[PARAM] = found.choice.to_dict() | {
                "joined": found.choice.joined.to_dict(), "joining": found.joining.to_dict(),
            }  # fmt: skip
            ws.store.runs.set_param(run.id, PARAM, params[PARAM])
        kept = params[PARAM]
        joined, joining = RulesAndText.from_dict(kept["joined"]), Joining.from_dict(kept["joining"])
        return cls(ws, run, task, rules, joined, joining)

    @property
    def are_rules_alone(self) -> bool:
        """Whether the model need not be asked."""
        from studio.analysis.joined_evidence import Way

        return self._joined.way is Way.RULES

    def join(self, results: Sequence[Result]) -> list[Result]:
        """Return results with the joined label and its probability; answers stay as they were.

        Where the model gave no label the outcome stands, and nothing is joined.
        """
        from studio.analysis.corpus import Corpus
        from studio.analysis.joined_evidence import Way

        told = {r.example_id: r for r in results if r.answer.outcome is Outcome.OK}
        if not told or self._joined.way is Way.TEXT:
            return list(results)
        examples = self._ws.store.examples.some(self._task.id, sorted(told))
        matrix = find_votes(
            self._ws.store, self._task.id, self._rules, Corpus.of(examples), before_run=self._run.id
        ).matrix
        asked = asked_names(asked_of(self._ws.store, self._run))
        said = [read_answer(told[i].answer, self._task, asked) for i in matrix.example_ids]
        text = text_chances(said, self._task)
        rules = rules_say(matrix, self._rules, self._task, self.joining)
        chances = self._joined.apply(text, rules.chances, matrix)
        for i, row in zip(matrix.example_ids, chances, strict=True):
            best = int(row.argmax())
            label_id = self._task.labels[best].id
            told[i] = replace(told[i], label_id=label_id, joined=float(row[best]))
        return [told.get(r.example_id, r) for r in results]


async def _keep_if_new(ws: Workspace, finetune: FineTune, service: Provider) -> None:
    """Fetch what the model said out of fold, of a training that ended before it was kept."""
    rows = ws.store.finetunes.training_rows(finetune.training_set_id)
    keys = [_held_out_key(finetune.id, row[0]) for row in rows[:1]]
    if not ws.store.runs.cached(keys):
        await keep_held_out(ws, finetune, service)


async def _find_votes(
    ws: Workspace, run: Run, rules: Sequence[CodedRationale], control: Control
) -> None:
    """Find and store the votes on what the run covers and on gold, a block at a time."""
    from studio.handlers.boards import open_gold

    voting = Voting(ws, run.task_id, rules, control, before_run=run.id)
    try:
        for ids in _blocks(ws, run, sorted(open_gold(ws, run.task_id))):
            found = await voting.of(ws.store.examples.some(run.task_id, ids))
            with ws.store.transaction():
                control.record(message="applying rules")
                voting.keep(found)
            control.raise_if_unwanted()
    finally:
        await voting.close()


def _blocks(ws: Workspace, run: Run, gold: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(gold), BLOCK):
        yield list(gold[start : start + BLOCK])
    after = 0
    while examples := ws.store.runs.remaining(run.id, after=after, limit=BLOCK):
        after = examples[-1].id
        yield [example.id for example in examples]
