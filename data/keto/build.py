"""Build the keto example file from the ingredient table and the dish lists.

    python data/keto/build.py            write examples.csv and print its balance
    python data/keto/build.py --check    exit 1 if examples.csv differs from what would be written

A dish is labelled by what is in it, not by what its text says: net carbohydrate
(carbohydrate less fibre) per 100 g of the dish, keto at 5 g or less.
"""

# ruff: noqa: T201 (a script talks to its terminal)

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

KETO_MAX_NET_G = 5.0
BORDERLINE_WITHIN_G = 1.0
LABELS = ("keto", "not_keto")
SPLIT_SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}

INGREDIENT_COLUMNS = ("name", "group", "carbohydrate_g", "fibre_g", "ndb_no")
DISH_COLUMNS = ("name", "description", "family", "cuisine", "course", "ingredients")
EXAMPLE_COLUMNS = (
    "id",
    "text",
    "label",
    "split",
    "cuisine",
    "course",
    "main_ingredient",
    "borderline",
    "family",
    "net_carbs_g",
)

# Poured, not eaten: these never name a dish's main ingredient.
LIQUID_GROUP = "liquid"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class DataError(ValueError):
    """A source file says something that cannot be built; the message names file and line."""


@dataclass(frozen=True)
class Ingredient:
    """One line of ingredients.csv, per 100 g."""

    name: str
    group: str
    carbohydrate_g: float
    fibre_g: float
    ndb_no: str

    @property
    def net_g(self) -> float:
        """Net carbohydrate per 100 g."""
        return self.carbohydrate_g - self.fibre_g


@dataclass(frozen=True)
class Dish:
    """One line of a dish list, with its ingredients looked up."""

    name: str
    description: str
    family: str
    cuisine: str
    course: str
    portions: tuple[tuple[Ingredient, float], ...]

    @property
    def id(self) -> str:
        """Depends on the name alone, so it survives a reordering of the sources."""
        return f"dish-{_digest(normalise(self.name))[:6]}"

    @property
    def text(self) -> str:
        """What a diner reads."""
        return f"{self.name}. {self.description}"

    @property
    def weight_g(self) -> float:
        """The weight of the whole dish."""
        return sum(grams for _, grams in self.portions)

    @property
    def net_carbs_g(self) -> float:
        """Net carbohydrate per 100 g of the dish."""
        net = sum(ingredient.net_g * grams for ingredient, grams in self.portions)
        return round(net / self.weight_g, 2)

    @property
    def label(self) -> str:
        """What the figures say, whatever the menu says."""
        return "keto" if self.net_carbs_g <= KETO_MAX_NET_G else "not_keto"

    @property
    def borderline(self) -> bool:
        """Whether a slightly larger garnish could turn the label."""
        return abs(self.net_carbs_g - KETO_MAX_NET_G) <= BORDERLINE_WITHIN_G

    @property
    def main_ingredient(self) -> str:
        """The ingredient group with the most grams, liquids left out."""
        grams_of: dict[str, float] = defaultdict(float)
        for ingredient, grams in self.portions:
            if ingredient.group != LIQUID_GROUP:
                grams_of[ingredient.group] += grams
        return min(grams_of, key=lambda group: (-grams_of[group], group))


def normalise(text: str) -> str:
    """Fold case, accents' encoding, punctuation and spacing, so that near-copies meet."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(path: Path, columns: Sequence[str]) -> Iterable[tuple[str, dict[str, str]]]:
    """Yield (where, row) of a CSV file, where being its name and line for messages."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            raise DataError(f"{path.name}:1: the columns must be {','.join(columns)}.")
        for row in reader:
            where = f"{path.name}:{reader.line_num}"
            if None in row or None in row.values():
                raise DataError(f"{where}: the line must have {len(columns)} fields.")
            yield where, {column: value.strip() for column, value in row.items()}


def read_ingredients(path: Path = HERE / "ingredients.csv") -> dict[str, Ingredient]:
    """Read and check the ingredient table."""
    ingredients: dict[str, Ingredient] = {}
    for where, row in _rows(path, INGREDIENT_COLUMNS):
        name = row["name"]
        if not name or not row["group"]:
            raise DataError(f"{where}: an ingredient needs a name and a group.")
        if name in ingredients:
            raise DataError(f"{where}: the ingredient {name!r} is listed twice.")
        try:
            carbohydrate, fibre = float(row["carbohydrate_g"]), float(row["fibre_g"])
        except ValueError:
            raise DataError(f"{where}: carbohydrate_g and fibre_g must be numbers.") from None
        if not 0 <= fibre <= carbohydrate <= 100:
            raise DataError(f"{where}: {name!r} must have 0 <= fibre <= carbohydrate <= 100.")
        ingredients[name] = Ingredient(name, row["group"], carbohydrate, fibre, row["ndb_no"])
    return ingredients


