"""Attacking a prompt from a terminal."""

from studio.handlers.injections import read_injections

N = len(read_injections())


def test_the_flip_rate_is_told_with_its_interval_and_families(studio, mail):
    told = studio("prompt", "attack", mail, "--json").json
    assert told["pairs"] == N
    assert set(told["flip_rate"]) == {"value", "low", "high", "n"}
    assert "forged" in told["families"]
    assert told["flip_rate"]["n"] == N - told["unsteady"] - told["unanswered"]
    said = studio("prompt", "attack", mail, "--times", 2)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("flip rate ")
    assert f"{2 * N} pairs" in said.out


def test_bad_use_is_told_in_a_sentence(studio, mail):
    assert "1 to 50" in studio("prompt", "attack", mail, "--times", 0, "--json").error["message"]
    assert studio("prompt", "attack", mail, "--prompt", "nobody", "--json").code == 2


def test_what_it_costs_is_told_before_and_after(studio, mail):
    expected = studio("prompt", "attack", mail, "--estimate", "--json").json
    assert studio("run", "list", mail, "--json").json == []
    told = studio("prompt", "attack", mail, "--json").json
    assert told["estimate"]["questions"] == expected["questions"] > 2 * N
    assert 0 < told["calls"] <= expected["questions"]
    assert told["cost_usd"] == expected["cost_usd"] == 0.0
    assert "cost $0; expected: " in studio("prompt", "attack", mail).out
