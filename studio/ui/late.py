"""Messages of a page that was left, which arrive while the next one is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType


@contextmanager
def page_kept() -> Iterator[None]:
    """Keep the page drawn within on the screen, whatever the page before still sends.

    A label's message, or the clock of a job's progress, goes out a moment before or after a click
    on another page. Streamlit puts it behind that page's run and then turns back to the page it
    came from, where it finds nothing to draw: the screen stays empty. Here it is taken as sent
    from the page that is shown. What it holds is stored all the same.
    """
    try:
        yield
    finally:
        _take_as_sent_from_here()


def _take_as_sent_from_here() -> None:
    ctx = get_script_run_ctx()
    requests = ctx.script_requests if ctx is not None else None
    if ctx is None or requests is None:
        return
    with requests._lock:
        late = requests._rerun_data
        waits = requests._state is ScriptRequestType.RERUN and late.fragment_id_queue
        if waits and late.page_script_hash != ctx.page_script_hash:
            requests._rerun_data = replace(late, page_script_hash=ctx.page_script_hash)