def _portions(
    where: str, cell: str, ingredients: dict[str, Ingredient]
) -> tuple[tuple[Ingredient, float], ...]:
    portions = []
    for part in cell.split(";"):
        name, _, amount = part.strip().rpartition(":")
        if name not in ingredients:
            raise DataError(f"{where}: the ingredient {name!r} is not in ingredients.csv.")
        try:
            grams = float(amount)
        except ValueError:
            raise DataError(f"{where}: {part.strip()!r} must read 'name:grams'.") from None
        if grams <= 0:
            raise DataError(f"{where}: {name!r} must weigh more than 0 g.")
        portions.append((ingredients[name], grams))
    if all(ingredient.group == LIQUID_GROUP for ingredient, _ in portions):
        raise DataError(f"{where}: a dish needs something besides liquids.")
    return tuple(portions)


def read_dishes(ingredients: dict[str, Ingredient], folder: Path = HERE / "dishes") -> list[Dish]:
    """Read every dish list, in order of file name and line."""
    dishes: list[Dish] = []
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.csv")):
        for where, row in _rows(path, DISH_COLUMNS):
            for column, value in row.items():
                if not value:
                    raise DataError(f"{where}: {column} is empty.")
            if not SLUG.fullmatch(row["family"]):
                raise DataError(f"{where}: the family {row['family']!r} must be a slug.")
            name = normalise(row["name"])
            if name in seen:
                raise DataError(f"{where}: the dish {row['name']!r} is already in {seen[name]}.")
            seen[name] = where
            portions = _portions(where, row.pop("ingredients"), ingredients)
            dishes.append(Dish(**row, portions=portions))
    ids = [dish.id for dish in dishes]
    if len(set(ids)) != len(ids):
        raise DataError("Two dish names share an id; lengthen the digest in Dish.id.")
    return dishes


def assign_splits(dishes: Iterable[Dish]) -> dict[str, str]:
    """Give each family one split.

    Families come in the order of a hash of their name, each going to the split that
    leaves the counts per split and label nearest to their shares of what has been dealt.
    So a family's split depends only on those before it: adding dishes can move
    later families, never earlier ones.
    """
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(LABELS, 0))
    for dish in dishes:
        counts[dish.family][dish.label] += 1

    dealt = {split: dict.fromkeys(LABELS, 0) for split in SPLIT_SHARES}
    split_of: dict[str, str] = {}

    def error_if_given_to(chosen: str, family: str) -> float:
        error = 0.0
        for label in LABELS:
            added = counts[family][label]
            total = added + sum(held[label] for held in dealt.values())
            for split, share in SPLIT_SHARES.items():
                held = dealt[split][label] + (added if split == chosen else 0)
                error += (held - share * total) ** 2 / share
        return error

    for family in sorted(counts, key=_digest):
        best = min(SPLIT_SHARES, key=lambda split: error_if_given_to(split, family))
        split_of[family] = best
        for label in LABELS:
            dealt[best][label] += counts[family][label]
    return split_of


def examples(dishes: Sequence[Dish]) -> list[dict[str, str]]:
    """The rows of examples.csv, in the order of the dishes."""
    split_of = assign_splits(dishes)
    return [
        {
            "id": dish.id,
            "text": dish.text,
            "label": dish.label,
            "split": split_of[dish.family],
            "cuisine": dish.cuisine,
            "course": dish.course,
            "main_ingredient": dish.main_ingredient,
            "borderline": "yes" if dish.borderline else "no",
            "family": dish.family,
            "net_carbs_g": f"{dish.net_carbs_g:.2f}",
        }
        for dish in dishes
    ]


def as_csv(rows: Iterable[dict[str, str]]) -> str:
    """The text of examples.csv."""
    out = io.StringIO()
    writer = csv.DictWriter(out, EXAMPLE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def summary(rows: Sequence[dict[str, str]]) -> str:
    """The balance per split as a Markdown table; the README carries it."""
    lines = [
        "| split | examples | families | keto | share keto | borderline | always-majority |",
        "|---|---|---|---|---|---|---|",
    ]
    for split in (*SPLIT_SHARES, "all"):
        held = [row for row in rows if split in (row["split"], "all")]
        keto = sum(row["label"] == "keto" for row in held)
        families = len({row["family"] for row in held})
        borderline = sum(row["borderline"] == "yes" for row in held)
        majority = max(keto, len(held) - keto)
        lines.append(
            f"| {split} | {len(held)} | {families} | {keto} | {keto / len(held):.1%}"
            f" | {borderline} | {majority / len(held):.1%} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, or check that nothing needs building; the exit status says which."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="exit 1 if examples.csv differs")
    check = parser.parse_args(arguments).check
    target = HERE / "examples.csv"
    try:
        rows = examples(read_dishes(read_ingredients()))
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    built = as_csv(rows)
    if check:
        if target.exists() and target.read_text(encoding="utf-8") == built:
            return 0
        print("examples.csv differs; run: python data/keto/build.py", file=sys.stderr)
        return 1
    target.write_text(built, encoding="utf-8")
    print(summary(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
