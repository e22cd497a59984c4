"""Pieces of prompt files that other tools wrote: messages, labels, variables."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.domain.plain_values import text_of
from studio.domain.prompt import ANSWER_LINE, FewShot
from studio.domain.variables import TEXT, unusable_in, unusable_words, variable

TEXTS = (
    TEXT, "input", "message", "query", "question", "content", "comment", "review", "email",
    "document", "body", "sentence", "utterance", "ticket", "tweet", "post", "prompt",
)  # fmt: skip
"""What a field that holds the text is usually called, the likelier first."""
LABELS = (
    "label", "expected", "ideal", "correct_label", "ground_truth", "expected_output", "answer",
    "output", "completion", "target", "category", "class",
)  # fmt: skip
# Both stay linear whatever a file holds: no two neighbouring parts of them match the same.
_VARIABLE = re.compile(r"\{\{-?([^{}|\n]{1,120})(?:\|[^{}\n]{0,200})?\}\}")
_LOGIC = re.compile(r"\{%[^{}]{0,2000}%\}|\{#[^{}]{0,2000}#\}")
_NAME = re.compile(r"[\w.\- ]{1,100}")
_PREFIX = re.compile(r"^(?:item|sample|vars|inputs?)\.")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: who speaks, and the words."""

    role: str
    text: str


def read_messages(told: Any) -> list[Message]:
    """Return the messages in a list; empty where it is none.

    >>> read_messages([{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}])
    [Message(role='user', text='hi')]
    """
    if not isinstance(told, Sequence) or isinstance(told, str):
        return []
    found = []
    for one in told:
        if not isinstance(one, Mapping) or not isinstance(one.get("role"), str):
            return []
        found.append(Message(one["role"], _content(one.get("content"))))
    return found


def _content(told: Any) -> str:
    """Return the words of a message: a text, a part that holds one, or a list of such parts."""
    parts = told if isinstance(told, list) else [told]
    said = (part.get(TEXT) if isinstance(part, Mapping) else part for part in parts)
    return "\n".join(one for one in said if isinstance(one, str) and one)


def label_in(told: Any, names: Sequence[str]) -> str | None:
    """Return the label that an answer names; None where it names none.

    >>> label_in('{"label": "Not keto"}', ["keto", "not_keto"]), label_in(" KETO. ", ["keto"])
    ('not_keto', 'keto')
    """
    if isinstance(told, Sequence) and not isinstance(told, str):
        told = told[0] if len(told) == 1 else None
    if isinstance(told, str) and told in names:
        return told
    if isinstance(told, str) and told.lstrip().startswith("{"):
        told = parsed(told)
    if isinstance(told, Mapping):
        told = told.get("label", next(iter(told.values())) if len(told) == 1 else None)
    if isinstance(told, bool):
        told = json.dumps(told)
    if not isinstance(told, str | int):
        return None
    return str(told) if str(told) in names else _alike(tuple(names)).get(_plain(str(told)))


@functools.lru_cache(maxsize=4)
def _alike(names: tuple[str, ...]) -> dict[str, str]:
    return {_plain(name): name for name in reversed(names)}


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.\"'`]+", " ", name).strip().casefold()


def parsed(text: str) -> Any:
    r"""Return the value of a JSON text; None where it is none.

    >>> parsed('["\\ud83d\\ude00", "half \\ud83d"]')
    ['😀', 'half ?']
    """
    try:
        value = json.loads(text)
        if "\\u" in text:  # JSON can spell half a character, which no file and no service takes
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value


def pair_in(fields: Mapping[str, Any], names: Sequence[str]) -> FewShot | str:
    """Return the labeled text that some fields hold, or why there is none.

    >>> pair_in({"question": "ham and eggs", "expected": "KETO"}, ["keto"])
    FewShot(text='ham and eggs', label='keto', example_id=None, values={})
    >>> pair_in({"text": "ham", "label": "meat"}, ["keto"])
    "'meat' is none of the labels keto"
    """
    named = [key for key in LABELS if key in fields]
    named += [k for k in fields if k not in named and label_in(fields[k], names) is not None]
    if not named:
        return "no field of it holds a label"
    label = next((k for k in named if label_in(fields[k], names) is not None), None)
    if label is None:
        return unknown(fields[named[0]], names)
    said = {k: v for k, v in fields.items() if k != label and isinstance(v, str)}
    text = text_field(said)
    if text is None or not said[text].strip():
        return "no field of it holds a text"
    values = {k: v for k, v in said.items() if k != text}
    return FewShot(text=said[text], label=label_in(fields[label], names) or "", values=values)


