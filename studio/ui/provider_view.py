"""The providers on the settings page: add, test, choose, and who agreed to send what where."""

from __future__ import annotations

import functools

import streamlit as st

from studio.actions.jobs import steer_job
from studio.actions.providers import (
    EMBEDDED,
    add_provider,
    choose_provider,
    ending_model,
    estimate_probe,
    start_probe,
    warning_of,
    withdraw_consent,
)
from studio.config import find_key
from studio.domain.capability import Capabilities, State, by_end
from studio.domain.job import Job, JobStatus, Want
from studio.store.providers import Consent
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.job_status import job_status
from studio.ui.notes import note
from studio.ui.rationale_text import plain
from studio.workspace import Workspace

_SHOWN = {
    State.YES: ":green[✓]\u00a0yes",
    State.NO: ":gray[✕]\u00a0no",
    State.DROPPED: ":orange[⚠]\u00a0dropped",
    State.UNKNOWN: ":gray[?]\u00a0unknown",
}
_MOST_LISTED = 300


def draw_providers(ws: Workspace, person: str) -> None:
    """Draw the services people added, what a test of each found, and the form that adds one."""
    st.subheader("Providers", anchor=False, help=note("provider"))
    rows = _rows(ws)
    st.dataframe(rows, hide_index=True, key="providers", alt="Providers")
    st.caption(
        f"Runs use “{plain(ws.default_provider)}” when none is named; without a choice of yours, "
        "`STUDIO_PROVIDER` says which."
    )
    names = [row["Name"] for row in rows]
    name = st.selectbox(
        "Provider", names, key="settings_provider", width=280,
        index=names.index(ws.default_provider) if ws.default_provider in names else 0,
    )  # fmt: skip
    with st.container(border=True, key="settings_test"):
        _draw_test(ws, str(name), person)
    with st.expander("Add a provider"), st.form("add_provider"):
        _draw_form(ws, person)


def draw_consents(ws: Workspace, person: str) -> None:
    """Draw who agreed to send what where, and let it be withdrawn."""
    st.subheader("Consent", anchor=False)
    consents = ws.read.providers.consents()
    st.caption(
        "Before the first examples of a task leave this machine somebody agrees, once for each "
        "host."
        if consents
        else "Nobody agreed to send anything: no example has left this machine through a run."
    )
    for one in (one for one in consents if not one.withdrawn_at):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_consent_text(one), width="stretch")
            if st.button("Withdraw", key=f"settings_withdraw_{one.id}", help="It is asked for "
                         "again before the next run; a run under way goes on."):  # fmt: skip
                with kindly():
                    withdraw_consent(ws, one.id, by=person)
                    st.rerun()
    if withdrawn := [one for one in consents if one.withdrawn_at]:
        with st.expander(f"Withdrawn ({len(withdrawn)})"):
            for one in withdrawn:
                st.markdown(
                    f"{_consent_text(one)} Withdrawn by {plain(one.withdrawn_by)} "
                    f"on {one.withdrawn_at[:10]}."
                )


def _rows(ws: Workspace) -> list[dict[str, str]]:
    entries = [(EMBEDDED, "this machine", "none needed", "")]
    entries += [
        (entry.name, entry.base_url, _key_state(entry.key_env), entry.model)
        for entry in ws.read.providers.all()
    ]
    return [
        {
            "Name": name,
            "Default": "✓ default" if name == ws.default_provider else "",
            "Test": _test_state(ws, name),
            "Address": address,
            "Key": key,
            "Model": model,
        }
        for name, address, key, model in entries
    ]


def _test_state(ws: Workspace, name: str) -> str:
    found = ws.read.providers.capabilities(name)
    if found is None:
        return "never tested"
    too_old = ", too old" if found.is_stale(ws.now()[:10]) else ""
    return f"{found.summary()} · {_age(ws, found)}{too_old}"


def _age(ws: Workspace, found: Capabilities) -> str:
    days = found.age_days(ws.now()[:10]) or 0
    return f"{count(days, 'day')} ago" if days > 0 else "today"


def _draw_test(ws: Workspace, name: str, person: str) -> None:
    """Draw what the latest test of a provider found, one under way, and the buttons."""
    found, job_id = ws.read.providers.capabilities(name), ws.read.providers.latest_probe(name)
    job = ws.read.jobs.get(job_id) if job_id is not None else None
    if said := warning_of(ws, name):
        st.warning(plain(said))
    if found:
        _draw_warnings(ws, name, found)
    if job is not None and not job.status.is_final:
        steer = functools.partial(_steer, job.id)
        job_status(ws, job.id, key="settings_probe", title=f"Test of {plain(name)}", steer=steer)
    else:
        if job is not None and job.status is JobStatus.FAILED:
            st.error(f"The latest test failed: {plain(job.message)}")
        _draw_buttons(ws, name, found, person)
    if found:
        _draw_found(ws, found)
    elif job is None:
        st.caption("Never tested: nobody knows yet what works there.")


