"""Which rule turns a prompt's lines into a label? Six sets, no label used, the test rows never read.

The prompts were written once from general knowledge, before any score was seen. The rule the studio
uses (`shares`) and its temperature were chosen on these rows, so its lead here is no proof; the
other rows of the table show what was passed over. Needs STUDIO_SHARED (default ../shared).

    python benchmarks/embedded_prompt_reading.py [--rows 1500]
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from studio.embedded.encoder import Encoder, load_encoder  # noqa: E402
from studio.embedded.fitting import figures  # noqa: E402
from studio.embedded.reading import Reading, read_prompt  # noqa: E402
from studio.embedded.scoring import PromptScorer, texts  # noqa: E402

SHARED = Path(os.environ.get("STUDIO_SHARED", ROOT.parent / "shared")) / "datasets"
SETS = {
    "dishes": ("usda_fndds_dishes/train.csv", "label"),
    "sms": ("sms_spam/train.csv", "label"),
    "youtube": ("youtube_spam/train.csv", "label"),
    "ag_news": ("gepa_predictions/ag_news.csv", "expected"),
    "emotion": ("gepa_predictions/emotion.csv", "expected"),
    "reviews": ("gepa_predictions/rotten_tomatoes.csv", "expected"),
}
PROMPTS = {
    "dishes": """Labels:
- keto: a dish with very few carbohydrates: meat, fish, eggs, cheese, fats and green vegetables
- not_keto: a dish with starch, sugar or fruit, such as bread, pasta, rice, potatoes or sweets
Reasons:
- keto: grilled meat and fish carry no starch
- keto: eggs, cheese, cream and butter are mostly fat and protein
- keto: green leaves and mushrooms have almost no carbohydrates
- keto: oil and mayonnaise dressings are pure fat
- keto: bacon, sausage and cold cuts
- not_keto: rice, pasta, noodles and bread are starch
- not_keto: potatoes and corn are starchy
- not_keto: cakes, cookies, candy and ice cream are full of sugar
- not_keto: fruit, juice and dried fruit carry sugar
- not_keto: beans and lentils are rich in carbohydrates
- not_keto: breaded or battered food is coated in flour
- not_keto: cereal, oatmeal and granola
- not_keto: sweet sauce, syrup or honey
- not_keto: milk and sweetened yogurt contain sugar""",
    "sms": """Labels:
- spam: an unsolicited advertising message from a company that wants you to call, text or pay
- ham: an ordinary personal message between people who know each other
Reasons:
- spam: you have won a prize, claim it now
- spam: call this number or text a code to win cash
- spam: free ringtones, offers and subscriptions with a cost per message
- spam: urgent, your account or mobile number was selected
- spam: dating and chat lines for adults
- ham: a friend asks when we meet or where someone is
- ham: chat about dinner, work, class or home
- ham: i love you, good night, miss you
- ham: ok, thanks, see you later
- ham: a question or an answer between family members""",
    "youtube": """Labels:
- spam: a comment that advertises a channel, a website or a product
- ham: a comment about the song, the video or the artist
Reasons:
- spam: subscribe to my channel
- spam: check out my video or my new song
- spam: visit this website and earn money
- spam: please like and share my page
- spam: link to a page or a product for sale
- ham: i love this song
- ham: this singer is beautiful
- ham: this video has a billion views
- ham: this music reminds me of my childhood
- ham: the best part of the video""",
    "ag_news": """Labels:
- World: news of countries, governments, wars, elections and diplomacy
- Sports: news of games, teams, players and matches
- Business: news of companies, markets, the economy and money
- Sci/Tech: news of computers, software, the internet, space and science
Reasons:
- World: a president or prime minister speaks
- World: soldiers, bombs and attacks in a country at war
- World: talks between nations, the united nations
- Sports: a team wins a match or a championship
- Sports: a player scores or is injured
- Sports: the olympics, football, baseball, tennis, golf
- Business: shares and stocks rise or fall
- Business: a company reports quarterly profit
- Business: oil prices, jobs, interest rates
- Business: a merger or takeover
- Sci/Tech: microsoft, google or apple releases a product
- Sci/Tech: a virus or security hole on computers
- Sci/Tech: scientists or nasa discover something
- Sci/Tech: mobile phones, video games, chips""",
    "emotion": """Labels:
- sadness: the writer feels sad, lonely, hopeless or hurt
- joy: the writer feels happy, content or proud
- love: the writer feels tender, caring or passionate toward someone
- anger: the writer feels angry, annoyed, jealous or resentful
- fear: the writer feels afraid, anxious, nervous or unsure
- surprise: the writer feels amazed, shocked or curious
Reasons:
- sadness: i feel miserable and alone
- sadness: i feel ashamed and worthless
- joy: i feel happy and excited
- joy: i feel confident and thankful
- love: i feel loved and caring
- love: i feel romantic and longing for him
- anger: i feel furious and irritated
- anger: i feel rude, greedy and cold
- fear: i feel scared and worried
- fear: i feel nervous and insecure
- surprise: i feel amazed and impressed
- surprise: i feel strange and dazed""",
    "reviews": """Labels:
