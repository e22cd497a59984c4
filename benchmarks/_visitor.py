"""A visitor of the app without a browser: a websocket that speaks Streamlit's protocol.

It does what the browser does for a page of ours: says its name, reads what is drawn, sends what a
widget holds, and waits until the script has run to its end. It counts bytes as they are before the
websocket squeezes them.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

MEMORY = "browser_memory"
LONGEST_S = 120.0
_DONE = frozenset({ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY})


@dataclass(frozen=True, slots=True)
class Drawn:
    """An element as it was drawn last, and the fragment it is in."""

    element: Element
    fragment: str


@dataclass(slots=True)
class Visitor:
    """One open page of one person.

    Attributes:
        url: The app's address, `http://…`.
        person: The name it gives.
        page: The page's name in its address.
        query: What stands behind it.
        drawn: What is drawn, by its place.
        bytes: What the server sent in answer to what was done last.
        errors: What the app said went wrong.
    """

    url: str
    person: str
    page: str = "label"
    query: dict[str, str] = field(default_factory=dict)
    drawn: dict[tuple[int, ...], Drawn] = field(default_factory=dict)
    bytes: int = 0
    errors: list[str] = field(default_factory=list)
    _socket: ClientConnection | None = None
    _known: dict[str, ForwardMsg] = field(default_factory=dict)
    _states: dict[str, tuple[str, Any]] = field(default_factory=dict)

    _script: str = ""

    async def __aenter__(self) -> Self:
        """Open the page and stay until it is drawn whole."""
        address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
        self._socket = await connect(address, subprotocols=["streamlit"], max_size=None)
        await self._ask()
        memory = self.component(MEMORY)
        if memory is not None:
            await self.send(memory, {"name": self.person})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the page."""
        if self._socket is not None:
            await self._socket.close()

    def component(self, name: str) -> Drawn | None:
        """Return a component of ours, or the grid, by a part of its key or name."""
        for one in self.drawn.values():
            kind = one.element.WhichOneof("type")
            if kind in ("bidi_component", "component_instance"):
                part = getattr(one.element, kind)
                if name in part.id or name in part.component_name:
                    return one
        return None

    def data(self, name: str) -> dict[str, Any]:
        """Return what a component was given."""
        found = self.component(name)
        if found is None:
            raise LookupError(f"{name} is not drawn; {self.errors}")
        kind = found.element.WhichOneof("type")
        part = getattr(found.element, str(kind))
        given: dict[str, Any] = json.loads(
            part.json if kind == "bidi_component" else part.json_args
        )
        return given

    async def send(self, to: Drawn, value: Any) -> float:
        """Have a component hold a value; return the seconds until the script had run."""
        part = getattr(to.element, str(to.element.WhichOneof("type")))
        self._states[part.id] = ("json_value", json.dumps(value))
        return await self._ask(to.fragment)

    async def hold(self, key: str, choice: list[str]) -> float:
        """Turn a segmented control, by the beginning of its key; return the page's seconds."""
        ids = [one.element.button_group.id for one in self.drawn.values()]
        found = next(name for name in ids if f"-{key}" in name)
        self._states[found] = ("string_array_value", choice)
        return await self._ask()

    async def _ask(self, fragment: str = "") -> float:
        assert self._socket is not None, "the page is not open"
        message = BackMsg()
        client = message.rerun_script
        client.query_string = urlencode(self.query)
        client.page_name = "" if self._script else self.page
        client.page_script_hash = self._script
        client.fragment_id = fragment
        client.cached_message_hashes.extend(self._known)
        for name, (kind, value) in self._states.items():
            state = client.widget_states.widgets.add(id=name)
            if isinstance(value, list):
                getattr(state, kind).data.extend(value)
            else:
                setattr(state, kind, value)
        self.bytes, began = 0, time.perf_counter()
        await self._socket.send(message.SerializeToString())
        await asyncio.wait_for(self._listen(), LONGEST_S)
        return time.perf_counter() - began

    async def _listen(self) -> None:
        """Take what comes until the script has run; one that begins again at once is waited for."""
        assert self._socket is not None, "the page is not open"
        while True:
            raw = await self._socket.recv()
            self.bytes += len(raw)
            message = ForwardMsg.FromString(raw if isinstance(raw, bytes) else raw.encode())
            if message.ref_hash:
                kept = ForwardMsg()
                kept.CopyFrom(self._known[message.ref_hash])
                kept.metadata.CopyFrom(message.metadata)
                message = kept
            elif message.metadata.cacheable:
                self._known[message.hash] = message
            if self._take(message):
                return

    def _take(self, message: ForwardMsg) -> bool:
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            return message.script_finished in _DONE
        if kind == "new_session":
            if not message.metadata.run.fragment_ids:
                self.drawn.clear()
        elif kind == "navigation":
            is_open = any(page.url_pathname == self.page for page in message.navigation.app_pages)
            self._script = message.navigation.page_script_hash if is_open else ""
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            place = tuple(message.metadata.delta_path)
            self.drawn[place] = Drawn(element, message.delta.fragment_id)
            if element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message)
        return False