def _steer(job_id: int, ws: Workspace, _: int, want: Want) -> Job:
    return steer_job(ws, job_id, want)


def _draw_warnings(ws: Workspace, name: str, found: Capabilities) -> None:
    if said := found.failure_text():
        st.warning(plain(said))
    if found.is_stale(ws.now()[:10]):
        st.warning(f"This test is of {_age(ws, found)}; test again to be sure.")
    if said := ending_model(ws, name):
        st.warning(f"{plain(said)} Choose another model before that.")


def _draw_buttons(ws: Workspace, name: str, found: Capabilities | None, person: str) -> None:
    is_default = name == ws.default_provider
    if not (told := estimate_probe(ws, name)).is_local:
        st.caption(f"A test: {plain(told.sentence())}.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(
            "Test again" if found else "Test connection", icon=":material/network_check:",
            key="settings_probe_start", help="Asks up to eight questions with sentences of ours; "
            "nothing of yours is sent. It takes a few seconds.",
        ):  # fmt: skip
            with kindly():
                start_probe(ws, name)
                st.rerun()
        model = "" if name == EMBEDDED else _choose_model(ws, name, found)
        kept = "" if name == EMBEDDED else ws.read.providers.get(name).model
        if (not is_default or model != kept) and st.button(
            "Keep the model" if is_default else "Make it the default", key="settings_default"
        ):
            with kindly():
                choose_provider(ws, name, model=model, by=person)
                st.rerun()


def _choose_model(ws: Workspace, name: str, found: Capabilities | None) -> str:
    """Draw the choice of the model that is asked where none is named."""
    now = ws.read.providers.get(name).model
    listed = [one.id for one in found.models[:_MOST_LISTED]] if found else []
    options = [*([now] if now and now not in listed else []), *listed]
    chosen = st.selectbox(
        "Model when none is named", options, index=options.index(now) if now else None,
        accept_new_options=True, placeholder="name a model", key=f"settings_model_{name}",
        width=280,
    )  # fmt: skip
    return chosen or ""


def _draw_found(ws: Workspace, found: Capabilities) -> None:
    """Draw a table of the features, and the models that end."""
    st.table(
        [
            {
                "Feature": one.feature.words,
                "State": _SHOWN[one.state],
                "Evidence": plain(one.told()),
            }
            for one in found.findings
        ],
        border="horizontal",
        hide_index=True,
        alt="What works at this provider",
    )
    st.caption(
        f"Tested {_age(ws, found)} ({found.at[:10]}, studio {found.version}) with "
        f"{plain(found.model) or 'no model'}: {found.cost_text()}. *Dropped* means that the wish "
        "is taken and left out without a word."
    )
    today = ws.now()[:10]
    ending = [one for one in by_end(found.models, today) if one.shutdown_date]
    if ending:
        with st.expander(f"Models that end ({len(ending)} of {len(found.models)})"):
            st.dataframe(
                [
                    {
                        "Model": one.id,
                        "Ends": one.shutdown_date,
                        "Days left": max(0, one.days_left(today) or 0),
                    }
                    for one in ending
                ],
                hide_index=True,
                key="settings_ending",
                alt="Models that end",
            )


def _draw_form(ws: Workspace, person: str) -> None:
    with st.container(horizontal=True):
        name = st.text_input("Name", placeholder="openai")
        base_url = st.text_input("Address", placeholder="https://api.openai.com/v1")
    with st.container(horizontal=True):
        key_env = st.text_input(
            "Variable that holds its key",
            placeholder="OPENAI_API_KEY",
            help="The name of a variable in the environment or in .streamlit/secrets.toml. "
            "The key itself is never typed here and never stored.",
        )
        model = st.text_input("Model", placeholder="gpt-6-luna")
    if not st.form_submit_button("Add", type="primary"):
        return
    with kindly():
        add_provider(
            ws, name=name, base_url=base_url, key_env=key_env.strip(), model=model.strip(),
            by=person,
        )  # fmt: skip
        st.toast(f"Added {name.strip()}.")
        st.rerun()


def _consent_text(one: Consent) -> str:
    shown = one.shown
    parts = [f"**{plain(one.task)}** to **{plain(one.host)}**"]
    if shown.get("examples"):
        columns = ", ".join(str(column) for column in shown.get("columns") or ["text"])
        parts.append(f"{count(int(shown['examples']), 'example')}, column {plain(columns)}")
    return f"{' · '.join(parts)} · agreed by {plain(one.person)} on {one.at[:10]}."


def _key_state(variable: str) -> str:
    """Say whether a key is there, never what it is."""
    if not variable:
        return "none"
    return f"{variable}: {'found' if find_key(variable) else 'not set'}"
