"""How far people agree, label by label, and who differs from whom on which examples."""

from __future__ import annotations

import math

import streamlit as st

from studio.actions.agreement import TaskAgreement
from studio.analysis.agreement import Agreement
from studio.domain.evaluation import NO_LABEL, Confusion, Figure
from studio.domain.example import Split
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.charts import confusion_chart, interval_chart, is_dark, selected, show_chart
from studio.ui.empty import empty_state
from studio.ui.evaluation_examples import LABEL_IDS, LABEL_IDS_FROM, chosen_index
from studio.ui.evaluation_view import side_by_side
from studio.ui.figures import count, figure_text
from studio.ui.notes import note
from studio.ui.people_data import agreement, labels_met
from studio.ui.rationale_text import plain
from studio.ui.session import open_page_of
from studio.workspace import Workspace

SPLITS = {"": "All", "train": "Train", "validation": "Validation", "test": "Test"}
SHOWN = 100
_EVERYBODY = "Everybody"
JOINING = (
    "A second person opens this app under their own name (Change, at the bottom of the sidebar) "
    "and labels some of the same examples on Label, or brings a file by "
    "`studio correct TASK FILE --by NAME --blind`. A round under Rounds sees to it that some "
    "examples go to both."
)


def draw_agreement(ws: Workspace, task: Task) -> None:
    """Draw the figures, or why there are none yet."""
    with st.container(horizontal=True, vertical_alignment="center", key="people_choice"):
        split = st.segmented_control(
            "Split", list(SPLITS), format_func=SPLITS.__getitem__, default="", required=True,
            key="people_split", label_visibility="collapsed",
        )  # fmt: skip
        blind = st.toggle(
            "Blind labels only", key="people_blind",
            help="Leave out labels given with a model's or a rule's label in sight: it draws "
            "people to it, and so to each other.",
        )  # fmt: skip
    try:
        found = agreement(ws, task, split or "", blind_only=blind)
    except InputError as error:
        empty_state(plain(error.message), JOINING)
        return
    _figures(found)
    left, right = side_by_side("people_by_label", 500, 310)
    with left:
        _labels(found.figures)
    with right:
        _chart(found.figures)
    _people(found.figures)
    pair = _pairs(found.figures)
    _apart(ws, task, found.figures, pair, split or "", blind_only=blind)


def _figures(found: TaskAgreement) -> None:
    figures = found.figures
    kappa = {"cohen": "Cohen's kappa", "fleiss": "Fleiss' kappa"}[figures.kappa_kind]
    with st.container(horizontal=True, gap="small", key="people_figures"):
        for title, figure, word in (
            ("Krippendorff's alpha", figures.alpha, "alpha"),
            (kappa, figures.kappa, "kappa"),
            ("Two people say the same", figures.agreement, "same"),
        ):
            _tile(title, figure, word)
    st.markdown(f"**{_capital(figures.words)}.**")
    said = (
        f"{count(len(figures.people), 'person', 'people')}, {figures.shared:,} of "
        f"{count(figures.examples, 'labeled example')} shared, {len(figures.disputed):,} with "
        "different labels."
    )
    if found.assisted:
        said += (
            f" {found.assisted:,} labels were given beside a model's or a rule's, which makes "
            "people agree more."
        )
    st.caption(said)


def _tile(title: str, figure: Figure, word: str) -> None:
    value = "unknown" if math.isnan(figure.value) else f"{figure.value:.3f}"
    below = f"n = {figure.n:,}"
    if not math.isnan(figure.value):
        below = f"[{figure.low:.2f}, {figure.high:.2f}] {below}"
    st.metric(
        title, value, below, delta_color="off", delta_arrow="off", border=True, width=230,
        help=note(word),
    )  # fmt: skip


def _labels(figures: Agreement) -> None:
    st.markdown("**Label by label**")
    st.dataframe(
        [
            {
                "Label": name, "Given": one.votes, "Alpha": figure_text(one.alpha),
                "Another says it too": figure_text(one.agreement),
            }
            for name, one in figures.labels.items()
        ],
        hide_index=True, height="content", key="people_labels", placeholder="",
        column_config={
            "Given": st.column_config.NumberColumn(
                width="small", help="How often people gave it on shared examples."
            ),
            "Alpha": st.column_config.TextColumn(help="On this label against all others."),
            "Another says it too": st.column_config.TextColumn(
                help="Where one person gives this label, how often another one gives it too."
            ),
        },
        alt="Agreement on each label",
    )  # fmt: skip


def _chart(figures: Agreement) -> None:
    rows = tuple(
        (name, one.agreement)
        for name, one in figures.labels.items()
        if not math.isnan(one.agreement.value)
    )
    if rows:
        show_chart(
            interval_chart(rows, metric="another says it too", dark=is_dark()),
            key="people_label_chart", alt="Where one person gives a label, how often another does",
        )  # fmt: skip


