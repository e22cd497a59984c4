"""The report stands alone, escapes what people wrote, and is complete."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from studio.analysis.economics import Spent, arms
from studio.analysis.intervals import UNDEFINED, wilson
from studio.analysis.metrics import evaluate
from studio.analysis.report_html import render_report
from studio.domain.report import Report, Verdict, decide
from studio.domain.task import Criterion

from .builders import labels, said

HOSTILE = "<script>alert('x')</script>\"&' onload=http://evil"


def a_report(name: str = "keto", metric: str = "accuracy", size: int = 3, **changes) -> Report:
    some = labels(*(f"{name} {i}" for i in range(size)))
    gold = {i: 1 + i % size for i in range(90)}
    told = said({i: label if i % 7 else None for i, label in gold.items()})
    evaluation = evaluate(1, "test", some, gold, told)
    criterion = Criterion(metric=metric, threshold=0.85)
    figure = evaluation.metric(metric)
    values = {
        "task": name,
        "question": f"Is it {name}?",
        "criterion": criterion,
        "decision": decide(criterion, figure, 120),
        "classifier": f"{name} v2",
        "figure": figure,
        "evaluation": evaluation,
        "cost_usd": 0.043,
        "minutes": 42.0,
        "arms": arms(Spent(minutes=42, service_usd=0.043), None, 800),
        "missing": (f"Blind gold of {name}.",),
        "test_looks": 3,
        "worst": ((f"course = {name}", wilson(9, 20)),),
        "created_at": "2026-11-22T10:11:12+00:00",
        "facts": {"examples": 1200, name: name},
    }
    return Report(**(values | changes))


class Reader(HTMLParser):
    """Collects tags with attributes, and checks that they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("size", [3, 40])
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_hostile_words_are_shown_and_never_run(size, metric):
    reader = read(render_report(a_report(HOSTILE, metric, size), title=HOSTILE))
    tags = {tag for tag, _ in reader.seen}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "a", "object", "base", "form"})
    for _, attributes in reader.seen:
        assert not any(name.startswith("on") or name in {"src", "href"} for name in attributes)
    assert HOSTILE in reader.text


def test_nothing_is_fetched():
    html = render_report(a_report(), title="Keto")
    assert "http" not in html
    assert not re.search(r"url\(|@import|src=|href=", html)


def test_a_stakeholder_finds_verdict_figure_money_and_method():
    report = a_report()
    text = read(render_report(report, title="Keto report")).text
    for words in (
        "… Not yet",
        report.decision.reason,
        "About 120 further blind labels",
        "criterion 0.85",
        "always the majority 0.333",
        "Accuracy 0.856 (0.768 to 0.914, n=90)",
        "$0.043",
        "42 min",
        "course = keto",
        "(none)",
        "nothing of it measured here",
        "Blind gold of keto.",
        "looked at 3 times",
        "Wilson",
    ):
        assert words in text


def test_the_baseline_of_macro_f1_is_its_own():
    text = read(render_report(a_report(metric="macro_f1"), title="x")).text
    assert f"always the majority {2 / 4 / 3:.3f}" in text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_empty_task_has_a_report(verdict):
    decision = decide(None, None, None)
    report = Report(
        task="t",
        question="",
        criterion=None,
        decision=type(decision)(verdict=verdict, reason="Nothing yet."),
        classifier="",
        figure=UNDEFINED,
        evaluation=evaluate(1, "test", labels("a", "b"), {}, []),
        cost_usd=None,
        minutes=0.0,
    )
    reader = read(render_report(report, title="t"))
    assert "Money spentunknown" in reader.text
    assert "svg" not in {tag for tag, _ in reader.seen}
    assert "nan" not in reader.text
    assert math.isnan(report.figure.value)
