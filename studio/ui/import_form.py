"""Bringing a file in: upload, see what is in it, say which column is what, import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from studio.actions.examples import ImportResult, import_examples
from studio.analysis.example_rows import Columns
from studio.analysis.tables import Table, open_table, write_csv
from studio.domain.amounts import some_of
from studio.domain.example import SPLIT_ALIASES
from studio.domain.task import Task
from studio.errors import InputError
from studio.ui.figures import count
from studio.ui.guard import kindly
from studio.ui.notes import note
from studio.workspace import Workspace

KINDS = ["csv", "tsv", "txt", "jsonl", "json", "parquet"]
MAX_MB = 200
_NO_COLUMN = ""
_SPLITS = {
    "": "At random: 60 % train, 20 % validation, 20 % test",
    "train": "All to train",
    "validation": "All to validation",
    "test": "All to test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    filename: str
    result: ImportResult


def draw_import(ws: Workspace, task: Task, person: str) -> None:
    """Draw the import of a file into a task, and what became of the last one."""
    slot = f"import_{task.id}"
    file = st.file_uploader(
        "A file with one text a row",
        type=KINDS,
        max_upload_size=MAX_MB,
        key=f"{slot}_file_{st.session_state.get(f'{slot}_round', 0)}",
        help="CSV, TSV, JSON lines, JSON or Parquet, with names of columns. It stays here.",
    )
    if file is not None:
        with kindly():
            table = _head(file.file_id, file, file.name)
            columns = _draw_columns(task, table, slot)
            _draw_preview(table, columns)
            _warn(task, table, columns)
            rows = "all rows" if table.rest else count(len(table.rows), "row")
            if st.button(f"Import {rows}", type="primary", key=f"{slot}_go"):
                result = _import(ws, task, file, columns, person)
                st.session_state[f"{slot}_done"] = _Done(filename=file.name, result=result)
                st.session_state[f"{slot}_round"] = st.session_state.get(f"{slot}_round", 0) + 1
                st.rerun()
    elif f"{slot}_done" in st.session_state:
        _draw_result(st.session_state[f"{slot}_done"])


def _import(
    ws: Workspace, task: Task, file: UploadedFile, columns: Columns, person: str
) -> ImportResult:
    """Import a file, showing how far it is."""
    bar = st.progress(0.0, text="Reading the file …")
    st.caption(
        "Leaving or changing this page stops the import. What is stored then stays; importing the "
        "file again adds the rest."
    )

    def tell(done: int, total: int | None) -> None:
        share = min(1.0, done / total) if total else 0.0
        bar.progress(share, text=f"{done:,} of {total or 0:,} lines are stored")

    return import_examples(
        ws,
        task.id,
        data=file,
        filename=file.name,
        columns=columns,
        by=person,
        progress=tell,
    )


@st.cache_resource(max_entries=4, ttl=3600, show_spinner=False)
def _head(file_id: str, _file: UploadedFile, filename: str) -> Table:
    head = open_table(_file, filename).head
    if not head.columns:
        raise InputError(
            f"The rows of {filename} have no named values.", next_step="Choose another file."
        )
    return head


def _draw_columns(task: Task, table: Table, slot: str) -> Columns:
    names = list(table.columns)
    label, own_id = table.guess("label", task.written), table.guess("id")
    split = next((c for c in names if c.casefold() == "split"), "")
    with st.container(horizontal=True):
        text = st.selectbox(
            "Text", names, index=names.index(table.guess("text")), key=f"{slot}_text"
        )
        gold = st.selectbox(
            "Gold label",
            [_NO_COLUMN, *names],
            index=names.index(label) + 1 if label else 0,
            format_func=lambda c: c or "none: we label here",
            key=f"{slot}_label",
            help=f"{note('gold')} Labels of a file count as blind: take only those that no model "
            "suggested.",
        )
        where = st.selectbox(
            "Split",
            [*_SPLITS, *(f"column:{c}" for c in names)],
            index=len(_SPLITS) + names.index(split) if split else 0,
            format_func=lambda s: _SPLITS.get(s) or f"Column {s.removeprefix('column:')}",
            key=f"{slot}_split",
            help=note("split"),
        )
        ident = st.selectbox(
            "Id",
            [_NO_COLUMN, *names],
            index=names.index(own_id) + 1 if own_id else 0,
            format_func=lambda c: c or "line numbers",
            key=f"{slot}_id",
            help="With ids of your own, importing the file again adds only what is new.",
        )
        group = st.selectbox(
            "Keep together",
            [_NO_COLUMN, *names],
            format_func=lambda c: c or "nothing",
            key=f"{slot}_group",
            disabled=where != "",
            help="Rows with the same value here, e.g. one customer, never stand in two splits.",
        )
    return Columns(
        text=text,
        label=gold,
        split=where.removeprefix("column:"),
        id=ident,
        group=group if where == "" else "",
    )


def _draw_preview(table: Table, columns: Columns) -> None:
    used = [c for c in (columns.text, columns.label, columns.split, columns.id) if c]
    first = [c for c in dict.fromkeys(used) if c in table.columns]
    order = [*first, *(c for c in table.columns if c not in first)]
    rows = [{"Line": line, **{c: cells.get(c, "")[:300] for c in order}}
            for line, cells in table.rows[:8]]  # fmt: skip
    st.dataframe(rows, hide_index=True, key="import_preview", alt="The first rows of the file")
    if rest := len(table.rows) - len(rows) + table.rest:
        about = "about " if table.rest else ""
        st.caption(
            f"and {about}{count(rest, 'more row')}; columns that are not chosen become metadata."
        )


def _warn(task: Task, table: Table, columns: Columns) -> None:
    """Say before the import which rows will be rejected, so that a wrong column is seen."""
    among = f" of the first {len(table.rows):,}" if table.rest else ""
    if columns.label:
        known = task.written
        said = Counter(cells.get(columns.label, "").strip() for _, cells in table.rows)
        odd = {name: n for name, n in said.items() if name and name.casefold() not in known}
        if odd:
            shown = ", ".join(f"“{name[:30]}”" for name in list(odd)[:4])
            st.warning(
                f"{count(sum(odd.values()), 'row')}{among} will be rejected: {shown}"
                f"{' and others are' if len(odd) > 4 else ' is' if len(odd) == 1 else ' are'} "
                f"no label of this task, whose labels are {some_of(task.label_names)}."
            )
    if columns.split in table.columns:
        splits = {cells.get(columns.split, "").strip() for _, cells in table.rows}
        odd_splits = {name for name in splits if name.casefold() not in {*SPLIT_ALIASES, ""}}
        if odd_splits:
            st.warning(
                f"The column {columns.split} holds “{min(odd_splits)[:30]}”, which is not train, "
                "validation or test; such rows will be rejected."
            )


def _draw_result(done: _Done) -> None:
    result = done.result
    parts = [f"{count(result.added, 'example')} added from {done.filename}"]
    if result.labeled:
        parts.append(f"{result.labeled:,} with a gold label")
    if result.skipped:
        parts.append(f"{result.skipped:,} were here already")
    text = ", ".join(parts) + "."
    (st.success if result.added else st.info)(text)
    if not result.rejected:
        return
    st.warning(f"{count(len(result.rejected), 'row')} rejected; the others are in.")
    rows = [{"Line": line, "Reason": reason} for line, reason in result.rejected]
    st.dataframe(rows[:500], hide_index=True, key="import_rejected", alt="Rejected rows",
                 column_config={"Line": st.column_config.NumberColumn(width=70)})  # fmt: skip
    st.download_button(
        "Download the list",
        write_csv(rows, ["Line", "Reason"]),
        file_name="rejected.csv",
        mime="text/csv",
        key="import_rejected_csv",
    )
