"""The workspaces that are pictured: each made by the actions, as people would make it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.actions.adjudication import find_disputes, settle_dispute
from studio.actions.assignments import close_round, plan_round, start_round
from studio.actions.corrections import Decision, correct_labels
from studio.actions.evaluations import evaluate_run
from studio.actions.examples import import_examples
from studio.actions.finetunes import create_training_set, launch_finetune
from studio.actions.guidelines import add_guideline
from studio.actions.label_sets import change_labels, undo_label_change
from studio.actions.marks import mark_example
from studio.actions.previews import preview_prompt
from studio.actions.runs import Choice, start_run
from studio.actions.samples import load_sample
from studio.actions.tasks import choose_champion, create_task
from studio.analysis.example_rows import Columns
from studio.bootstrap import open_workspace
from studio.domain.correction import Mode
from studio.domain.label_change import Add, Rename
from studio.domain.mark import MarkKind
from studio.workspace import Workspace

ME = "Ada"
INTENTS = (
    "refund", "exchange", "where is my order", "cancel", "change of address", "invoice",
    "damaged parcel", "warranty", "gift card", "password", "praise", "something else",
)  # fmt: skip
LETTERS = (
    "The parcel came, but the mug in it is broken in two.",
    "وصل الطلب متأخرا أسبوعين، وأريد استرداد المبلغ كاملا من فضلكم.",
    "Where is my order? It was to come on Monday.",
    "קיבלתי את המוצר הלא נכון, ואני מבקש להחליפו בהקדם. תודה!",
    "Please send the invoice to our accounts department, not to me.",
    "Größe 42 statt 43 geliefert – können Sie das tauschen?",
)


def work(path: Path) -> None:
    """Do on the keto task what makes every page worth a look."""
    ws = open_workspace(path)
    task = load_sample(ws, by=ME)
    some = ws.read.examples.all(task.id, ("train",))[:60]
    bring(ws, task.id, [f"Small plate. {e.text}".replace('"', "'") for e in some])
    wait(ws, [start_run(ws, task.id, choice=Choice(rules=True), by=ME).id])
    first, better = ws.read.prompts.all(task.id)[:2]
    runs = [
        start_run(ws, task.id, choice=Choice(prompt=str(v.id)), by=ME).id for v in (first, better)
    ]
    wait(ws, runs)
    chosen = ws.read.examples.all(task.id, ("train",))[:40]
    gold = ws.read.labels.gold(task.id, ("train",))
    correct_labels(
        ws, task.id,
        [Decision(example_id=e.id, label=task.name_of(gold[e.id].label_id)) for e in chosen],
        run_id=runs[1], by=ME,
    )  # fmt: skip
    frozen = create_training_set(ws, task.id, by=ME)
    tuned = launch_finetune(
        ws, task.id, training_set_id=frozen.id, prompt=better.title, provider="embedded", by=ME
    )
    while not ws.read.finetunes.get(tuned.id).status.is_final:
        time.sleep(0.2)
    model = Choice(model=str(tuned.id))
    on_validation = start_run(ws, task.id, choice=model, splits=("validation",), by=ME).id
    on_test = start_run(ws, task.id, choice=model, splits=("test",), by=ME).id
    wait(ws, [on_validation, on_test])
    choose_champion(ws, task.id, on_validation)
    evaluate_run(ws, on_test, split="test", by=ME)
    shown = preview_prompt(ws, task.id, body=better.body, before=first.body, n=40, by=ME)
    wait(ws, [shown.run_id, *([shown.before_id] if shown.before_id else [])])
    close(ws)


def team(path: Path) -> None:
    """Let three people label, differ, settle, agree on guidelines and change the label set."""
    ws = open_workspace(path, wake=lambda: None)
    task = load_sample(ws, by=ME)
    ids = ws.read.examples.ids(task.id, ("train",))
    truth = {i: task.name_of(g.label_id) for i, g in ws.read.labels.gold(task.id, ids=ids).items()}
    dice = random.Random(5)

    def label(who: str, some: Sequence[int], slips: float, pace: float, mode: Mode) -> None:
        keto, other = task.label_names[:2]
        decisions = []
        for i in some:
            said = truth[i] if dice.random() > slips else keto if truth[i] == other else other
            taken = dice.lognormvariate(0, 0.5) * pace
            decisions.append(Decision(example_id=i, label=said, seconds=taken))
        is_beside = mode is Mode.GRID
        correct_labels(ws, task.id, decisions, beside_rule=is_beside, mode=mode, by=who)

    label(ME, ids[:90], 0.05, 6.0, Mode.QUEUE)
    label("Bo", ids[30:120], 0.12, 4.0, Mode.QUEUE)
    label("Dr. Lind", ids[60:150], 0.3, 9.0, Mode.QUEUE)
    label("Bo", ids[150:230], 0.08, 2.0, Mode.GRID)
    for i in find_disputes(ws, task.id).open[:8]:
        settle_dispute(ws, task.id, i, label=truth[i] or "keto", seconds=12.0, by=ME)
    people = [ME, "Bo", "Dr. Lind"]
    for name, size in (("Warm-up", 30), ("Sauces and sides", 60), ("Week 12", 100)):
        plan = plan_round(ws, task.id, people=people, overlap=0.2, size=size)
        held = start_round(ws, task.id, plan, name=name, by=ME)
        if name == "Warm-up":
            close_round(ws, task.id, held.id)
        elif name == "Sauces and sides":
            for who, given in plan.plan.given.items():
                label(who, given[: dice.randint(4, 20)], 0.1, 5.0, Mode.QUEUE)
    for text, one, other in (
        ("A dish counts with all that is served on the plate, sides and sauces too.", "", ""),
        ("Honey counts as sugar, however little there is of it.", "not_keto", "keto"),
        ("Nuts are keto up to a handful; cashews are not.", "keto", ""),
    ):
        add_guideline(ws, task.id, text=text, label=one, other=other, example_id=ids[3], by=ME)
    change_labels(ws, task.id, Add(name="cannot tell", definition="Too little is said."), by=ME)
    odd = Rename(label="cannot tell", to="unclear", meaning_changed=False)
    undo_label_change(ws, task.id, change_labels(ws, task.id, odd, by="Bo").id, by=ME)
    deed = Rename(label="keto", to="keto dish", meaning_changed=True)
    change_labels(ws, task.id, deed, by="Dr. Lind")
    marked(ws, task.id, ids[:9])
    close(ws)


def marked(ws: Workspace, task_id: int, ids: Sequence[int]) -> None:
    """Flag, skip and note some examples."""
    for n, i in enumerate(ids):
        if n % 3 == 0:
            mark_example(ws, task_id, i, kind=MarkKind.FLAG, by=ME)
        if n % 4 == 1:
            mark_example(ws, task_id, i, kind=MarkKind.NOTE, text="Ask Dr. Lind about it", by=ME)
        if n % 5 == 2:
            mark_example(ws, task_id, i, kind=MarkKind.SKIP, by=ME)


def many(path: Path) -> None:
    """Make a task of twelve labels whose texts run in both directions."""
    ws = open_workspace(path, wake=lambda: None)
    task = create_task(ws, name="intent", labels=INTENTS, by=ME)
    letters(ws, task.id, 60)
    ids = ws.read.examples.ids(task.id, ("train",))
    labels = [Decision(example_id=i, label=INTENTS[n % 12]) for n, i in enumerate(ids[:14])]
    correct_labels(ws, task.id, labels, by=ME)
    marked(ws, task.id, ids[:9])
    close(ws)


def done(path: Path) -> None:
    """Make a small task of which nothing is left to label."""
    ws = open_workspace(path, wake=lambda: None)
    task = create_task(ws, name="urgency", labels=("urgent", "can wait"), by=ME)
    letters(ws, task.id, 6)
    ids = ws.read.examples.ids(task.id, ("train",))
    correct_labels(ws, task.id, [Decision(example_id=i, label="urgent") for i in ids], by=ME)
    close(ws)


def letters(ws: Workspace, task_id: int, n: int) -> None:
    """Bring in letters of customers, one of them long."""
    texts = [f"{LETTERS[i % len(LETTERS)]} (No. {i + 1})" for i in range(n)]
    texts[2] += " I have asked three times now, and nobody could tell me where it is." * 12
    bring(ws, task_id, texts)


def bring(ws: Workspace, task_id: int, texts: Sequence[str]) -> None:
    """Import texts into train that nobody has labeled."""
    lines = ["id,text,split,shop", *(f'n{i},"{t}",train,Lyon' for i, t in enumerate(texts, 1))]
    import_examples(
        ws, task_id, data="\n".join(lines).encode(), filename="new.csv",
        columns=Columns(split="split", id="id"), by=ME,
    )  # fmt: skip


def wait(ws: Workspace, runs: Sequence[int]) -> None:
    """Wait until runs have ended."""
    while any(ws.read.runs.get(i).status in ("queued", "running") for i in runs):
        time.sleep(0.1)


def close(ws: Workspace) -> None:
    """Close a workspace."""
    ws.store.close()
    ws.read.close()


STATES: dict[str, Callable[[Path], None] | None] = {
    "empty": None, "keto": None, "worked": work, "team": team, "many": many, "done": done,
}  # fmt: skip
"""Name of each state to what makes its workspace; the app itself makes those without."""
