"""Lines for a prompt drawn from people's own work: rationales, guidelines, corrections, errors.

Always the same for the same work; words come from examples of train only, so that validation can
still tell what a line is worth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.analysis.advice_reading import content, listed
from studio.analysis.lexicon import Lexicon
from studio.domain.advice import Advice, Place, Rewrite, Section, Severity
from studio.domain.amounts import count
from studio.domain.guideline import Guideline
from studio.domain.prompt import PromptText
from studio.domain.rationale import Rationale

FEWEST = 3
"""So many examples of a mistake make a line worth suggesting."""
_CLEAR_Z = 1.64
_MOST_WORDS = 6
_MOST_OF_A_KIND = 3
_SPEAKS = 0.75
_Kind = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """An example of train that a classifier and the expert see otherwise.

    Attributes:
        text: The example's.
        gold: The expert's label.
        said: The classifier's label.
        corrected: Whether a person decided with the classifier's label in sight.
        slices: Names of the slices it is in, e.g. "course = dessert".
    """

    text: str
    gold: str
    said: str
    corrected: bool = False
    slices: tuple[str, ...] = ()


def label_cues(
    labels: Mapping[int, str], rationales: Sequence[Rationale], texts: Sequence[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """Return label name to words that speak for it, those of the expert first.

    Args:
        labels: Label id to name.
        rationales: The reasons in use; the words they point at count.
        texts: Pairs of a text of train and its gold label's name.
    """
    marked: dict[str, Counter[str]] = defaultdict(Counter)
    for rationale in rationales:
        if rationale.label_id in labels:
            words = {" ".join(e.words.casefold().split()) for e in rationale.evidence}
            marked[labels[rationale.label_id]].update(w for w in words if len(w.split()) <= 3)
    lexicon = Lexicon([text for text, _ in texts])
    cues = {}
    for name in labels.values():
        inside = [i for i, (_, gold) in enumerate(texts) if gold == name]
        outside = [i for i, (_, gold) in enumerate(texts) if gold != name]
        clear = _clear(lexicon, inside, outside)
        best = [w for w, _ in sorted(marked[name].items(), key=lambda pair: (-pair[1], pair[0]))]
        elsewhere = {w for other, words in marked.items() if other != name for w in words}
        kept = [w for w in dict.fromkeys([*best, *clear]) if w not in elsewhere]
        if kept:
            cues[name] = tuple(kept[: 2 * _MOST_WORDS])
    return cues


def suggest_lines(
    body: PromptText,
    labels: Mapping[int, str],
    *,
    rationales: Sequence[Rationale] = (),
    guidelines: Sequence[Guideline] = (),
    mistakes: Sequence[Mistake] = (),
    texts: Sequence[tuple[str, str]] = (),
    reads: str = "",
) -> list[Advice]:
    """Return lines that the expert's work suggests and the prompt does not say yet.

    Args:
        body: The prompt.
        labels: Label id to name.
        rationales: The reasons in use.
        guidelines: The guideline notes in use.
        mistakes: Where the latest run and gold of train differ.
        texts: Pairs of a text of train and its gold label's name; words are weighed against all.
        reads: "encoder" where the embedded reader reads it: a line must not name the other label,
            for it would move towards that one.
    """
    found = [
        *_untold(body, labels, guidelines, "guideline"),
        *_untold(body, labels, rationales, "rationale"),
        *_contrasts(body, mistakes, texts, reads),
        *_slices(body, mistakes, texts, reads),
    ]
    return list({(idea.place.label, _after(idea)): idea for idea in reversed(found)}.values())[::-1]


def _after(idea: Advice) -> str:
    return idea.rewrite.after if idea.rewrite else ""


def _untold(
    body: PromptText,
    labels: Mapping[int, str],
    said: Sequence[Rationale | Guideline],
    kind: str,
) -> list[Advice]:
    """Suggest the newest of each label that says what the prompt does not."""
    whose = {
        "guideline": "wrote this down when people differed",
        "rationale": "gave this reason",
    }[kind]
    told = _told(body)
    found: Counter[str] = Counter()
    ideas = []
    for one in sorted(said, key=lambda r: -r.id):
        name, text = labels.get(one.label_id or 0), " ".join(one.text.split())
        if name is None or found[name] >= 1 or (name, text) in body.reasons:
            continue
        new = content(text) - told.get(name, frozenset())
        if len(new) < 2 or 2 * len(new) < len(content(text)):
            continue
        found[name] += 1
        ideas.append(
            _idea(
                kind, name, text, f"A {kind} of {name} is not told to the model",
                f"{one.author} {whose}; the prompt does not say it yet.",
            )
        )  # fmt: skip
    return ideas


def _contrasts(
    body: PromptText, mistakes: Sequence[Mistake], texts: Sequence[tuple[str, str]], reads: str
) -> list[Advice]:
    """Suggest for each frequent mix-up the words that tell the two labels apart."""
    pairs = Counter((m.gold, m.said) for m in mistakes)
    ideas = []
    for (gold, said), n in sorted(pairs.items(), key=lambda p: (-p[1], p[0]))[:_MOST_OF_A_KIND]:
        mixed = [m for m in mistakes if (m.gold, m.said) == (gold, said)]
        words = _against(mixed, texts, body, (gold, said))
        if n < FEWEST or not words:
            continue
        people = sum(m.corrected for m in mixed)
        told = f"{count(people, 'correction')} among them" if people else "by gold"
        ideas.append(
            _idea(
                "contrast", gold, _line(words, gold, said, reads),
                f"{gold} is taken for {said} in {count(n, 'example')} of train",
                f"Of these examples ({told}) more say {listed(words, 'and')} than those that are "
                f"{said}.",
            )
        )  # fmt: skip
    return ideas


def _slices(
    body: PromptText, mistakes: Sequence[Mistake], texts: Sequence[tuple[str, str]], reads: str
) -> list[Advice]:
    """Suggest a line for the slice in which most mistakes of one kind lie."""
    groups: dict[tuple[str, str, str], list[Mistake]] = defaultdict(list)
    for mistake in mistakes:
        for name in mistake.slices:
            groups[name, mistake.gold, mistake.said].append(mistake)
    ideas: list[Advice] = []
    ordered = sorted(groups.items(), key=lambda g: (-len(g[1]), g[0]))
    for (name, gold, said), mixed in ordered:
        words = _against(mixed, texts, body, (gold, said))
        if len(mixed) < FEWEST or not words or len(ideas) == 1:
            continue
        ideas.append(
            _idea(
                "slice", gold, _line(words, gold, said, reads),
                f"Where {name}, {gold} is taken for {said} in {count(len(mixed), 'example')}",
                f"These examples say {listed(words, 'and')} more than those that are {said}.",
            )
        )  # fmt: skip
    return ideas


def _line(words: list[str], gold: str, said: str, reads: str) -> str:
    named = f"Says {listed(words, most=_MOST_WORDS)}"
    return f"{named}." if reads == "encoder" else f"{named}: {gold} rather than {said}."


def _against(
    mixed: Sequence[Mistake], texts: Sequence[tuple[str, str]], body: PromptText, kind: _Kind
) -> list[str]:
    """Return words the mixed-up texts have more than texts of the other label, not told yet.

    They must speak for the label in all of train too: the topic of a slice alone does not.
    """
    gold, said = kind
    others = [text for text, name in texts if name == said]
    lexicon = Lexicon([*(m.text for m in mixed), *others])
    words = _clear(lexicon, list(range(len(mixed))), list(range(len(mixed), len(lexicon.padded))))
    of_gold = Lexicon([text for text, name in texts if name == gold]).counts
    of_said = Lexicon(others).counts
    told = _told(body).get(gold, frozenset())
    return [
        w
        for w in words
        if not content(w) <= told and of_gold[w] >= _SPEAKS * (of_gold[w] + of_said[w])
    ][:_MOST_WORDS]


def _clear(lexicon: Lexicon, inside: list[int], outside: list[int]) -> list[str]:
    if not inside or not outside:
        return []
    odds = lexicon.odds(inside, outside)
    return [w.word for w in odds if w.z >= _CLEAR_Z and w.inside >= 2][: 2 * _MOST_WORDS]


def _told(body: PromptText) -> dict[str, frozenset[str]]:
    told = {name: content(text) for name, text in body.definitions.items()}
    for name, text in body.reasons:
        told[name] = told.get(name, frozenset()) | content(text)
    return told


def _idea(code: str, label: str, line: str, title: str, why: str) -> Advice:
    place = Place(section=Section.REASONS, label=label)
    return Advice(
        code=code, severity=Severity.IDEA, place=place, title=title, why=why,
        suggestion=f"Tell the model as a rationale of {label}.",
        rewrite=Rewrite(place=place, before="", after=line),
    )  # fmt: skip