def _people(figures: Agreement) -> None:
    two = len(figures.people) < 3
    st.markdown("**Person by person**")
    st.dataframe(
        [
            {
                "Person": one.person, "Labels": one.votes,
                "As most others": figure_text(one.agreement),
                "Likely right": "two cannot tell" if two else figure_text(one.skill),
            }
            for one in figures.people
        ],
        hide_index=True, height="content", key="people_people", placeholder="",
        column_config={
            "Labels": st.column_config.NumberColumn(width="small"),
            "As most others": st.column_config.TextColumn(
                help="On shared examples, how often the most frequent label of the others is the "
                "same; where they tie it does not count."
            ),
            "Likely right": st.column_config.TextColumn(help=note("Dawid-Skene")),
        },
        alt="How each person stands beside the others",
    )  # fmt: skip
    st.caption(
        "This ranks nobody. Who gets the harder examples, or reads a definition otherwise with "
        "good reason, comes out lower. Read the examples below before you talk to anybody, and "
        "sharpen the definitions first."
    )


def _pairs(figures: Agreement) -> tuple[str, str] | None:
    """Draw who agrees with whom, and return the two chosen; None for everybody."""
    if len(figures.pairs) < 2:
        return figures.pairs[0].people if figures.pairs else None
    st.markdown("**Who differs from whom**")
    event = st.dataframe(
        [
            {
                "Two people": " / ".join(pair.people), "Same label": figure_text(pair.agreement),
                "Cohen's kappa": figure_text(pair.kappa),
                "Differ most on": "; ".join(f"{a} / {b} {n}×" for a, b, n in pair.differ[:2]),
            }
            for pair in figures.pairs
        ],
        hide_index=True, height="content" if len(figures.pairs) < 8 else 320, key="people_pairs",
        on_select="rerun", selection_mode="single-row", placeholder="",
        column_config={"Differ most on": st.column_config.TextColumn(width="large")},
        alt="Pairs of people, those who differ most first",
    )  # fmt: skip
    index = chosen_index(event, len(figures.pairs))
    st.caption("Those who differ most come first. Choose two to see their labels alone.")
    return None if index is None else figures.pairs[index].people


def _apart(
    ws: Workspace,
    task: Task,
    figures: Agreement,
    pair: tuple[str, str] | None,
    split: str,
    *,
    blind_only: bool,
) -> None:
    """Draw which labels met, and the examples of the cell that was clicked."""
    met = labels_met(ws, task, pair, split, blind_only=blind_only)
    who = " and ".join(pair) if pair else _EVERYBODY
    st.markdown(f"**Which labels met: {plain(who)}**")
    key = f"people_matrix_{'_'.join(pair or ())}_{split}"
    size = len(task.labels)
    left, right = side_by_side(key, max(350, min(620, 170 + 90 * size)), "stretch")
    with left:
        event = show_chart(
            confusion_chart(
                _matrix(task, met, both=pair is None), dark=is_dark(),
                titles=pair or ("One says", "another says"),
            ),
            key=f"{key}_chart", alt="Examples by the labels two people gave them",
            on_select="rerun",
        )  # fmt: skip
        st.caption(
            "Blue: the same label; orange: different ones. Click a cell to read its examples."
            + ("" if pair else " Each counts once, whoever of the two said which.")
        )
    cell = selected(event, "cell")
    asked = (str(cell.get("gold")), str(cell.get("predicted"))) if cell else None
    if asked and pair is None and asked not in met:
        asked = asked[::-1]
    wanted = {c: ids for c, ids in met.items() if (c == asked if asked else c[0] != c[1])}
    ids = sorted({i for some in wanted.values() for i in some})
    what = f"{asked[0]} beside {asked[1]}" if asked else "different labels"
    with right:
        _examples(ws, task, ids, what=f"{who}: {what}", key=f"{key}_{asked}")


def _matrix(task: Task, met: dict[tuple[str, str], tuple[int, ...]], *, both: bool) -> Confusion:
    """Return the matrix to draw; of everybody both halves are the same."""
    names = task.label_names
    cells = {cell: len(ids) for cell, ids in met.items()}
    if both:
        cells |= {(b, a): n for (a, b), n in cells.items()}
    counts = tuple((*(cells.get((a, b), 0) for b in names), 0) for a in names)
    return Confusion(gold=names, predicted=(*names, NO_LABEL), counts=counts)


def _examples(ws: Workspace, task: Task, ids: list[int], *, what: str, key: str) -> None:
    examples = ws.read.examples.some(task.id, ids)
    readable = [e for e in examples if e.split is not Split.TEST]
    if hidden := len(examples) - len(readable):
        st.caption(
            f"{count(hidden, 'example')} of test stay closed here, so that nobody tunes on them; "
            "they can be settled under Adjudicate."
        )
    if not readable:
        st.caption("No example to read here.")
        return
    st.dataframe(
        [{"Id": e.external_id, "Text": e.text} for e in readable[:SHOWN]],
        hide_index=True, key=f"{key}_list", placeholder="",
        height="content" if len(readable) < 8 else 320,
        column_config={
            "Id": st.column_config.TextColumn(width=110),
            "Text": st.column_config.TextColumn(width="large"),
        },
        alt=f"{len(readable)} examples: {what}",
    )  # fmt: skip
    if st.button("Open these in Label", key=f"{key}_open", icon=":material/edit:"):
        st.session_state[LABEL_IDS] = [e.id for e in readable]
        st.session_state[LABEL_IDS_FROM] = what
        open_page_of("label")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
