"""Prompts that other tools wrote: what can be read of a file, and what cannot, with the place.

Known are our own YAML, promptfoo configs, OpenAI chat JSON (stored prompts, eval definitions and
their items), fine-tune JSONL of both forms, OpenAI Evals samples, and plain text.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from studio.analysis.plain_yaml import load_words
from studio.analysis.prompt_file_pieces import (
    Message,
    as_ours,
    as_text,
    is_bare,
    label_in,
    pair_in,
    parsed,
    read_messages,
    split_system,
    text_field,
    unknown,
    user_text,
    variables_in,
)
from studio.analysis.prompt_file_rest import (
    LABEL_CHECKS,
    Rest,
    listed,
    rest_of,
    rest_of_conversations,
    rest_of_criteria,
    rest_of_prompt,
    rest_of_tests,
)
from studio.domain.prompt import FewShot, PromptText
from studio.errors import InputError

MOST_SHOWN = 12
"""Of more labeled texts so many become few-shots; the others can be imported as examples."""
MOST_CHARACTERS = 50_000_000
_OURS = ("instructions", "definitions", "reasons", "few_shots", "policy", "frozen")
_FORMS = (
    "Use a promptfoo config, OpenAI chat JSON or JSONL, YAML with instructions and definitions, or "
    "plain text."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Something of a file that could not be used: where it stands, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """What was read of a file.

    Attributes:
        kind: What it is, as people call it.
        prompts: Pairs of a name, which may be empty, and a prompt.
        examples: Labeled texts, also those that became few-shots.
        unread: What could not be used.
    """

    kind: str
    prompts: tuple[tuple[str, PromptText], ...]
    examples: tuple[FewShot, ...] = ()
    unread: tuple[Unread, ...] = ()


def read_prompt_file(
    text: str, filename: str, label_names: Sequence[str], columns: Sequence[str] = ()
) -> PromptFile:
    """Return the prompts and labeled texts of a file.

    Args:
        text: What stands in it.
        filename: Its name; its ending tells plain text from the rest.
        label_names: The task's labels: what names another one is told as unread.
        columns: The columns of the task's examples, which may stand as variables.

    Raises:
        InputError: If nothing can be read of it.

    >>> read = read_prompt_file('{"prompt": "ham", "completion": " keto"}', "a.jsonl", ["keto"])
    >>> read.kind, read.examples[0].text
    ('prompt/completion JSONL', 'ham')
    """
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{filename} has {len(text):,} characters, too many for a prompt.",
            next_step="Import its examples with `studio import`, and the prompt by itself.",
        )
    try:
        found = _Reader(tuple(label_names), tuple(columns)).read(text.lstrip("\ufeff"), filename)
    except RecursionError:
        raise InputError(f"{filename} is nested too deep for a prompt.", next_step=_FORMS) from None
    if not any(body != PromptText(instructions="") for _, body in found.prompts):
        said = f" {found.unread[0].where}: {found.unread[0].reason}." if found.unread else ""
        raise InputError(f"No prompt was found in {filename}.{said}", next_step=_FORMS)
    return found


@dataclass(slots=True)
class _Reader:
    names: tuple[str, ...]
    columns: tuple[str, ...]
    unread: list[Unread] = field(default_factory=list)

    def read(self, text: str, filename: str) -> PromptFile:
        if rows := _json_lines(text, filename):
            return self._rows(rows)
        is_plain = PurePath(filename).suffix.lower() in (".txt", ".md")
        data = parsed(text) if text.lstrip()[:1] in ("{", "[") else None
        if data is None and not is_plain:
            data = load_words(text, what=filename)
        if isinstance(data, Mapping | list):
            return self._data(data)
        return self._done("plain text", [("", PromptText(instructions=text.strip()))], [])

    def _data(self, data: Any) -> PromptFile:
        if isinstance(data, Mapping):
            if "prompts" in data or "tests" in data:
                return self._promptfoo(data)
            if set(data) & set(_OURS) and not set(data) & {"input", "messages"}:
                return self._ours(data)
        conversations, items = _found(data)
        rows = [("item", item) for item in items]
        if not conversations and not items and isinstance(data, list):
            rows = [("row", row) for row in data]
        numbered = [(f"{what} {i}", row) for i, (what, row) in enumerate(rows, 1)]
        examples = [shot for where, row in numbered if (shot := self._pair(where, row))]
        body, shots = self._conversation(conversations[0], "message") if conversations else (
            PromptText(instructions=""), [])  # fmt: skip
        if isinstance(data, Mapping) and isinstance(data.get("instructions"), str):
            both = [data["instructions"], body.instructions]
            body = replace(body, instructions="\n\n".join(one for one in both if one))
        body = replace(body, few_shots=tuple(_some([*shots, *examples])))
        self._rest(rest_of_conversations(len(conversations)))
        name = ""
        if isinstance(data, Mapping):
            name = as_text(data.get("name")) or ""
            self._rest_of_openai(data)
        return self._done("OpenAI chat JSON", [(name, body)], [*shots, *examples])

    def _rest_of_openai(self, data: Mapping[str, Any]) -> None:
        def holds(told: Any) -> bool:
            return any(_found(told))

        criteria = data.get("testing_criteria")
        self._rest(rest_of_criteria(criteria, holds))
        read = ("instructions", "testing_criteria")
        self._rest(rest_of(data, lambda key: key in read or holds(data.get(key))))

    def _ours(self, data: Mapping[str, Any]) -> PromptFile:
        kept = {key: data[key] for key in _OURS if data.get(key)}
        body = PromptText.from_dict(kept)
        body = replace(
            body,
            definitions={n: t for n, t in body.definitions.items() if self._knows("definition", n)},
            reasons=tuple(pair for pair in body.reasons if self._knows("rationale", pair[0])),
            # An example of another workspace has another number here.
            few_shots=tuple(
                replace(shot, example_id=None)
                for shot in body.few_shots
                if self._knows("few-shot", shot.label)
            ),
        )
        self._rest(rest_of(data, (*_OURS, "note").__contains__))
        return self._done("YAML", [(as_text(data.get("name")) or "", body)], list(body.few_shots))

    def _knows(self, what: str, label: str) -> bool:
        if label not in self.names:
            self._lost(f"{what} of {label[:60]}", unknown(label, self.names))
        return label in self.names

    def _promptfoo(self, data: Mapping[str, Any]) -> PromptFile:
        tests = [one for one in listed(data.get("tests")) if isinstance(one, Mapping)]
        lost = [one for one in listed(data.get("tests")) if not isinstance(one, Mapping)]
        for one in lost:
            self._lost("tests", f"{str(one)[:80]} is another file; import its examples by itself")
        told = [(str(n), one) for n, one in enumerate(listed(data.get("prompts")), 1)]
        templates = [one for n, prompt in told if (one := self._template(f"prompt {n}", prompt))]
        asked = {name for _, text in templates for name in variables_in(text)}
        variables = [one["vars"] for one in tests if isinstance(one.get("vars"), Mapping)]
        said = {str(k): as_text(v) or "" for k, v in (variables[0] if variables else {}).items()}
        text_variable = text_field({k: v for k, v in said.items() if k in asked} or dict.fromkeys(
            sorted(asked), ""))  # fmt: skip
        pairs = [
            (one, shot) for n, one in enumerate(tests, 1)
            if (shot := self._test(f"test {n}", one, text_variable))
        ]  # fmt: skip
        examples = [shot for _, shot in pairs]
        self._rest([*rest_of_tests([one for one, _ in pairs]),
                    *rest_of(data, ("prompts", "tests").__contains__)])  # fmt: skip
        prompts = [
            (name, self._from_template(f"prompt {n}", text, text_variable, examples))
            for n, (name, text) in enumerate(templates, 1)
        ]
        return self._done("promptfoo config", prompts, examples)

    def _template(self, where: str, prompt: Any) -> tuple[str, str] | None:
        """Return name and words of one prompt of promptfoo."""
        name, text = "", prompt
        if isinstance(prompt, Mapping):
            self._rest((where, why) for why in [rest_of_prompt(prompt)] if why)
            name, text = as_text(prompt.get("label")) or "", prompt.get("raw") or prompt.get("id")
        if not isinstance(text, str) or not text.strip():
            self._lost(where, "it has no text")
            return None
        if text.startswith(("file://", "exec:", "python:")) or (
            "\n" not in text and PurePath(text).suffix in (".txt", ".json", ".md", ".py", ".js")
        ):
            self._lost(where, f"{text[:80]} is another file; import that one")
            return None
        return name, text

    def _from_template(
        self, where: str, text: str, text_variable: str | None, examples: list[FewShot]
    ) -> PromptText:
        messages = read_messages(parsed(text))
        body, shots = self._conversation(
            messages or [Message("system", text)], where, text_variable
        )
        return replace(body, few_shots=tuple(shots or _some(examples)))

    def _test(
        self, where: str, test: Mapping[str, Any], text_variable: str | None
    ) -> FewShot | None:
        said = test.get("vars")
        checks = [one for one in listed(test.get("assert")) if isinstance(one, Mapping)]
        wanted = [
            one.get("value") for one in checks
            if one.get("type") in LABEL_CHECKS
        ]  # fmt: skip
        fields = {str(k): v for k, v in said.items()} if isinstance(said, Mapping) else {}
        if not wanted:
            return self._pair(where, fields, "it asserts no label by equals or contains")
        text = fields.get(text_variable or "")
        if not isinstance(text, str) or not text.strip() or text.startswith("file://"):
            self._lost(where, "it holds no text")
            return None
        label = next((x for one in wanted if (x := label_in(one, self.names))), None)
        if label is None:
            self._lost(where, unknown(wanted[0], self.names))
            return None
        values = {k: as_text(v) for k, v in fields.items() if k != text_variable}
        for name in (k for k, v in values.items() if v is None):
            self._lost(where, f"{name[:60]} holds no text; it was left out")
        told = {k: v for k, v in values.items() if v is not None}
        return FewShot(text=text, label=label, values=told)

    def _rows(self, rows: list[tuple[str, Any]]) -> PromptFile:
        """Read lines that are an example each; the first system message is the prompt."""
        kind, body, examples = "", PromptText(instructions=""), []
        for where, row in rows:
            if not isinstance(row, Mapping):
                self._lost(where, "it is no JSON object")
                continue
            told = row.get("messages") or row.get("input")
            messages = read_messages(told)
            if messages and "ideal" in row:
                kind = kind or "OpenAI Evals samples"
                if label := label_in(row["ideal"], self.names):
                    messages.append(Message("assistant", label))
                else:
                    self._lost(where, unknown(row["ideal"], self.names))
            if messages:
                kind = kind or "fine-tune JSONL"
                one, shots = self._conversation(messages, where)
                body = body if body.instructions or body.definitions else one
                examples += shots
            elif shot := self._pair(where, row.get("item", row)):
                kind = kind or ("prompt/completion JSONL" if "completion" in row else "JSONL")
                examples.append(shot)
        body = replace(body, few_shots=tuple(_some(examples)))
        return self._done(kind or "JSONL", [("", body)], examples)

    def _conversation(
        self, messages: Sequence[Message], where: str, text_variable: str | None = None
    ) -> tuple[PromptText, list[FewShot]]:
        """Return what a conversation tells first, and the labeled texts in it."""
        told, shots = [], []
        for one, then in itertools.zip_longest(messages, messages[1:]):
            answered = then is not None and then.role in ("assistant", "model")
            if one.role in ("system", "developer"):
                told.append(one.text)
            elif one.role == "user" and answered:
                text, values = user_text(one.text)
                if label := label_in(then.text, self.names):
                    shots.append(FewShot(text=text, label=label, values=values))
                else:
                    self._lost(where, unknown(then.text, self.names))
            elif one.role == "user" and variables_in(one.text) and not is_bare(one.text):
                told.append(one.text)
        names = [
            name for text in [*told, *(m.text for m in messages)] for name in variables_in(text)
        ]
        known = text_variable or text_field(dict.fromkeys(names, ""))
        said, lost = as_ours("\n\n".join(told), known, self.columns)
        for reason in dict.fromkeys(lost):
            self._lost(where, reason)
        instructions, definitions, reasons = split_system(said, self.names)
        return PromptText(
            instructions=instructions, definitions=definitions, reasons=tuple(reasons)
        ), shots

    def _pair(self, where: str, row: Any, otherwise: str = "") -> FewShot | None:
        found = pair_in(row, self.names) if isinstance(row, Mapping) else "it holds no fields"
        if isinstance(found, FewShot):
            return found
        self._lost(where, otherwise or found)
        return None

    def _lost(self, where: str, reason: str) -> None:
        self.unread.append(Unread(where=where, reason=reason))

    def _rest(self, told: Iterable[Rest]) -> None:
        for where, reason in told:
            self._lost(where, reason)

    def _done(
        self, kind: str, prompts: list[tuple[str, PromptText]], examples: list[FewShot]
    ) -> PromptFile:
        unread = tuple(dict.fromkeys(self.unread))
        return PromptFile(
            kind=kind, prompts=tuple(prompts), examples=tuple(examples), unread=unread
        )


def _json_lines(text: str, filename: str) -> list[tuple[str, Any]]:
    """Return the lines of JSONL with their places; none where it is something else."""
    lines = [(f"line {n}", one) for n, one in enumerate(text.split("\n"), 1) if one.strip()]
    named = PurePath(filename).suffix.lower() in (".jsonl", ".ndjson")
    if not named and (len(lines) < 2 or not all(isinstance(parsed(x), dict) for _, x in lines[:2])):
        return []
    return [(where, parsed(line)) for where, line in lines]


def _found(data: Any) -> tuple[list[list[Message]], list[Any]]:
    """Return the conversations and the items anywhere in a file, in its order."""
    conversations, items = [], []
    waiting = deque([data])
    while waiting:
        one = waiting.popleft()
        if messages := read_messages(one):
            conversations.append(messages)
        elif isinstance(one, Mapping):
            items += [one["item"]] if isinstance(one.get("item"), Mapping) else []
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return conversations, items


def _some(examples: Sequence[FewShot]) -> Iterator[FewShot]:
    """Yield some labeled texts to show, a label after the other."""
    turns: dict[str, deque[FewShot]] = defaultdict(deque)
    for shot in {(one.text, one.label): one for one in examples}.values():
        turns[shot.label].append(shot)
    taken = (turn.popleft() for _ in range(MOST_SHOWN) for turn in turns.values() if turn)
    yield from itertools.islice(taken, MOST_SHOWN)
