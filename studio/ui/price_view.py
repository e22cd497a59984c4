"""The prices on the settings page: one's own, editable, beside those that came with the studio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from studio.actions.prices import EMBEDDED, ListedPrice, edit_prices, list_prices
from studio.domain.price import CHAT, KINDS, Price
from studio.errors import InputError
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_ROUND = "settings_prices_round"
_AMOUNTS = {
    "Input": "input_usd",
    "Output": "output_usd",
    "Batch input": "batch_input_usd",
    "Batch output": "batch_output_usd",
}
_UNIT = "US dollars for a million tokens."


def draw_prices(ws: Workspace, person: str) -> None:
    """Draw the prices people set here, to be edited, and the shipped ones."""
    st.subheader("Prices", anchor=False, help=note("price"))
    listed = list_prices(ws)
    own = [one for one in listed if one.is_own]
    st.caption(
        f"{_UNIT} A price of your own wins over a shipped one; a service on this machine is free "
        "unless you set a price. Empty is unknown, never 0."
    )
    table = _edit(ws, own)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Save the prices", key="settings_prices_save"):
            with kindly():
                put, drop = _changes(table, own)
                edit_prices(ws, put=put, drop=drop, by=person)
                st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
                st.toast(_told(put, drop))
                st.rerun()
        st.caption("Add a row at the bottom; select rows to delete them.")
    with st.expander(f"Shipped prices ({len(listed) - len(own)})"):
        _shipped([one for one in listed if not one.is_own])


def _edit(ws: Workspace, own: list[ListedPrice]) -> pd.DataFrame:
    """Draw one's own prices; edits stay in the browser until they are saved, mistakes included."""
    import pandas as pd

    names = [EMBEDDED, *(entry.name for entry in ws.read.providers.all())]
    usd: Any = st.column_config.NumberColumn(min_value=0.0, format="$%.6g", width=92)
    columns: dict[str, Any] = {
        "Provider": st.column_config.SelectboxColumn(options=names, width=110),
        "Model": st.column_config.TextColumn(
            width=150, help="As it is asked for; a dated snapshot of it has the same price."
        ),
        "For": st.column_config.SelectboxColumn(
            options=list(KINDS),
            default=CHAT,
            width=92,
            help="A training has one price, for the tokens of all its passes: the input.",
        ),
        **dict.fromkeys(_AMOUNTS, usd),
        **dict.fromkeys(("Batch input", "Batch output"), usd | {"width": 118}),
        "Source": st.column_config.TextColumn(width=120, help="Where you read it."),
        "As of": st.column_config.TextColumn(width=90, disabled=True, help="Filled when saved."),
    }
    frame = pd.DataFrame([_row(one.price) for one in own], columns=list(columns))
    return st.data_editor(
        frame.astype(dict.fromkeys(_AMOUNTS, "float64")),
        column_config=columns,
        num_rows="dynamic",
        hide_index=True,
        placeholder="",
        key=f"settings_prices_{st.session_state.get(_ROUND, 0)}",
        alt="Prices of your own",
    )


def _changes(
    table: pd.DataFrame, own: list[ListedPrice]
) -> tuple[list[Price], list[tuple[str, str, str]]]:
    """Return what was set and what was taken back since the table was drawn.

    Raises:
        InputError: If a row lacks what makes a price; it names the row.
    """
    before = {_key(one.price): one.price for one in own}
    after: dict[tuple[str, str, str], Price] = {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        price = _price(number, {str(name): value for name, value in row.items()})
        if price is None:
            continue
        if _key(price) in after:
            raise InputError(
                f"Row {number} prices {price.model} at {price.provider} a second time.",
                next_step="Keep one of the two rows.",
            )
        after[_key(price)] = price
    put = [price for key, price in after.items() if not _is_same(price, before.get(key))]
    return put, [key for key in before if key not in after]


def _key(price: Price) -> tuple[str, str, str]:
    return price.provider, price.model, price.kind


def _price(number: int, row: dict[str, Any]) -> Price | None:
    """Return the price of a row, None for one that was left empty."""
    filled = {name: value for name, value in row.items() if not _is_empty(value)}
    words = {name: str(filled.get(name, "")).strip() for name in ("Provider", "Model", "Source")}
    amounts = {field: filled.get(name) for name, field in _AMOUNTS.items()}
    if not any(words.values()) and set(amounts.values()) == {None}:
        return None
    needed = ("Provider", "Model", "Input", "Output")
    if missing := [name.lower() for name in needed if not str(filled.get(name, "")).strip()]:
        raise InputError(
            f"Row {number} has no {' and no '.join(missing)}.",
            next_step="Fill it in, or delete the row; nothing was saved yet.",
        )
    return Price(
        provider=words["Provider"],
        model=words["Model"],
        kind=str(filled.get("For") or CHAT),
        source=words["Source"],
        **{field: None if usd is None else float(usd) for field, usd in amounts.items()},  # type: ignore[arg-type]
    )


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _row(price: Price) -> dict[str, Any]:
    return {
        "Provider": price.provider,
        "Model": price.model,
        "For": price.kind,
        **{name: getattr(price, field) for name, field in _AMOUNTS.items()},
        "Source": price.source,
        "As of": price.as_of,
    }


def _is_same(price: Price, before: Price | None) -> bool:
    fields = (*_AMOUNTS.values(), "source")
    return before is not None and all(getattr(price, f) == getattr(before, f) for f in fields)


def _shipped(prices: list[ListedPrice]) -> None:
    usd: Any = st.column_config.NumberColumn(format="$%.6g", width=92)
    st.dataframe(
        [
            {
                "Host": one.price.provider,
                "Model": one.price.model,
                "For": one.price.kind,
                **{name: getattr(one.price, field) for name, field in _AMOUNTS.items()},
                "As of": one.price.as_of,
                "Age": "" if one.age_days is None else count(one.age_days, "day"),
                "Until": one.price.expires or "open",
                "Source": one.price.source,
            }
            for one in prices
        ],
        hide_index=True,
        placeholder="unknown",
        key="settings_prices_shipped",
        column_config=dict.fromkeys(_AMOUNTS, usd)
        | {"Source": st.column_config.TextColumn(width="large")},
        alt="Prices that came with the studio",
    )


def _told(put: list[Price], drop: list[tuple[str, str, str]]) -> str:
    parts = [f"{count(len(put), 'price')} saved"] if put else []
    parts += [f"{count(len(drop), 'price')} taken back"] if drop else []
    return (" and ".join(parts) or "Nothing had changed") + "."
