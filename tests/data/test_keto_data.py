"""The worked example in data/keto: rebuilt, counted and checked against its source."""

import csv
import importlib.util
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
KETO = ROOT / "data" / "keto"


def _load_build():
    spec = importlib.util.spec_from_file_location("keto_build", KETO / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["keto_build"] = module
    spec.loader.exec_module(module)
    return module


build = _load_build()


@pytest.fixture(scope="module")
def ingredients():
    return build.read_ingredients()


@pytest.fixture(scope="module")
def dishes(ingredients):
    return build.read_dishes(ingredients)


@pytest.fixture(scope="module")
def examples():
    with (KETO / "examples.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rationales():
    return yaml.safe_load((KETO / "rationales.yaml").read_text("utf-8"))["rationales"]


@pytest.fixture(scope="module")
def rules():
    return yaml.safe_load((KETO / "rules.yaml").read_text("utf-8"))


# --- the example file -------------------------------------------------------------------------


def test_examples_file_rebuilds_identically():
    assert build.main(["--check"]) == 0


def test_check_fails_when_the_file_differs(tmp_path, monkeypatch, capsys):
    stale = (KETO / "examples.csv").read_text("utf-8").replace("keto", "maybe", 1)
    (tmp_path / "examples.csv").write_text(stale, encoding="utf-8")
    monkeypatch.setattr(build, "HERE", tmp_path)
    assert build.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().err


def test_there_is_enough_to_measure_on(examples, ingredients):
    assert len(examples) >= 500
    assert len(ingredients) >= 250
    assert sum(row["split"] != "test" for row in examples) >= 400
    for split in build.SPLIT_SHARES:
        held = {row["label"] for row in examples if row["split"] == split}
        assert held == set(build.LABELS)


def test_keto_share_is_near_balanced_in_each_split(examples):
    for split in build.SPLIT_SHARES:
        held = [row["label"] == "keto" for row in examples if row["split"] == split]
        assert 0.42 <= sum(held) / len(held) <= 0.48


def test_no_family_spans_splits(examples):
    splits = {}
    for row in examples:
        splits.setdefault(row["family"], set()).add(row["split"])
    assert [family for family, held in splits.items() if len(held) > 1] == []


def test_no_two_dishes_share_a_text_a_description_or_an_id(examples, dishes):
    for values in (
        [build.normalise(row["text"]) for row in examples],
        [build.normalise(dish.description) for dish in dishes],
        [row["id"] for row in examples],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_label_follows_net_carbohydrate(examples):
    for row in examples:
        net = float(row["net_carbs_g"])
        assert row["label"] == ("keto" if net <= 5 else "not_keto")
        assert row["borderline"] == ("yes" if abs(net - 5) <= 1 else "no")


def test_portions_are_positive_and_a_dish_weighs_what_a_plate_weighs(dishes):
    wrong = [
        (dish.name, dish.weight_g)
        for dish in dishes
        if not 50 <= dish.weight_g <= 1500 or min(grams for _, grams in dish.portions) <= 0
    ]
    assert wrong == []


def test_texts_never_state_the_answer_as_a_number(examples):
    telling = re.compile(r"\bnet carb|\bcarbs?\b.*\d|\d.*\bcarbs?\b|\b\d+ ?g\b|\bgrams\b", re.I)
    assert [row["text"] for row in examples if telling.search(row["text"])] == []
    hints = [row for row in examples if re.search(r"\b(keto|low.carb)\b", row["text"], re.I)]
    assert len(hints) <= 0.02 * len(examples)


def test_adding_a_dish_moves_only_later_families(dishes):
    before = build.assign_splits(dishes)
    families = sorted(before, key=build._digest)
    last = families[-1]
    after = build.assign_splits([dish for dish in dishes if dish.family != last])
    assert all(after[family] == before[family] for family in families[:-1])


# --- what a broken source says ----------------------------------------------------------------

INGREDIENTS = "name,group,carbohydrate_g,fibre_g,ndb_no\negg,egg,0.72,0,1123\nwater,liquid,0,0,\n"
HEADER = "name,description,family,cuisine,course,ingredients\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("Eggs,Boiled,eggs,british,snack,emu egg:60\n", r"mine.csv:2: .*'emu egg' is not in"),
        ("Eggs,,eggs,british,snack,egg:60\n", r"mine.csv:2: description is empty"),
        ("Eggs,Boiled,eggs,british,snack,egg:many\n", r"mine.csv:2: .*must read 'name:grams'"),
        ("Eggs,Boiled,eggs,british,snack,egg:0\n", r"mine.csv:2: .*more than 0 g"),
        ("Eggs,Boiled,Two Eggs,british,snack,egg:60\n", r"mine.csv:2: .*must be a slug"),
        ("Tea,Hot,tea,british,drink,water:200\n", r"mine.csv:2: .*besides liquids"),
        ("Eggs,Boiled,eggs,british,snack\n", r"mine.csv:2: .*must have 6 fields"),
        (
            "Eggs,Boiled,eggs,british,snack,egg:60\nEGGS!,Fried,eggs,british,snack,egg:60\n",
            r"mine.csv:3: .*already in mine.csv:2",
        ),
    ],
)
def test_a_broken_dish_list_is_named_by_file_and_line(tmp_path, lines, message):
    (tmp_path / "ingredients.csv").write_text(INGREDIENTS, encoding="utf-8")
    folder = tmp_path / "dishes"
    folder.mkdir()
    (folder / "mine.csv").write_text(HEADER + lines, encoding="utf-8")
    table = build.read_ingredients(tmp_path / "ingredients.csv")
    with pytest.raises(build.DataError, match=message):
        build.read_dishes(table, folder)


def test_an_impossible_ingredient_is_refused(tmp_path):
    path = tmp_path / "ingredients.csv"
    path.write_text(INGREDIENTS + "wood,nut,10,90,\n", encoding="utf-8")
    with pytest.raises(build.DataError, match=r"ingredients.csv:4: 'wood' must have"):
        build.read_ingredients(path)


# --- how the descriptions are written ---------------------------------------------------------

# A pattern keeps these words and the punctuation, and turns every run of other words into X.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about above after all along among an and any are as at before below beneath beside between
        but by each either every for from had has have her his if in into is it its just more most
        my no none nor not of off on once one only onto or other our out over per rather so some
        still such than that the their them then there these they this those through till to too two
        under until up upon was we were what when where which while who with without you your
        """,
    )
)


def pattern(description):
    marks = re.findall(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]", description.lower())
    parts = []
    for mark in marks:
        part = mark if mark in FUNCTION_WORDS or not mark[0].isalnum() else "X"
        if part != "X" or parts[-1:] != ["X"]:
            parts.append(part)
    return " ".join(parts)


def opening(description):
    return " ".join(build.normalise(description).split()[:2])


@pytest.mark.parametrize("shape", [pattern, opening])
def test_no_sentence_shape_exceeds_two_percent(dishes, shape, record_property):
    counts = Counter(shape(dish.description) for dish in dishes)
    worst, count = counts.most_common(1)[0]
    share = count / len(dishes)
    record_property(f"worst {shape.__name__}", f"{worst!r}: {share:.1%}")
    print(f"worst {shape.__name__}: {worst!r} in {count} of {len(dishes)} ({share:.2%})")
    assert share <= 0.02


# --- rationales, rules, prompts ---------------------------------------------------------------


def test_rationales_point_at_words_of_their_examples(rationales, dishes, examples):
    text_of = {dish.name: dish.text for dish in dishes}
    label_of = {row["text"]: row["label"] for row in examples}
    split_of = {row["text"]: row["split"] for row in examples}
    assert len(rationales) >= 12
    assert len({rationale["id"] for rationale in rationales}) == len(rationales)
    for rationale in rationales:
        assert set(rationale) == {"id", "label", "text", "examples"}
        assert rationale["label"] in build.LABELS
        assert rationale["examples"]
        for said_about in rationale["examples"]:
            text = text_of[said_about["dish"]]
            assert label_of[text] == rationale["label"], said_about
            assert split_of[text] != "test", said_about
            assert said_about["evidence"]
            assert all(words in text for words in said_about["evidence"]), said_about


CONDITION_KEYS = {
    "keywords": {"words", "except"},
    "length": {"unit", "min", "max"},
    "number": {"min", "max"},
    "column": {"name", "in"},
}


def _check_condition(condition):
    assert len(condition) == 1, condition
    kind, value = next(iter(condition.items()))
    if kind == "phrase":
        assert isinstance(value, str)
    elif kind == "regex":
        re.compile(value)
        assert not re.search(r"\(\?[=!<]|\\[1-9]", value), "RE2 has no look-around or references"
    elif kind == "keywords" and isinstance(value, list):
        value = {"words": value}
    if kind in CONDITION_KEYS:
        assert set(value) <= CONDITION_KEYS[kind], condition
        words = [*value.get("words", []), *value.get("except", [])]
        assert all(isinstance(word, str) and word.strip() for word in words), condition
        assert len(words) == len(set(words)), condition
    else:
        assert kind in {"phrase", "regex"}, condition


def test_rules_keep_to_their_schema(rules, rationales):
    label_of = {rationale["id"]: rationale["label"] for rationale in rationales}
    assert set(rules) == {"fallback", "rules"}
    assert rules["fallback"] in build.LABELS
    names = [rule["name"] for rule in rules["rules"]]
    assert len(names) == len(set(names))
    allowed = {"name", "rationale", "label", "decisive", "scope", "all", "any", "none"}
    for rule in rules["rules"]:
        assert set(rule) <= allowed, rule["name"]
        assert build.SLUG.fullmatch(rule["name"])
        assert label_of[rule["rationale"]] == rule["label"], rule["name"]
        assert rule.get("scope", "text") in {"text", *build.EXAMPLE_COLUMNS}
        assert rule.get("all") or rule.get("any"), rule["name"]
        for condition in (c for key in ("all", "any", "none") for c in rule.get(key, [])):
            _check_condition(condition)
    assert {rule["rationale"] for rule in rules["rules"]} == set(label_of)


def test_prompts_are_two_and_refer_to_known_rationales(rationales):
    prompts = yaml.safe_load((KETO / "prompts.yaml").read_text("utf-8"))
    known = {rationale["id"] for rationale in rationales}
    assert [prompt["name"] for prompt in prompts] == ["first", "better"]
    for prompt in prompts:
        assert set(prompt) == {"name", "note", "instructions", "definitions", "rationales"}
        assert set(prompt["definitions"]) == set(build.LABELS)
        assert prompt["rationales"] == "all" or set(prompt["rationales"]) <= known


def test_readme_carries_the_balance_that_build_prints(examples):
    assert build.summary(examples) in (KETO / "README.md").read_text("utf-8")


# --- against the source -----------------------------------------------------------------------

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared"))
SR28 = SHARED / "datasets" / "usda_sr28_foods" / "foods.csv"

# Rows of SR28 that the shared copy leaves out; their figures could not be compared here.
NOT_IN_COPY = 15


@pytest.mark.skipif(
    not SR28.exists(), reason=f"no USDA SR28 table at {SR28}; set STUDIO_SHARED to its folder"
)
def test_ingredients_agree_with_sr28(ingredients):
    with SR28.open(newline="", encoding="utf-8") as file:
        source = {row["ndb_no"]: row for row in csv.DictReader(file)}
    named = [ingredient for ingredient in ingredients.values() if ingredient.ndb_no]
    missing = sorted({i.ndb_no for i in named if i.ndb_no not in source})
    assert len(missing) <= NOT_IN_COPY, missing
    assert len(named) >= 0.85 * len(ingredients)
    far = []
    for ingredient in named:
        row = source.get(ingredient.ndb_no)
        if row is None:
            continue
        for mine, theirs in (
            (ingredient.carbohydrate_g, float(row["carbohydrate_g"])),
            (ingredient.fibre_g, float(row["fiber_g"] or 0)),
        ):
            if abs(mine - theirs) > max(1.5, 0.15 * theirs):
                far.append((ingredient.name, mine, theirs))
    assert far == []
