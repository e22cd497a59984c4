"""The docs say what the code says."""

import re
from enum import StrEnum

import pytest

from scripts import pages

ROOT = pages.ROOT


@pytest.mark.parametrize("page", pages.pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_generated_parts_are_fresh(page):
    text = page.read_text(encoding="utf-8")
    assert pages.fill(text, pages.PARTS) == text, "run `make docs`"


def test_every_generated_part_stands_on_a_page():
    everything = "".join(page.read_text(encoding="utf-8") for page in pages.pages())
    for name in pages.PARTS | pages.MEASURED:
        assert f"<!-- made by make docs: {name} -->" in everything


def test_links_lead_somewhere():
    assert list(pages.broken_links()) == []


def test_every_domain_class_is_in_the_glossary():
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    missing = [k.__name__ for k in pages.domain_classes() if f"`{k.__name__}`" not in glossary]
    assert missing == [], "run `make docs`"


def test_every_fixed_value_is_explained_in_the_glossary():
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    values = glossary.split("## Words with a fixed set of values")[1].split("## In the code")[0]
    enums = [kind for kind in pages.domain_classes() if issubclass(kind, StrEnum)]
    assert len(enums) >= 5
    named = [v for kind in enums for v in kind if v.value]
    assert [repr(v) for v in named if f"`{v.value}`" not in values] == []


def test_every_error_code_is_documented_and_unique():
    table = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = [kind.code for kind in pages.error_classes()]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if f"| `{code}` |" not in table] == []


def test_every_setting_is_documented():
    from studio.config import SETTINGS

    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [s.env for s in SETTINGS if f"`{s.env}`" not in table] == []


def test_commands_of_the_docs_exist_in_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for name in ("README.md", "CONTRIBUTING.md", "docs/install.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        used = set(re.findall(r"(?:^ +|`)make ([a-z-]+)", text, re.M))
        assert used - set(targets) == set(), name
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"run", "test", "demo"} <= set(re.findall(r"^ +make ([a-z]+)", readme, re.M))


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in folder.glob("*.md") if f"({p.name})" not in index] == [
        "README.md",
    ]


def test_commands_of_the_readme_exist():
    known = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"`studio ([a-z]+)", text))
    assert len(used) >= 8
    assert {name for name in used if not re.search(rf"^## `studio {name}\b", known, re.M)} == set()
