"""Where a hosted model can still be trained, by host, model and day."""

import pytest

from studio.domain.eligibility import Access, before_use, eligibility

OPENAI = "api.openai.com"
TODAY = "2026-11-22"


@pytest.mark.parametrize(
    ("host", "model", "today", "access", "days"),
    [
        (OPENAI, "gpt-4.1-mini", TODAY, Access.CLOSING, 45),
        (OPENAI, "gpt-4.1-mini-2025-04-14", TODAY, Access.CLOSING, 45),
        ("eu.api.openai.com:443", "gpt-4o", TODAY, Access.CLOSING, 45),
        (OPENAI, "ft:gpt-4o-mini-2024-07-18:org::abc", "2027-01-06", Access.CLOSING, 0),
        (OPENAI, "gpt-4.1", "2027-01-07", Access.CLOSED, None),
        (OPENAI, "", "2027-01-07", Access.CLOSED, None),
        (OPENAI, "gpt-4.1-nano", TODAY, Access.CLOSED, None),
        (OPENAI, "gpt-6-luna", TODAY, Access.CLOSED, None),
        (OPENAI, "", TODAY, Access.UNKNOWN, 45),
        (OPENAI, "gpt-4o-2024-05-13", TODAY, Access.UNKNOWN, 45),
        ("mine.openai.azure.com", "gpt-4.1", "2027-02-01", Access.UNKNOWN, None),
        ("api.together.xyz", "Qwen/Qwen3-8B", TODAY, Access.CLOSED, None),
        ("api.fireworks.ai", "", TODAY, Access.CLOSED, None),
        ("api.mistral.ai", "", TODAY, Access.CLOSED, None),
        ("notopenai.com", "gpt-4.1", "2027-02-01", Access.UNKNOWN, None),
        ("", "anything", "2030-01-01", Access.ALLOWED, None),
    ],
)
def test_access_by_host_model_and_day(host, model, today, access, days):
    found = eligibility(host, model, today)
    assert (found.access, found.days_left) == (access, days)
    assert bool(found.warning) is (access is not Access.ALLOWED)


@pytest.mark.parametrize("host", [OPENAI, "api.together.xyz", "x.openai.azure.com"])
def test_what_is_claimed_of_others_has_a_source_and_a_day(host):
    found = eligibility(host, "gpt-4.1", TODAY)
    assert found.source.startswith("https://")
    assert found.as_of == TODAY


def test_what_is_closed_says_what_to_do_instead():
    closed = eligibility(OPENAI, "gpt-4.1", "2027-01-07")
    assert "embedded provider" in closed.instead
    assert "--format fireworks" in eligibility("api.fireworks.ai", "", TODAY).instead


def test_a_model_of_azure_is_deployed_before_it_is_used():
    assert "deploy m.ft-1" in before_use("mine.openai.azure.com", "m.ft-1")
    assert before_use("mine.openai.azure.com", "") == before_use(OPENAI, "m") == ""
