"""What analysts do with votes made elsewhere: import them as rules that only vote."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from studio.domain.coded_rationale import CodedRationale, RuleBody
from studio.domain.conditions import Votes
from studio.domain.task import Task
from studio.errors import InputError
from studio.handlers.given import votes_key
from studio.workspace import Workspace

COLUMNS = ("id", "rule", "vote")
MOST_RULES = 1_000
MOST_NAME = 200
_AT_ONCE = 5_000
# What a voter says of a label: the label's name, and whether it says "not that label".
Said = tuple[str, bool]


@dataclass(slots=True, kw_only=True)
class VotesImport:
    """What became of a file of votes.

    Attributes:
        task: The task's name.
        rules: The rules that vote as the file says.
        votes: Votes stored.
        abstained: Lines with an empty vote.
        silenced: Names of rules that voted for these voters before and do no more.
        rejected: Lines that were left out, with the reason.
    """

    task: str
    rules: list[CodedRationale] = field(default_factory=list)
    votes: int = 0
    abstained: int = 0
    silenced: list[str] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "task": self.task,
            "rules": [rule.body.name for rule in self.rules],
            "votes": self.votes,
            "abstained": self.abstained,
            "silenced": self.silenced,
            "rejected": [{"line": line, "reason": reason} for line, reason in self.rejected],
        }


def import_votes(ws: Workspace, task_id: int, lines: Iterable[str], *, by: str) -> VotesImport:
    """Store votes made elsewhere: for each voter and label a rule that fires where it voted so.

    A vote is a label's name, `not LABEL`, or empty where the voter abstains. Votes of a voter that
    was imported before take the place of the old ones, as a new version of its rules. Lines that
    cannot be used are left out and told; all others are stored together or not at all.

    Args:
        ws: The workspace.
        task_id: The task.
        lines: CSV with the columns id (the example's), rule (the voter's name) and vote.
        by: Who imports.

    Raises:
        InputError: If a column is missing, no line can be used, or there are too many rules.
    """
    task = ws.store.tasks.get(task_id)
    result = VotesImport(task=task.name)
    heard = _read(ws, task, lines, result)
    result.rejected.sort()
    if not heard:
        why = f" Line {result.rejected[0][0]}: {result.rejected[0][1]}" if result.rejected else ""
        raise InputError(
            f"The file has no vote that can be used.{why}",
            next_step="Each line needs an example's id, a voter's name and a label.",
        )
    with ws.store.transaction():
        taken = {rule.body.name: rule for rule in ws.store.rules.all(task_id)}
        for voter, votes in heard.items():
            result.rules += _store(ws, task, voter, votes, taken, by)
        kept = {rule.id for rule in result.rules}
        for rule in taken.values():
            if rule.id not in kept and rule.enabled and _source(rule.body) in heard:
                ws.store.rules.enable(task_id, rule.id, False)
                result.silenced.append(rule.body.name)
    return result


def _read(
    ws: Workspace, task: Task, lines: Iterable[str], result: VotesImport
) -> dict[str, dict[Said, array[int]]]:
    """Return voter to what it says to example ids; eight bytes a vote are held, and no line."""
    heard: dict[str, dict[Said, array[int]]] = {}
    seen: dict[str, bytearray] = defaultdict(bytearray)
    says = {f"not {name}": (name, True) for name in task.label_names}
    says |= {name: (name, False) for name in task.label_names}
    rows = _rows(lines, result)
    while block := list(islice(rows, _AT_ONCE)):
        ids = ws.store.examples.by_external_id(task.id, [row[1] for row in block])
        for line, external_id, voter, vote in block:
            example = ids.get(external_id)
            if example is None:
                result.rejected.append((line, f"There is no example {external_id!r}."))
            elif not 0 < len(voter) <= MOST_NAME:
                result.rejected.append((line, f"A voter's name has 1 to {MOST_NAME} characters."))
            elif vote and vote not in says:
                result.rejected.append((line, f"There is no label {vote!r}."))
            elif not _first_time(seen[voter], example):
                result.rejected.append((line, f"{voter!r} votes twice on {external_id!r}."))
            else:
                votes = heard.setdefault(voter, {})
                if vote:
                    votes.setdefault(says[vote], array("q")).append(example)
                    result.votes += 1
                else:
                    result.abstained += 1
    if sum(len(votes) for votes in heard.values()) > MOST_RULES:
        raise InputError(
            f"The votes would make more than {MOST_RULES:,} rules.",
            next_step="The column `rule` names who voted, not each single vote.",
        )
    return heard


def _rows(lines: Iterable[str], result: VotesImport) -> Iterator[tuple[int, str, str, str]]:
    """Yield line number, id, voter and vote of each line that has them."""
    reader = csv.reader(line.replace("\0", "") for line in lines)
    try:
        names = [name.strip().lstrip("\ufeff").casefold() for name in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in names]:
            raise InputError(
                f"The file has no column {missing[0]!r}.",
                next_step=f"Its first line must name {', '.join(COLUMNS)}.",
            )
        places = [names.index(name) for name in COLUMNS]
        for row in reader:
            if len(row) > max(places):
                external_id, voter, vote = (row[place].strip() for place in places)
                yield reader.line_num, external_id, voter, vote
            elif row:
                result.rejected.append((reader.line_num, "The line has too few columns."))
    except csv.Error as error:
        raise InputError(
            f"Line {reader.line_num} is not CSV: {error}.", next_step="Mend it and import again."
        ) from None


def _first_time(seen: bytearray, example: int) -> bool:
    """Mark an example, one bit each, and return whether it was not marked yet."""
    place, bit = example >> 3, 1 << (example & 7)
    if place >= len(seen):
        seen.extend(bytes(place + 1 - len(seen)))
    if seen[place] & bit:
        return False
    seen[place] |= bit
    return True


def _store(
    ws: Workspace,
    task: Task,
    voter: str,
    votes: dict[Said, array[int]],
    taken: dict[str, CodedRationale],
    by: str,
) -> list[CodedRationale]:
    """Store one voter's votes and the rules that speak for it."""
    rules = []
    for said, examples in sorted(votes.items()):
        label, against = said
        ids = np.sort(np.frombuffer(examples, dtype=np.int64))
        head = json.dumps([voter, label, against]).encode()
        digest = hashlib.sha256(head + ids.astype("<i8").tobytes()).hexdigest()[:16]
        truths = np.ones(len(ids), dtype=np.bool_)
        ws.store.firings.save(task.id, votes_key(digest), ids, truths)
        name = _name(voter, said, taken, is_only=len(votes) == 1)
        condition = Votes(source=voter, digest=digest)
        body = RuleBody(name=name, label=label, against=against, any=(condition,))
        rule = ws.store.rules.save(
            task.id, body, label_id=task.label(label).id, rationale_id=None, by=by, at=ws.now()
        )
        taken[name] = rule
        rules.append(rule)
    return rules


def _source(body: RuleBody) -> str | None:
    """Return whose votes a rule stands for; None for a rule that says anything else."""
    match body.conditions:
        case (Votes(source, _),):
            return source
    return None


def _name(voter: str, said: Said, taken: dict[str, CodedRationale], *, is_only: bool) -> str:
    """Return the name of a voter's rule: the one it has, else the voter's, else a free one."""
    for name, rule in taken.items():
        if _source(rule.body) == voter and (rule.body.label, rule.body.against) == said:
            return name
    label, against = said
    words = voter if is_only else f"{voter} {'not ' if against else ''}{label}"
    slug = re.sub(r"[^a-z0-9_]+", "-", words.casefold()).strip("-_")[:56] or "voter"
    name, number = slug, 1
    while name in taken:
        number += 1
        name = f"{slug}-{number}"
    return name