def unknown(told: Any, names: Sequence[str]) -> str:
    """Return the sentence for a label that is none."""
    if told is None:
        return "its label is left empty"
    return f"{(as_text(told) or str(told))[:60]!r} is none of the labels {', '.join(names)}"


def text_field(fields: Mapping[str, str]) -> str | None:
    """Return the field that holds the text: by its name, else the longest."""
    named = next((key for key in TEXTS if key in fields), None)
    return named or max(fields, key=lambda key: len(fields[key]), default=None)


def as_text(told: Any) -> str | None:
    """Return a value as the text it is sent as; None of a list or mapping.

    >>> as_text(None), as_text(True), as_text(12), as_text(["a"])
    ('', 'true', '12', None)
    """
    return None if isinstance(told, Mapping | list) else text_of(told, "")


def user_text(said: str) -> tuple[str, dict[str, str]]:
    """Return the text of a user turn, and other values told with it, as the studio sends them.

    >>> user_text('{"text": "tea", "brand": "Acme"}'), user_text("tea")
    (('tea', {'brand': 'Acme'}), ('tea', {}))
    """
    told = parsed(said) if said.lstrip().startswith("{") else None
    if isinstance(told, dict) and isinstance(told.get(TEXT), str):
        rest = {k: v for k, v in told.items() if k != TEXT and isinstance(v, str)}
        return told[TEXT], rest
    return said, {}


def variables_in(text: str) -> list[str]:
    """Return the variables of a template, in order, each once.

    >>> variables_in("{{ item.text }} by {{brand | upper}}")
    ['text', 'brand']
    """
    names = (_name(told) for told in _VARIABLE.findall(text))
    return list(dict.fromkeys(name for name in names if name))


def _name(told: str) -> str:
    """Return the variable between two pairs of braces; empty where there is none."""
    name = told.strip().removesuffix("-").rstrip()
    return _PREFIX.sub("", name) if _NAME.fullmatch(name) else ""


def as_ours(text: str, text_variable: str | None, columns: Sequence[str]) -> tuple[str, list[str]]:
    """Return a template with our variables, and sentences on what it had and has no more.

    >>> as_ours("Mind {{ brand | upper }} of {{msg}}, {{tone}}.", "msg", ["brand"])[0]
    'Mind {{brand}} of {{text}}, tone.'
    """
    lost = []
    plain = _LOGIC.sub("", text)
    if plain != text:
        lost.append("{% … %} was left out: the studio fills in columns only")

    lost += [unusable_words(column) for column, *_ in unusable_in(plain, columns)]

    def ours(found: re.Match[str]) -> str:
        name = _name(found[1])
        if not name:  # a call, a block: as a variable no example would have it
            lost.append(f"{found[0][:60]} is no column of the examples; it was left out")
            return ""
        if name == text_variable:
            return variable(TEXT)
        if name in columns or name == TEXT:
            return variable(name)
        lost.append(
            f"{variable(name)} is no column of the examples; it stands there as a plain word"
        )
        return name

    return _VARIABLE.sub(ours, plain), lost


def is_bare(text: str) -> bool:
    """Return whether a text is a variable and nothing else, as the turn that carries the text.

    >>> is_bare(" {{text}} "), is_bare('{"text": "{{text}}"}'), is_bare("Classify {{text}}")
    (True, True, False)
    """
    rest = _VARIABLE.sub(lambda m: "" if _name(m[1]) else m[0], user_text(text)[0])
    return not rest.strip(" \n\"'`<>") and bool(text.strip())


def split_system(
    system: str, names: Sequence[str]
) -> tuple[str, dict[str, str], list[tuple[str, str]]]:
    r"""Return instructions, definitions and rationales of a system message the studio rendered.

    >>> split_system(
    ...     "Keto?\n\nLabels:\n- keto: meat\n- no\n\nAnswer with one label.", ["keto", "no"]
    ... )
    ('Keto?', {'keto': 'meat'}, [])
    """
    if not system.rstrip().endswith(ANSWER_LINE):
        return system.strip(), {}, []
    kept: list[str] = []
    definitions: dict[str, str] = {}
    reasons: list[tuple[str, str]] = []
    for block in system.strip().removesuffix(ANSWER_LINE).split("\n\n"):
        head, _, rest = block.partition("\n")
        lines = [line.removeprefix("- ").partition(": ") for line in rest.splitlines()]
        if head == "Labels:" and all(name in names for name, _, _ in lines):
            definitions = {name: told for name, _, told in lines if told}
        elif head == "Reasons:" and all(name in names for name, _, _ in lines):
            reasons = [(name, told) for name, _, told in lines if told]
        elif block.strip():
            kept.append(block)
    return "\n\n".join(kept).strip(), definitions, reasons
