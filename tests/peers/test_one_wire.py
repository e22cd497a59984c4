"""The same labeling and fine-tune, unchanged, against services that were written apart."""

import asyncio

import pytest

from studio.actions.finetunes import launch_finetune
from studio.actions.runs import Choice, export_run, run_status, start_run
from studio.domain.finetune import FineTuneStatus
from studio.embedded import EmbeddedServer
from studio.providers.openai_compatible import OpenAICompatible

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def scripted(open_studio, script):
    return open_studio(provider=script), script.name


@pytest.fixture
def embedded(open_studio, tmp_path):
    with EmbeddedServer(tmp_path / "embedded") as server:

        def connect(name):
            return OpenAICompatible(
                name, server.url, server.token, "studio-encoder", identity="embedded"
            )

        yield open_studio(provider=connect), "embedded"


@pytest.fixture
def aimock(start_aimock, connect):
    return connect(start_aimock()), "peer"


def told_by(service, remote_id):
    """Return what a training reported, asked for anew."""

    async def ask():
        try:
            return [event.message for event in await service.fine_tune_events(remote_id)]
        finally:
            await service.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "service", ["scripted", "embedded", pytest.param("aimock", marks=pytest.mark.peer)]
)
def test_labels_then_a_model_that_labels(service, request, fill, work, ledger):
    ws, provider = request.getfixturevalue(service)
    task = fill(ws, train=24)

    def label(**choice):
        run = start_run(
            ws, task.id, choice=Choice(**choice), splits=["validation"], provider=provider, by="Ada"
        )
        work(ws)
        return run

    told = run_status(ws, label().id)
    assert (told["status"], told["outcomes"], told["calls"]) == ("done", {"ok": 6}, 6)
    assert run_status(ws, label().id)["calls"] == 0  # the same questions are not asked again

    launched = launch_finetune(ws, task.id, provider=provider, by="Ada")
    work(ws, seconds=60)
    tuned = ws.read.finetunes.get(launched.id)
    assert (tuned.status, tuned.error) == (FineTuneStatus.SUCCEEDED, "")
    assert tuned.model.startswith("ft:")
    told = told_by(ws.provider(provider), tuned.remote_id)
    assert len(told) >= 3
    assert [event.message for event in ws.read.finetunes.events(tuned.id)] == told

    run = label(model=str(tuned.id))
    rows = export_run(ws, run.id)
    assert [row["label"] for row in rows] == [row["text"].split()[0] for row in rows]
    assert len(rows) == run.total == 6
    assert ledger(ws, run) == {"ok": 6}
