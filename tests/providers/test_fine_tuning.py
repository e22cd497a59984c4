"""Trainings of a service: what its refusals mean, and where it says that one stands."""

import httpx2
import pytest

from studio.domain.finetune import FineTuneStatus
from studio.errors import AuthenticationError, ProviderError, RefusedRequestError
from studio.providers.failures import TrainingClosedError

from .helpers import ask, error

CLOSED = [
    error(403, message="You do not have permission to do this."),
    error(400, message="Model gpt-6-luna is not available for fine-tuning or does not exist.",
          code="model_not_available"),
    error(400, message="Fine-tuning is no longer accessible to new users."),
    error(400, message="The model has been deprecated.", param="model", code="model_deprecated"),
    error(404, message="Invalid URL (POST /v1/fine_tuning/jobs)", code="unknown_url"),
    error(405, message="Method not allowed"),
]  # fmt: skip
OTHER = [
    (error(401, message="Incorrect API key"), AuthenticationError),
    (error(400, message="invalid training_file: file-1 is not available"), RefusedRequestError),
    (error(400, message="too few examples", param="training_file"), RefusedRequestError),
    (error(400, message="This suffix is not allowed", param="suffix"), RefusedRequestError),
    (error(429, message="quota", code="insufficient_quota"), ProviderError),
    (error(500, message="not available"), ProviderError),
]


def create(reply):
    return ask(lambda request: reply, lambda p: p.create_fine_tune("file-1", "gpt-4.1-mini"))


@pytest.mark.parametrize(
    "reply", CLOSED, ids=lambda r: f"{r.status_code}-{r.json()['error']['message'][:20]}"
)
def test_a_refusal_of_the_account_or_the_model_is_told_apart(reply):
    with pytest.raises(TrainingClosedError) as caught:
        create(reply)
    assert "api.example.com" in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("reply", "kind"), OTHER, ids=lambda r: str(getattr(r, "status_code", "")))
def test_other_refusals_stay_what_they_are(reply, kind):
    with pytest.raises(kind) as caught:
        create(reply)
    assert not isinstance(caught.value, TrainingClosedError)


def job(status, **more):
    return {
        "id": "ftjob-1", "object": "fine_tuning.job", "created_at": 1, "model": "m",
        "fine_tuned_model": None, "error": None, "trained_tokens": None, "status": status,
        "training_file": "file-1", "result_files": [], "seed": 0, "hyperparameters": {},
        "organization_id": "o", "validation_file": None, "finished_at": None, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (job("queued", studio={"paused": True}), FineTuneStatus.PAUSED),
        (job("queued", studio={"paused": False}), FineTuneStatus.QUEUED),
        (job("paused"), FineTuneStatus.PAUSED),
        (job("pending"), FineTuneStatus.QUEUED),
        (job("notRunning"), FineTuneStatus.QUEUED),
        (job("canceled"), FineTuneStatus.CANCELLED),
        (job("succeeded", fine_tuned_model="ft:m"), FineTuneStatus.SUCCEEDED),
    ],
    ids=lambda told: told["status"] if isinstance(told, dict) else "",
)
def test_where_a_training_stands(told, status):
    found = ask(lambda request: httpx2.Response(200, json=told), lambda p: p.fine_tune("ftjob-1"))
    assert found.status is status


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_pause_and_resume_are_asked_for_by_their_paths(verb):
    paths = []

    def answer(request):
        paths.append((request.method, request.url.path))
        return httpx2.Response(200, json=job("paused" if verb == "pause" else "running"))

    ask(answer, lambda p: getattr(p, f"{verb}_fine_tune")("ftjob-1"))
    assert paths == [("POST", f"/v1/fine_tuning/jobs/ftjob-1/{verb}")]


def test_azure_is_asked_under_its_own_path():
    paths = []

    def answer(request):
        paths.append(str(request.url))
        return httpx2.Response(200, json=job("pending"))

    base = "https://mine.openai.azure.com/openai/v1/"
    ask(answer, lambda p: p.create_fine_tune("file-1", "gpt-4.1-mini"), base_url=base)
    assert paths == ["https://mine.openai.azure.com/openai/v1/fine_tuning/jobs"]
