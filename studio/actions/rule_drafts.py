"""From an expert's sentence to rules: drafted, measured, and accepted only once they were seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studio.analysis.drafting import Material, draft_bodies
from studio.analysis.ideas import Idea
from studio.analysis.intervals import wilson
from studio.analysis.rule_board import Board, RulePreview, try_rule
from studio.domain.amounts import percent
from studio.domain.capability import Feature, State
from studio.domain.coded_rationale import CodedRationale, RuleBody, rule_to_dict
from studio.domain.estimate import Estimate
from studio.domain.evaluation import Figure
from studio.domain.example import Split
from studio.domain.rationale import Rationale
from studio.domain.run import Question
from studio.domain.tokens import MOST_OUTPUT, likely_tokens
from studio.errors import ConflictError, InputError
from studio.handlers.boards import open_board, open_corpus
from studio.handlers.consenting import check_consent
from studio.handlers.given import check_given
from studio.handlers.rule_asking import (
    KIND,
    asked_rules,
    find_rationale,
    most_cost,
    question_for,
)
from studio.providers.base import Provider
from studio.workspace import Workspace

EMBEDDED = "embedded"
MOST = 6
"""Most drafts of one rationale."""
ENOUGH = 10
"""Blind gold labels below which a draft is not judged."""
_SAMPLE = 20_000
_DOUBT = 5
_EVEN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedRule:
    """A rule that might code a rationale, with what it would do; nothing of it is stored.

    Attributes:
        body: The rule.
        why: Where it comes from, in plain words; empty for one a person wrote or changed.
        preview: What it would do on train and validation.
        fresh: How often it is right on blind gold of validation alone, which no word was picked on.
        seen: Stands for the rule and these figures; `accept_draft` wants it back.
    """

    body: RuleBody
    why: str
    preview: RulePreview
    fresh: Figure
    seen: str


def draft_rules(
    ws: Workspace, task_id: int, rationale_id: int, board: Board | None = None
) -> list[DraftedRule]:
    """Return up to six rules that might code a rationale, the most useful first; always the same.

    What a model proposed when it was last asked is among them, measured like the others. Rules the
    task has already, and rules that would never fire, are left out.

    Args:
        ws: The workspace.
        task_id: The task.
        rationale_id: The rationale.
        board: What rules are tried on; opened when None.

    Raises:
        NotFoundError: If the task has no such rationale in use.
    """
    rationale = find_rationale(ws, task_id, rationale_id)
    board = board or open_board(ws, task_id, open_corpus(ws, task_id))
    rules = ws.read.rules.all(task_id)
    known = {_votes(rule.body) for rule in rules}
    taken = {rule.body.name for rule in rules}
    found: list[DraftedRule] = []
    fresh_gold = _fresh_gold(ws, task_id)
    asked = asked_rules(ws, task_id, rationale)
    for idea in [*_ideas(ws, board, rationale), *(asked.ideas if asked else ())]:
        if _votes(idea.body) in known:
            continue
        known.add(_votes(idea.body))
        drafted = _measured(board, idea.body, idea.why, fresh_gold)
        if drafted.preview.score.fires:
            found.append(drafted)
    best = sorted(found, key=lambda d: -_use(board, d))[:MOST]
    return [_named(drafted, taken) for drafted in best]


def measure_draft(ws: Workspace, board: Board, body: RuleBody, *, why: str = "") -> DraftedRule:
    """Return what a rule would do, and what stands for having seen it: for a draft that was edited.

    Raises:
        InputError: If its label is unknown or a pattern cannot be used.
    """
    return _measured(board, body, why, _fresh_gold(ws, board.task.id))


def _fresh_gold(ws: Workspace, task_id: int) -> dict[int, int]:
    """Return example id to label id of the blind gold that no word of a draft was picked on."""
    gold = ws.read.labels.gold(task_id, (Split.VALIDATION.value,), blind_only=True)
    return {example_id: found.label_id for example_id, found in gold.items()}


def _measured(board: Board, body: RuleBody, why: str, gold: Mapping[int, int]) -> DraftedRule:
    preview = try_rule(board, body)
    label_id = board.task.label(body.label).id
    judged = [gold[i] == label_id for i in preview.fires_on if i in gold]
    fresh = wilson(sum(right != body.against for right in judged), len(judged))
    return DraftedRule(
        body=body, why=why, preview=preview, fresh=fresh, seen=_seen(body, preview, fresh)
    )


def doubt_about(board: Board, drafted: DraftedRule) -> str:
    """Return what speaks against accepting a draft on its figures; empty if nothing does.

    It must be right clearly more often than its label is, and win clearly more gold examples than
    it loses beside the rules in force.
    """
    accuracy = drafted.preview.score.accuracy
    if not accuracy.n:
        return "How often it is right is not known: nothing it fires on has a blind gold label."
    if accuracy.n < ENOUGH:
        found = "1 blind gold label" if accuracy.n == 1 else f"{accuracy.n} blind gold labels"
        return f"Only {found} to judge it by: too few."
    chance = _chance(board, drafted.body)
    always = percent(chance, digits=0)
    if accuracy.high <= chance:
        return f"It is less often right than saying so of every example would be ({always})."
    if accuracy.low <= chance:
        return f"It may be no better than saying so of every example, right in {always}."
    return _doubt_about_gain(drafted.preview, chance)


def _doubt_about_gain(preview: RulePreview, chance: float) -> str:
    won, lost, misled = len(preview.won), len(preview.lost), len(preview.misled)
    if not won + lost + misled:
        return "It changes nothing on gold: the rules in force say the same, or outvote it."
    changes = f"Beside the rules in force it wins {won:,} and loses {lost:,} gold examples"
    if won <= lost:
        return f"{changes}: they are no better with it."
    if lost and wilson(won, won + lost).low <= _EVEN:
        return f"{changes}: that may be chance."
    if misled and wilson(won, won + lost + misled).low <= chance:
        return (
            f"{changes}, and {misled:,} without a label get a wrong one: what it adds may be no "
            "better than chance."
        )
    return ""


def _chance(board: Board, body: RuleBody) -> float:
    """Return how often a rule that fires on everything would be right."""
    known = board.gold[board.gold != 0]
    share = float((known == board.task.label(body.label).id).mean()) if len(known) else 0.5
    return 1 - share if body.against else share


def accept_draft(
    ws: Workspace,
    task_id: int,
    body: RuleBody,
    *,
    rationale_id: int,
    seen: str,
    by: str,
    board: Board | None = None,
) -> CodedRationale:
    """Store a draft as a rule of its rationale, if its figures of now are those that were seen.

    Raises:
        ConflictError: If they were not shown or have changed since, or the name is taken.
        InputError: If it rests on examples, a prompt or votes that the task does not have.
        NotFoundError: If the task has no such rationale in use.
    """
    find_rationale(ws, task_id, rationale_id)
    board = board or open_board(ws, task_id, open_corpus(ws, task_id))
    check_given(ws.store, board.task, body)
    drafted = measure_draft(ws, board, body)
    if drafted.seen != seen or drafted.preview.unknown:
        raise ConflictError(
            f"The figures of the draft {body.name!r} were not seen, or have changed since.",
            next_step="Look at the draft again, then accept it.",
        )
    with ws.store.transaction():
        if any(rule.body.name == body.name for rule in ws.store.rules.all(task_id)):
            raise ConflictError(
                f"There is a rule {body.name!r} already.", next_step="Give the draft another name."
            )
        return ws.store.rules.save(
            task_id, body, label_id=board.task.label(body.label).id, rationale_id=rationale_id,
            by=by, at=ws.now(),
        )  # fmt: skip


def start_asking(
    ws: Workspace, task_id: int, rationale_id: int, *, consent: bool = False, by: str
) -> int:
    """File the job that asks the default provider's chat model for rules, and return its id.

    Raises:
        InputError: If the default provider is not known to write text.
        ConsentNeededError: If texts would leave the machine and nobody agreed.
        NotFoundError: If the task has no such rationale in use.
    """
    service = ws.provider(ws.default_provider)
    found = ws.read.providers.capabilities(service.name)
    chats = found is not None and any(
        f.feature is Feature.CHAT and f.state is State.YES for f in found.findings
    )
    if service.name == EMBEDDED or not chats:
        raise InputError(
            f"The provider {service.name!r} is not known to write text.",
            next_step="Choose one with a chat model and test it with `studio provider test`.",
        )
    question = question_for(ws, task_id, rationale_id, service.default_model)
    told = _estimate(ws, service, question)
    with ws.store.transaction():
        check_consent(ws, task_id, service, told, what="Asking for rules", consent=consent, by=by)
        job_id = ws.store.jobs.file(
            kind=KIND, subject_id=task_id, total=1, now=ws.clock(),
            params={"provider": service.name, "rationale": rationale_id, "priority": "high"},
        )  # fmt: skip
    ws.wake()
    return job_id


def _estimate(ws: Workspace, service: Provider, question: Question) -> Estimate:
    price = ws.price(service, question.model)
    sent = sum(likely_tokens(message["content"]) for message in question.messages)
    return Estimate(
        examples=len(json.loads(question.messages[-1]["content"])["examples"]), known=None,
        host=service.host, is_local=service.is_local, model=question.model, input_tokens=sent,
        output_tokens=MOST_OUTPUT // 4, price=price,
        cost_usd=price.cost(sent, MOST_OUTPUT // 4) if price else None,
        most_usd=most_cost(price, question),
    )  # fmt: skip


def _ideas(ws: Workspace, board: Board, rationale: Rationale) -> list[Idea]:
    """Return what the rationale, its example and gold of train suggest."""
    task = board.task
    gold = ws.read.labels.gold(task.id, (Split.TRAIN.value,), blind_only=True)
    truth = np.array(
        [gold[i].label_id if i in gold else 0 for i in board.corpus.ids.tolist()], dtype=np.int32
    )
    rows = _sample(truth)
    material = Material(
        [board.corpus.texts[i] for i in rows],
        {
            name: _some(board.corpus.column(name), rows)
            for name in ws.read.examples.columns(task.id)
        },
        truth[rows],
    )
    names = {label.id: label.name for label in task.labels}
    shown = ws.read.examples.some(task.id, [rationale.example_id or 0])
    if not shown or shown[0].split is Split.TEST:  # it may have been moved there since
        return draft_bodies(rationale, names, material)
    return draft_bodies(rationale, names, material, text=shown[0].text, facts=shown[0].metadata)


def _some(cells: Sequence[str | None], rows: Sequence[int]) -> list[str | None]:
    return [cells[i] for i in rows]


def _sample(truth: np.ndarray[tuple[int], np.dtype[np.int32]]) -> list[int]:
    """Return the rows words are picked from: all, or a sample in which gold comes first."""
    if len(truth) <= _SAMPLE:
        return list(range(len(truth)))
    drawn = np.random.default_rng(0).permutation(len(truth))
    first = drawn[np.argsort(truth[drawn] == 0, kind="stable")]
    return sorted(first[:_SAMPLE].tolist())


def _votes(body: RuleBody) -> tuple[str, str, bool]:
    return body.hash, body.label, body.against


def _use(board: Board, drafted: DraftedRule) -> float:
    """Return about how many examples it would put right beyond chance, those left open foremost."""
    base = _chance(board, drafted.body)
    accuracy = drafted.preview.score.accuracy
    right = accuracy.value * accuracy.n if accuracy.n else 0.0
    # Few gold labels pull the precision to what chance would give, or a little above without any.
    likely = (right + _DOUBT * (base + (1 - base) / 4)) / (accuracy.n + _DOUBT)
    new = len(drafted.preview.newly_decided)
    return (likely - base) * (new + drafted.preview.score.fires / 4)


def _named(drafted: DraftedRule, taken: set[str]) -> DraftedRule:
    """Return the draft under a name that no rule and no draft before it has."""
    name = drafted.body.name
    number = 2
    while name in taken:
        name, number = f"{drafted.body.name}-{number}", number + 1
    taken.add(name)
    if name == drafted.body.name:
        return drafted
    body = replace(drafted.body, name=name)
    return replace(drafted, body=body, seen=_seen(body, drafted.preview, drafted.fresh))


def _seen(body: RuleBody, preview: RulePreview, fresh: Figure) -> str:
    score = preview.score
    figures = [
        score.fires, score.overlap, score.conflict, score.accuracy.to_dict(), fresh.to_dict(),
        preview.wrong, preview.conflicting, preview.newly_decided, preview.won, preview.lost,
        preview.misled, preview.looked_at,
    ]  # fmt: skip
    told = json.dumps([rule_to_dict(body), figures], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
