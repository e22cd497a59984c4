"""What many tests share: a workspace of its own, a small task, a worker in this process."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from studio.bootstrap import make_worker, open_workspace
from studio.domain.example import Split
from studio.domain.run import Answer, Outcome
from studio.errors import NotFoundError
from studio.providers.scripted import ScriptedProvider

LONG = ("browser", "docs", "faults")


def pytest_collection_modifyitems(config, items):
    """Where several processes share the tests, give each a file at a time, the longest first.

    All that a browser does is one process's: two at once on two cores are slower than people ever
    see, and what comes last would leave the other processes idle. All else stays in its random
    order.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent.name not in LONG)
        for item in items:
            folder, file = item.path.parent.name, item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group(folder if folder == "browser" else file))


def nothing():
    """Start no worker."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data, or a skip that says what it would have been for."""
    folder = Path(os.environ.get("STUDIO_SHARED", "../shared"))
    if not (folder / "datasets").is_dir():
        pytest.skip(f"no real data at {folder}: set STUDIO_SHARED to test with it")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A workspace that is migrated and empty; copying it costs less than making one."""
    path = tmp_path_factory.mktemp("template") / "studio.db"
    ws = open_workspace(path, wake=nothing)
    with ws.store.transaction() as conn:
        conn.execute("DELETE FROM setting")  # each copy takes a number of its own
    ws.store.checkpoint()
    ws.read.close()
    ws.store.close()
    return path


@pytest.fixture
def plain_env(monkeypatch):
    """No settings from outside."""
    for name in list(os.environ):
        if name.startswith("STUDIO_") and name != "STUDIO_SHARED":
            monkeypatch.delenv(name)


@pytest.fixture
def open_studio(template, tmp_path, plain_env):
    """Open workspaces by name.

    `provider` is a provider, several by name, a function, or "real": as the studio opens them.
    """
    opened = []

    def start(name="studio.db", *, provider=None, **more):
        path = tmp_path / name
        if not path.exists():
            shutil.copyfile(template, path)
        ws = open_workspace(path, provider=_opener(provider), wake=nothing, **more)
        opened.append(ws)
        return ws

    yield start
    for ws in opened:
        ws.read.close()
        ws.store.close()


def _opener(provider):
    if provider is None:
        provider = keyword_script()
    if provider == "real":
        return None
    if callable(provider):
        return provider
    named = provider if isinstance(provider, dict) else {"embedded": provider}

    def find(name):
        if name not in named:
            raise NotFoundError(f"There is no provider {name!r}.")
        return named[name]

    return find


def keyword_script(**more):
    """Return a script that says ham or spam by a word of the text, and abstains without one."""

    def answer(question):
        said = question.messages[-1]["content"]
        for label in ("spam", "ham"):
            if label in said and label in question.label_names:
                sure = 0.5 + (len(said) % 50) / 100
                rest = (1 - sure) / (len(question.label_names) - 1)
                odds = dict.fromkeys(question.label_names, rest) | {label: sure}
                return Answer(
                    outcome=Outcome.OK, label=label, probabilities=odds, model="scripted-1"
                )
        return Answer(outcome=Outcome.ABSTAINED, model="scripted-1")

    return ScriptedProvider(answer, name="embedded", **more)


@pytest.fixture
def script():
    """The provider behind `ws`."""
    return keyword_script()


@pytest.fixture
def ws(open_studio, script):
    """An empty workspace whose provider is `script`."""
    return open_studio(provider=script)


@pytest.fixture
def fill():
    """Put a task with examples, and gold where wished, into a workspace."""
    return fill_task


def fill_task(
    ws, name="mail", *, train=12, validation=6, test=6, gold=True, labels=("ham", "spam")
):
    """Return a task whose examples say their label in turn: "spam number 1" is spam."""
    from studio.actions.examples import Columns, import_examples
    from studio.actions.tasks import create_task

    task = create_task(
        ws, name=name, labels=labels, definitions={labels[0]: "wanted"}, question="Is it?", by="Ada"
    )
    sizes = {Split.TRAIN: train, Split.VALIDATION: validation, Split.TEST: test}
    lines = ["id,text,label,split,source"]
    for split, size in sizes.items():
        for i in range(size):
            said = labels[i % len(labels)]
            lines.append(f"{split[:2]}{i},{said} number {split[:2]} {i},{said},{split},s{i % 3}")
    if len(lines) > 1:
        columns = Columns(label="label" if gold else "", split="split", id="id")
        data = "\n".join(lines).encode()
        import_examples(ws, task.id, data=data, filename="mail.csv", columns=columns, by="Ada")
    return ws.store.tasks.get(task.id)


@pytest.fixture
def work():
    """Run the real worker in this thread until no job can be worked on."""
    return work_off


def work_off(ws, *, until=None, seconds=20.0, worker=None):
    """Let a worker of the workspace run until a condition holds; by default until all is done."""

    def idle():
        return not any(job.want == "run" or job.status == "running" for job in ws.store.jobs.open())

    async def run():
        busy = worker or make_worker(ws)
        running = asyncio.create_task(busy.run())
        try:
            async with asyncio.timeout(seconds):
                while not (until or idle)() and not running.done():
                    await asyncio.sleep(0.005)
        finally:
            busy.stop()
            await running

    asyncio.run(run())


@pytest.fixture
def quick(monkeypatch):
    """Wait for nothing between tries and looks."""
    monkeypatch.setattr("studio.handlers.pacing.BACKOFF_S", 0.0)
    monkeypatch.setattr("studio.handlers.pacing.PATIENCE_S", 0.3)
    monkeypatch.setattr("studio.handlers.calling.TELL_S", 0.01)
    monkeypatch.setattr("studio.handlers.calling.DRAIN_S", 0.2)
    monkeypatch.setattr("studio.handlers.finetunes.POLL_LOCAL_S", 0.005)
    monkeypatch.setattr("studio.handlers.finetunes.POLL_REMOTE_S", 0.005)