- positive: a review that praises the film
- negative: a review that finds the film bad
Reasons:
- positive: moving, funny and beautifully acted
- positive: a clever and charming film worth seeing
- positive: a triumph
- negative: dull, predictable and a waste of time
- negative: badly written, with wooden acting
- negative: a mess that never comes to life""",
}
Rows = np.ndarray[Any, np.dtype[np.float32]]


def main() -> None:
    """Print one table: a row a rule, macro-F1 and log-loss on each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1500)
    rows = parser.parse_args().rows
    if not SHARED.is_dir():
        raise SystemExit(f"No data at {SHARED}: set STUDIO_SHARED.")
    encoder, table = load_encoder(), {}
    for name in SETS:
        for rule, found in measure(name, rows, encoder).items():
            table.setdefault(rule, {})[name] = found
    print(f"Encoder {encoder.engine}, {rows} rows a set at most: macro-F1 / log-loss\n")
    print("| rule | " + " | ".join(SETS) + " | mean |")
    print("|" + "---|" * (len(SETS) + 2))
    for rule, row in table.items():
        cells = [f"{f1:.3f} / {loss:.2f}" for f1, loss in row.values()]
        mean = np.mean(list(row.values()), axis=0)
        print(f"| {rule} | " + " | ".join(cells) + f" | {mean[0]:.3f} / {mean[1]:.2f} |")


def measure(name: str, rows: int, encoder: Encoder) -> dict[str, tuple[float, float]]:
    """Return each rule's macro-F1 and log-loss on one set."""
    said, gold = read_set(name, rows)
    labels = sorted(set(gold))
    given = encoder.encode(said).vectors.astype(np.float32)
    reading = read_prompt(PROMPTS[name], labels)
    spoken = {
        label: encoder.encode(
            [line.embedded for line in reading.lines if line.label == label]
        ).vectors.astype(np.float32)
        for label in labels
    }
    names = {label: encoder.encode([label.replace("_", " ")]).vectors for label in labels}
    rules: dict[str, Callable[[str], Rows]] = {
        "names only": lambda label: given @ names[label].astype(np.float32)[0],
        "definition only": lambda label: given @ spoken[label][0],
        "mean of all lines": lambda label: given @ unit(spoken[label].mean(axis=0)),
        "nearest line": lambda label: (given @ spoken[label].T).max(axis=1),
        "mean of the two nearest": lambda label: two_nearest(given @ spoken[label].T),
    }
    truth = np.array([labels.index(label) for label in gold])
    found = {}
    for rule, score in rules.items():
        logits = encoder.temperature * np.stack([score(label) for label in labels], axis=1)
        found[rule] = summary(np.exp(logits - logits.max(axis=1, keepdims=True)), truth, labels)
    found["shares (the studio)"] = summary(
        by_studio(reading, given, encoder, labels), truth, labels
    )
    return found


def by_studio(reading: Reading, given: Rows, encoder: Encoder, labels: list[str]) -> Rows:
    """Return the probabilities the server would give."""
    wanted = texts(reading)
    vectors = encoder.encode(wanted).vectors.astype(np.float32)
    scorer = PromptScorer(reading, dict(zip(wanted, vectors, strict=True)), encoder)
    scored = [scorer.score(vector).probabilities for vector in given]
    return np.array([[one[label] for label in labels] for one in scored])


def read_set(name: str, rows: int) -> tuple[list[str], list[str]]:
    """Return texts and gold labels of a set, shuffled with a fixed seed."""
    path, column = SETS[name]
    with (SHARED / path).open(encoding="utf-8", newline="") as handle:
        found = list(csv.DictReader(handle))
    random.Random(7).shuffle(found)
    return [row["text"] for row in found[:rows]], [row[column] for row in found[:rows]]


def unit(vector: Rows) -> Rows:
    """Return the vector at length one."""
    return vector / np.linalg.norm(vector)


def two_nearest(near: Rows) -> Rows:
    """Return the mean of each row's two largest values."""
    return np.sort(near, axis=1)[:, -2:].mean(axis=1)


def summary(chances: Rows, truth: Rows, labels: list[str]) -> tuple[float, float]:
    """Return macro-F1 and log-loss."""
    found = figures(chances / chances.sum(axis=1, keepdims=True), truth, labels)
    return found["macro_f1"], found["log_loss"]


if __name__ == "__main__":
    main()
