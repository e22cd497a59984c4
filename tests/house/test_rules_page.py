"""Every example of docs/rules.md does what the page says."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from studio.analysis.votes import apply_rules
from studio.domain.coded_rationale import CodedRationale, describe, parse_rule, rule_to_dict
from studio.domain.conditions import GIVEN, Condition
from studio.domain.example import Example, Split

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def rules_of(block):
    bodies = [parse_rule(data) for data in yaml.safe_load(block)["rules"]]
    return [
        CodedRationale(id=i + 1, label_id=1, body=body, position=i) for i, body in enumerate(bodies)
    ]


def example_of(line):
    text, _, metadata = line.partition(" with ")
    if "=" not in metadata:
        text, metadata = line, ""
    pairs = dict(pair.split("=") for pair in metadata.split(", ") if pair)
    return Example(id=1, external_id="1", text=text, split=Split.TRAIN, metadata=pairs)


def test_the_page_shows_every_condition():
    shown = {type(c) for b in BLOCKS for r in rules_of(b) for c in r.body.conditions}
    assert shown == set(get_args(Condition))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: re.search(r"name: (\S+)", b)[1])
def test_examples_read_write_and_fire_as_told(block):
    rules = rules_of(block)
    for rule in rules:
        assert parse_rule(rule_to_dict(rule.body)) == rule.body
        assert describe(rule.body)
    told = re.findall(r"^# (fires|silent) on: (.+)$", block, re.M)
    assert {kind for kind, _ in told} == {"fires", "silent"}
    for kind, line in told:
        text, where, holds = line.partition(", where it ")
        given = {
            c: np.array([holds == "holds"])
            for rule in rules
            for c in rule.body.conditions
            if isinstance(c, GIVEN)
        }
        assert bool(where) == bool(given)
        matrix = apply_rules(rules, [example_of(text)], given)
        assert bool(matrix.labels.any()) == (kind == "fires"), line
