"""Starting a run where it is offered: what it would ask and cost first, then the button."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from studio.actions.providers import ending_model
from studio.actions.runs import MOST_SAMPLES, Choice, estimate_run, needs_votes, start_run
from studio.domain.estimate import Estimate
from studio.domain.run import Run
from studio.domain.task import Task
from studio.errors import StudioError
from studio.ui.figures import count, duration, money
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

_ICON = ":material/play_arrow:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A run that can be started by a button.

    Attributes:
        words: What the button says.
        choice: What is to label.
        splits: Which splits; train and validation when none is named.
        provider: Where prompts are sent; the configured one when empty.
        help: What else there is to say of it.
        is_primary: Whether it is the main action of the page.
    """

    words: str
    choice: Choice
    splits: tuple[str, ...] = ()
    provider: str = ""
    help: str = ""
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody chose for a run that is wanted."""

    budget_usd: float | None = None
    in_batches: bool = False
    samples: int = 1


def draw_start(
    ws: Workspace,
    task: Task,
    offer: Offer,
    *,
    person: str,
    key: str,
    where: DeltaGenerator | None = None,
) -> Run | None:
    """Draw the button that starts a run, and return the run once it was pressed.

    Where texts would leave the machine, a service has a price or is known to tell no confidence,
    it opens a box first: what the run would cost, what somebody agrees to, a budget, and votes.

    Args:
        ws: The workspace.
        task: The task.
        offer: The run.
        person: Who would start it.
        key: Unique on the page.
        where: Where a refusal is said; where the button is when None.
    """
    told = run_estimate(ws, task, offer.choice, offer.splits, offer.provider)
    votes = needs_votes(ws, task.id, choice=offer.choice, provider=offer.provider)
    kind: Literal["primary", "secondary"] = "primary" if offer.is_primary else "secondary"
    wish: _Wish | None = None
    if told is None or (told.is_local and not told.cost_usd and not votes):
        said = f"{offer.help} {plain(told.sentence())}." if told else offer.help
        if st.button(offer.words, icon=_ICON, type=kind, key=key, help=said.strip() or None):
            wish = _Wish()
    else:
        # Another one, closed, once a run was started from it.
        opened = st.session_state.setdefault(f"{key}_starts", 0)
        with st.popover(
            offer.words, icon=_ICON, type=kind, key=f"{key}_box_{opened}", help=offer.help or None
        ):
            wish = _draw_box(ws, task, offer, told, votes=votes, key=key)
    run: Run | None = None
    if wish is None:
        return run
    with where or nullcontext(), kindly():
        run = start_run(
            ws, task.id, choice=offer.choice, splits=offer.splits, provider=offer.provider,
            budget_usd=wish.budget_usd, batch=wish.in_batches, samples=wish.samples,
            consent=told is not None and not told.is_local, by=person,
        )  # fmt: skip
        st.session_state[f"{key}_starts"] = st.session_state.get(f"{key}_starts", 0) + 1
    return run


def _draw_box(
    ws: Workspace, task: Task, offer: Offer, told: Estimate, *, votes: bool, key: str
) -> _Wish | None:
    """Draw what is chosen and agreed to before a run; return it once the run is wanted."""
    place = st.session_state[f"{key}_starts"]
    samples, in_batches = 1, False
    if said := ending_model(ws, offer.provider, told.model):
        st.warning(plain(said))
    if votes:
        samples = _ask_samples(f"{key}_samples_{place}")
        asked = run_estimate(ws, task, offer.choice, offer.splits, offer.provider, samples)
        told = asked or told
    budget = _ask_budget(told, f"{key}_budget_{place}")
    if told.is_local:
        pressed = st.button("Run", type="primary", key=key)
    else:
        if samples == 1:  # a batch asks once
            in_batches = st.checkbox("As a batch", key=f"{key}_batch_{place}", help=note("batch"))
        pressed = draw_consent(ws, task, told, what="This run", yes="Run", key=key)
    return _Wish(budget, in_batches, samples) if pressed else None


def draw_consent(
    ws: Workspace, task: Task, told: Estimate, *, what: str, yes: str, key: str
) -> bool:
    """Say what would be sent where and at what cost, and return whether somebody goes on."""
    agreed = ws.read.providers.has_consent(task.id, told.host, told.columns)
    if not agreed:
        st.markdown(plain(told.consent_text(what)))
    return st.button(yes if agreed else f"Agree and {yes.lower()}", type="primary", key=key)


def run_estimate(
    ws: Workspace, task: Task, choice: Choice, splits: Sequence[str] = (), provider: str = "",
    samples: int = 1,
) -> Estimate | None:  # fmt: skip
    """Return what a run would ask, cost and take; None where it could not be started."""
    prices = repr((ws.read.prices.own(), ws.read.providers.all()))
    return _run_estimate(
        str(ws.path), task.id, task.revision, prices, repr(choice), tuple(splits),
        provider or ws.default_provider, samples, ws, choice,
    )  # fmt: skip


def cost_line(ws: Workspace, run: Run) -> str:
    """Return what a run asked, cost and took, beside what was expected when it was started."""
    parts = [count(run.calls, "call")]
    if sum(tokens := ws.read.prices.tokens(run)) and (run.spent_usd or run.unpriced):
        parts.append(f"{sum(tokens):,} tokens")
    parts.append("free" if not (run.spent_usd or run.unpriced) else money(run.cost_usd))
    expected = ws.read.runs.params(run.id).get("estimate") or {}
    if expected.get("cost_usd") is not None:
        parts[-1] += f" (about {money(expected['cost_usd'])} expected)"
    job = ws.read.jobs.get(run.job_id) if run.job_id is not None else None
    if job and job.finished_at and job.started_at:
        parts.append(duration(job.finished_at - job.started_at))
    return " · ".join(parts)


def _ask_samples(key: str) -> int:
    """Ask how often each text is asked about, and return it."""
    wanted = st.number_input(
        "Ask so many times for a confidence from votes", min_value=1, max_value=MOST_SAMPLES,
        value=1, key=key, help=note("votes"),
    )  # fmt: skip
    if wanted > 1:
        st.caption(f"The labels stand in another order each time. It costs {wanted} times as much.")
    return int(wanted)


def _ask_budget(told: Estimate, key: str) -> float | None:
    st.markdown(plain(told.sentence()))
    if told.cost_usd is None:
        st.caption("While its price is unknown, no budget can be kept.")
        st.page_link("pages/settings.py", label="Set the price")
        return None
    return st.number_input(
        "Budget in US dollars", min_value=0.0, value=None, format="%.4g", key=key,
        placeholder="no cap", help=note("budget"),
    )  # fmt: skip


@st.cache_data(max_entries=64, ttl=300, show_spinner=False)
def _run_estimate(
    path: str, task_id: int, revision: int, prices: str, what: str, splits: tuple[str, ...],
    provider: str, samples: int, _ws: Workspace, _choice: Choice,
) -> Estimate | None:  # fmt: skip
    try:
        return estimate_run(
            _ws, task_id, choice=_choice, splits=splits, provider=provider, samples=samples
        )
    except StudioError:  # whoever presses the button is told what is missing
        return None
