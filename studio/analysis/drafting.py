"""Rules drafted from an expert's reason: its highlighted words, its sentence, and what gold shows.

Words are picked on gold of train only, so that validation gold can tell what a draft is worth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from studio.analysis.facts_drafting import fact_ideas
from studio.analysis.ideas import Idea, slug
from studio.analysis.lexicon import Lexicon
from studio.analysis.sentence import Reading, is_content, is_telling, read_sentence
from studio.domain.coded_rationale import RuleBody
from studio.domain.conditions import Condition, Fuzzy, Keywords
from studio.domain.example import normalise
from studio.domain.rationale import Rationale

_MOST_WORDS = 12
_NEAR_WORDS = 8
_COMMON = 0.5
"""A word that stands in more of the texts tells nothing, of enough of them to say so."""
_ENOUGH = 20
_CLEAR_Z = 1.64
_NEAREST = 200
_EXCEPTIONS = 6
_JUDGED = 3
"""With less gold a word has the benefit of the doubt."""


@dataclass(frozen=True, eq=False)
class Material:
    """What rules are drafted from.

    Attributes:
        texts: Of examples that may be looked at, all or a sample.
        columns: Metadata column to its values, one a text, None where it has none.
        gold: Label id of each text by gold of train, 0 where there is none.
        lexicon: The words of the texts.
    """

    texts: Sequence[str]
    columns: Mapping[str, Sequence[str | None]]
    gold: NDArray[np.int32]
    lexicon: Lexicon = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lexicon", Lexicon(self.texts))


def draft_bodies(
    rationale: Rationale,
    label_names: Mapping[int, str],
    material: Material,
    *,
    text: str = "",
    facts: Mapping[str, str] | None = None,
) -> list[Idea]:
    """Return rules that might code a rationale, each with where it comes from; always the same.

    Args:
        rationale: What the expert said.
        label_names: Label id to name, of all labels.
        material: What it is drafted from.
        text: Of the example it was written about; empty without one.
        facts: The metadata of that example.
    """
    return _Drafter(rationale, label_names, material, text, facts or {}).ideas()


class _Drafter:
    def __init__(
        self, rationale: Rationale, label_names: Mapping[int, str], material: Material, text: str,
        facts: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.rationale, self.material, self.text, self.facts = rationale, material, text, facts
        self.label = label_names[rationale.label_id]
        self.words = material.lexicon
        self.yes = material.gold == rationale.label_id
        self.no = (material.gold != 0) & ~self.yes
        judged = int((material.gold != 0).sum())
        self.base = int(self.yes.sum()) / judged if judged else 0.5
        names = {w for name in label_names.values() for w in normalise(name).split()}
        read = read_sentence(rationale.text)
        self.read: Reading = replace(
            read, said=tuple(w for w in read.said if w not in names),
            denied=tuple(w for w in read.denied if w not in names),
        )  # fmt: skip

    def ideas(self) -> list[Idea]:
        found = [
            self._highlighted(),
            self._sentence(),
            self._near(),
            *self._denied(),
            self._fuzzy(),
        ]
        facts = fact_ideas(
            self.label, self.rationale.text, self.read.limits, self.facts,
            self.material.columns, self.yes, self.no,
        )  # fmt: skip
        return [idea for idea in (*found, *facts) if idea is not None]

    def _highlighted(self) -> Idea | None:
        parts = [part for e in self.rationale.evidence for part in re.split(r"[,;/]", e.words)]
        marked = [normalise(part) for part in parts]
        words = self._used([w for phrase in marked if phrase for w in self._endings(phrase)])
        said = ", ".join(f"“{e.words}”" for e in self.rationale.evidence[:3])
        return self._keywords(words, f"the highlighted words {said}")

    def _sentence(self) -> Idea | None:
        """Draft from what the sentence says, as far as examples use it and gold does not object."""
        used = [w for w in self.read.said if self.words.forms(w)]
        common = [w for w in used if self._is_common(w)]
        weak = [w for w in used if w not in common and self._speaks_against(w)]
        kept = [w for w in used if w not in common and w not in weak]
        words = [form for word in kept for form in self._endings(word)]
        why = "the words of the sentence that the examples use"
        if common or weak:
            dropped = ", ".join([*common, *weak][:5])
            why += f" (left out: {dropped}, too frequent or no better than chance on train gold)"
        return self._keywords(words[:_MOST_WORDS], why)

    def _near(self) -> Idea | None:
        """Draft from words that gold of the label has more, among examples near the rationale."""
        near = self._nearest()
        inside, outside = (near[truths[near]] for truths in (self.yes, self.no))
        if not len(inside) or not len(outside):
            return None
        odds = [
            w for w in self.words.odds(inside.tolist(), outside.tolist())
            if w.z >= _CLEAR_Z and w.inside >= 2 and not self._is_common(w.word)
            and w.inside / (w.inside + w.outside) > self.base and w.word not in self.read.denied
        ]  # fmt: skip
        words = [form for w in odds[:_NEAR_WORDS] for form in self._endings(w.word)]
        why = (
            f"words that {len(inside)} train examples near it with gold {self.label} have more "
            f"often than {len(outside)} of other labels"
        )
        return self._keywords(words, why)

    def _denied(self) -> list[Idea | None]:
        """Draft from what the sentence denies: its words speak against, "no X" speaks for."""
        used = [w for w in self.read.denied if self.words.forms(w)]
        if not used:
            return []
        forms = [form for w in used for form in self.words.forms(w)]
        absent = [p for w in forms for p in (f"no {w}", f"without {w}", f"{w} free")]
        stated = self._used([*absent, *(f"{w}less" for w in forms)])
        named = ", ".join(used)
        against = self._keywords(
            [f for w in used for f in self._endings(w)],
            f"the sentence denies {named}: where it stands, the label does not hold",
            against=True,
            excepted=stated,
        )
        why = f"the sentence denies {named}, and so do these words"
        return [against, self._keywords(stated, why)]

    def _fuzzy(self) -> Idea | None:
        """Draft from long words that some examples spell otherwise."""
        marked = [w for e in self.rationale.evidence for w in normalise(e.words).split()]
        words = [w for w in dict.fromkeys([*marked, *self.read.said]) if is_content(w)]
        words = [w for w in words if self.words.forms(w) and not self._speaks_against(w)]
        other = {w: self.words.misspelt(w) for w in words}
        found = tuple(w for w in words if other[w])
        if not found:
            return None
        shown = ", ".join(w for word in found for w in other[word][:3])
        body = self._body((Fuzzy(words=found),), f"{found[0]}-spelt")
        return Idea(body, f"{', '.join(found)} also spelt otherwise in the examples: {shown}")

    def _keywords(
        self, words: Sequence[str], why: str, *, against: bool = False, excepted: Sequence[str] = ()
    ) -> Idea | None:
        if not words:
            return None
        words = tuple(dict.fromkeys(words))
        right, wrong = (self.no, self.yes) if against else (self.yes, self.no)
        shown = self._exceptions(words, right, wrong)
        told = self._told_exceptions(words)
        outside = tuple(dict.fromkeys([*excepted, *told, *shown]))
        if shown:
            why += f"; outside “{'”, “'.join(shown[:3])}”, where train gold shows it wrong"
        return Idea(self._body((Keywords(words, outside),), *words[:2], against=against), why)

    def _body(self, any_: tuple[Condition, ...], *words: str, against: bool = False) -> RuleBody:
        name = slug("no" if against else "", *words)
        return RuleBody(name=name, label=self.label, against=against, any=any_)

    def _endings(self, phrase: str) -> list[str]:
        """Return a word or phrase with the other forms of its last word that the examples use.

        `noodle*` where no other word begins so; the forms themselves where one does.
        """
        *head, last = phrase.split()
        forms = list(dict.fromkeys([last, *self.words.forms(last)])) if is_content(last) else [last]
        short = min(forms, key=len)
        if len(forms) > 1 and len(short) >= 4:
            begun = {word for word in self.words.counts if word.startswith(short)}
            forms = [f"{short}*"] if begun == set(forms) else forms
        return [" ".join([*head, form]) for form in forms]

    def _used(self, phrases: Sequence[str]) -> list[str]:
        found = " ".join(self.words.padded)
        return [p for p in dict.fromkeys(phrases) if f" {p.rstrip('*')}" in found]

    def _is_common(self, word: str) -> bool:
        n = len(self.material.texts)
        return n >= _ENOUGH and len(self.words.where(*self.words.forms(word))) > _COMMON * n

    def _speaks_against(self, word: str) -> bool:
        """Return whether train gold shows a word no better than chance."""
        where = self.words.where(*(self.words.forms(word) or (word,)))
        right, wrong = int(self.yes[where].sum()), int(self.no[where].sum())
        return right + wrong >= _JUDGED and right <= self.base * (right + wrong)

    def _nearest(self) -> NDArray[np.int64]:
        """Return the gold texts of train nearest to the rationale and its example, by TF-IDF."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        gold = np.flatnonzero(self.material.gold)
        if len(gold) <= _NEAREST:
            return gold
        reader = TfidfVectorizer(
            tokenizer=str.split, token_pattern=None, stop_words="english", sublinear_tf=True
        )
        texts = reader.fit_transform([self.words.padded[i] for i in gold])
        marked = " ".join(e.words for e in self.rationale.evidence)
        about = reader.transform([normalise(f"{self.rationale.text} {marked} {self.text}")])
        near = np.asarray((texts @ about.T).todense())[:, 0]
        return np.sort(gold[np.argsort(-near, kind="stable")[:_NEAREST]])

    def _exceptions(
        self, words: Sequence[str], right: NDArray[np.bool_], wrong: NDArray[np.bool_]
    ) -> list[str]:
        """Return words with a neighbour that stand in wrong examples and hardly in right ones."""
        heads = {w for w in words if " " not in w and not w.endswith("*")}
        begun = tuple(w[:-1] for w in words if " " not in w and w.endswith("*"))
        counted: tuple[Counter[str], Counter[str]] = Counter(), Counter()
        for side, truths in zip(counted, (wrong, right), strict=True):
            for i in np.flatnonzero(truths).tolist():
                said = self.words.padded[i].split()
                side.update(
                    {
                        f"{first} {second}"
                        for first, second in pairwise(said)
                        if {first, second} & heads
                        or first.startswith(begun)
                        or second.startswith(begun)
                    }
                )
        bad = [
            (n, pair) for pair, n in counted[0].items()
            if n >= 2 and n >= 4 * counted[1][pair] and all(map(is_telling, pair.split()))
        ]  # fmt: skip
        return [pair for _, pair in sorted(bad, key=lambda b: (-b[0], b[1]))[:_EXCEPTIONS]]

    def _told_exceptions(self, words: Sequence[str]) -> list[str]:
        """Return the phrases the sentence itself excepts that have one of the words in them."""
        heads = {w.rstrip("*") for w in words}
        return [p for p in self.read.excepted if heads & set(p.split()) and p not in heads]
