"""System One: the published suite, the two wires against each other, and what must not be a 500."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.embedded.questions import choice_confidence, score_confidence

from .conftest import PROMPT

REFUND = {"type": "noul", "instructions": "The customer wants money back."}
TEAM = {
    "type": "choice",
    "instructions": "Which team should handle this ticket?",
    "criteria": {
        "Billing": "Payments, invoices, refunds",
        "Technical": {"covers": ["Bugs", "outages"]},
        "Sales": None,
    },
}
ANGER = {"type": "score", "criteria": ["Calm and polite", "Annoyed", ["Furious", "threatens"]]}
TICKET = "I was charged twice for my invoice and want a refund."


@pytest.fixture
def send(raw):
    def call(questions, state=TICKET, model="jev-latest", **more):
        body = {"model": model, "state": state, "questions": questions, **more}
        return raw("POST", "/systemone", json=body)

    return call


@pytest.fixture
def evaluate(send):
    def call(questions, state=TICKET, **more):
        reply = send(questions, state, **more)
        assert reply.status_code == 200, reply.text
        return reply.json()["answers"]

    return call


def test_jevcompat_passes_every_requirement(server):
    runner = pytest.importorskip("jevcompat.runner", reason="jevcompat is not installed here")
    report = runner.run(server.url.removesuffix("/v1"), key=server.token)
    told = {one.id: one.status for one in report.results}
    assert report.verdict == "conformant", report.summary()
    assert report.count("MUST", "pass") == 32
    assert [name for name, status in told.items() if status == "fail"] == []
    assert told["auth.bearer"] == "pass"


def test_all_three_kinds(send):
    reply = send({"refund": REFUND, "team": TEAM, "anger": ANGER}).json()
    assert reply["model"] == "studio-encoder"
    assert reply["usage"]["input_tokens"] > 20
    refund, team, anger = (reply["answers"][name] for name in ("refund", "team", "anger"))
    assert refund["noul"] > 0.5
    assert team["choice"] == "Billing"
    chances = list(team["probabilities"].values())
    assert team["confidence"] == choice_confidence(chances)
    levels = [anger["probabilities"][str(number)] for number in range(3)]
    assert anger["legend"] == {"0": ANGER["criteria"][0], "1": "Annoyed", "2": ANGER["criteria"][2]}
    assert anger["score"] == pytest.approx(levels[1] + 2 * levels[2], abs=1e-5)
    assert anger["confidence"] == score_confidence(levels)
    assert team["x_studio"]["evidence"][0]["label"] == "Billing"


@pytest.mark.parametrize(
    "criteria",
    [None, {}, {"true": "asks for money back"}, {"false": "asks for nothing"},
     {"true": "asks for money back", "false": ["says", "thanks"]}],
)  # fmt: skip
def test_criteria_of_a_noul_may_be_one_sided(evaluate, criteria):
    wanted, thanked = (
        evaluate({"q": REFUND | {"criteria": criteria}}, state)["q"]["noul"]
        for state in ("Please give me my money back.", "Thanks, all is well with the weather.")
    )
    assert wanted > thanked


@pytest.mark.parametrize(
    ("question", "even"),
    [
        ({"type": "noul"}, {"noul": 0.5}),
        ({"type": "noul", "instructions": "It is not a refund."}, {"noul": 0.5}),
        ({"type": "choice", "criteria": {"yes": None, "no": None}},
         {"choice": "no", "probabilities": {"yes": 0.5, "no": 0.5}, "confidence": 0.0}),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_even_chances_and_a_note(evaluate, question, even):
    answer = evaluate({"q": question})["q"]
    assert {key: answer[key] for key in even} == even
    assert answer["x_studio"]["notes"]


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "choice", "criteria": {"yes": "Yes", "no": None}},
        {"type": "choice", "criteria": {"false": "No.", "true": "Yes."}},
        {"type": "score", "criteria": ["No", "Yes"]},
    ],
)
def test_a_yes_or_no_in_any_kind_is_the_same_question(evaluate, asked):
    found = evaluate({"a": REFUND, "b": asked | {"instructions": REFUND["instructions"]}})
    chances = found["b"]["probabilities"]
    wanted = next(chances[name] for name in ("yes", "true", "1") if name in chances)
    assert wanted == found["a"]["noul"] > 0.5
    assert found["b"]["x_studio"]["evidence"][0]["label"] in chances


def test_both_wires_give_the_same_figures(evaluate, raw):
    choices = [{"value": name, "description": "covers: Bugs\ncovers: outages" if name == "Technical"
                else TEAM["criteria"][name]} for name in TEAM["criteria"]]  # fmt: skip
    body = {
        "model": "studio-encoder",
        "input": TICKET,
        "questions": [
            {"type": "choice", "instructions": TEAM["instructions"], "choices": choices},
            {"type": "predicate", "instructions": REFUND["instructions"]},
        ],
    }
    choice, statement = raw("POST", "/decisions", json=body).json()["answers"]
    there = evaluate({"team": TEAM, "refund": REFUND})
    found = {one["value"]: one["probability"] for one in choice["probabilities"]}
    assert found == there["team"]["probabilities"]
    assert choice["confidence"] == there["team"]["confidence"]
    assert statement["probability"] == there["refund"]["noul"]


def test_a_state_in_any_form(evaluate):
    plain = evaluate({"q": REFUND}, "Give me my money back")["q"]["noul"]
    for state in (
        {"text": "Give me my money back"}, ["Give me my money back"],
        {"ticket": {"body": [None, "Give me my money back"]}}, '{"text": "Give me my money back"}',
    ):  # fmt: skip
        assert evaluate({"q": REFUND}, state)["q"]["noul"] == plain


def test_a_trained_model_answers(evaluate, trained):
    model = trained.fine_tuned_model
    asked = {"type": "choice", "instructions": PROMPT, "criteria": {"keto": None, "not_keto": None}}
    level = {"type": "score", "criteria": ["not_keto", "keto"]}
    found = evaluate({"c": asked, "s": level}, "grilled salmon with butter", model=model)
    assert found["c"]["choice"] == "keto"
    assert found["s"]["score"] == pytest.approx(found["c"]["probabilities"]["keto"], abs=1e-5)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
options = st.dictionaries(words, st.none() | words, min_size=2, max_size=9)
told = settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@told
@given(options, st.randoms(use_true_random=False), words)
def test_label_order_changes_nothing(evaluate, criteria, dice, instructions):
    shuffled = list(criteria.items())
    dice.shuffle(shuffled)
    one, other = (
        evaluate({"q": {"type": "choice", "instructions": instructions, "criteria": dict(pairs)}})
        for pairs in (criteria.items(), shuffled)
    )
    assert one["q"]["probabilities"] == other["q"]["probabilities"]
    assert (one["q"]["choice"], one["q"]["confidence"]) == (
        other["q"]["choice"], other["q"]["confidence"],
    )  # fmt: skip
    assert set(one["q"]["probabilities"]) == set(criteria)
    assert sum(one["q"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_names_that_read_alike_keep_their_order_out(evaluate):
    asked = {"type": "choice", "instructions": "a_b: bread\nA-B: butter"}
    criteria = {"a_b": "rice", "A B": "salmon", "A-B": None}
    found = [
        evaluate({"q": asked | {"criteria": dict(pairs)}})["q"]["probabilities"]
        for pairs in (criteria.items(), reversed(criteria.items()))
    ]
    assert found[0] == found[1]


def test_255_labels(evaluate):
    pairs = [
        (f"Queue {number}: {'x' * (number % 7)}\n", f"topic {number}") for number in range(254)
    ]
    pairs.append(("Refunds", "money back for an invoice charged twice"))
    random.Random(1).shuffle(pairs)
    answer = evaluate({"q": {"type": "choice", "criteria": dict(pairs)}})["q"]
    assert answer["choice"] == "Refunds"
    assert len(answer["probabilities"]) == 255
    again = evaluate({"q": {"type": "choice", "criteria": dict(sorted(pairs))}})["q"]
    assert again["probabilities"] == answer["probabilities"]


def deep(levels):
    value = "salt"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({"model": "m", "questions": {}}, ["state"], "missing"),
        ({"state": "", "model": 3, "questions": {}}, ["model"], "string_type"),
        ({"state": None, "model": "m", "questions": {"q": REFUND}}, ["state"], "union_type"),
        ({"state": deep(70), "model": "m", "questions": {"q": REFUND}}, ["state"],
         "recursion_loop"),
        ({"state": "", "model": "m", "questions": {}}, ["questions"], "too_short"),
        ({"state": "", "model": "m", "questions": []}, ["questions"], "dict_type"),
        ({"state": "", "model": "m", "questions": {"q": {}}}, ["questions", "q", "type"],
         "missing"),
        ({"state": "", "model": "m", "questions": {"q": {"type": "boolean"}}},
         ["questions", "q", "type"], "literal_error"),
        ({"state": "", "model": "m", "questions": {"q": TEAM | {"criteria": {"a": None}}}},
         ["questions", "q", "criteria"], "too_short"),
        ({"state": "", "model": "m", "questions": {"q": ANGER | {"criteria": ["a", None]}}},
         ["questions", "q", "criteria", 1], "union_type"),
        ({"state": "", "model": "m", "questions": {"q": ANGER | {"criteria": ["a"] * 11}}},
         ["questions", "q", "criteria"], "too_long"),
        ({"state": "", "model": "m", "questions": {"q": REFUND | {"criteria": {"maybe": "x"}}}},
         ["questions", "q", "criteria"], "model_type"),
        ([], [], "json_invalid"),
    ],
)  # fmt: skip
def test_a_bad_request_names_its_place(raw, body, place, kind):
    reply = raw("POST", "/systemone", json=body)
    (fault,) = reply.json()["detail"]
    assert (reply.status_code, fault["loc"], fault["type"]) == (422, ["body", *place], kind)
    assert fault["msg"]


def test_other_errors_have_this_wire_s_shape(server, raw, send):
    missing = send({"q": REFUND}, model="nothing")
    assert (missing.status_code, missing.json()["detail"]["error_type"]) == (404, "model_not_found")
    refused = raw("POST", "/systemone", headers={"authorization": "Bearer x"}, content=b"{}")
    assert refused.status_code == 401
    assert refused.json()["detail"]["error_type"] == "authentication_error"
    assert server.token not in refused.text
    assert raw("GET", "/systemone").json()["detail"]["error_type"] == "method_not_supported"


@pytest.mark.parametrize(
    "content",
    [
        b'{"model":"jev-latest","state":"\\ud800","questions":{"\\udfff":{"type":"noul",'
        b'"instructions":"\\ud83d x"}}}',
        b'{"model":"jev-latest","state":"a","questions":{"q":{"type":"choice",'
        b'"criteria":{"\\ud800":null,"\\ud801":null}}}}',
        b'{"model":"jev-latest","state":[NaN,1e999],"questions":{"q":{"type":"noul"}}}',
        b'{"model":"jev-latest","state":"a","questions":{"q":{"type":"score",'
        b'"criteria":["a",{"b":Infinity}]}}}',
        b'{"model":"jev-latest","state":' + b"[" * 3000 + b"]" * 3000 + b',"questions":{}}',
        b'{"model":"jev-latest","state":"a","questions":{"q":{"type":"noul","instructions":'
        + b"9" * 5000 + b"}}}",
        b'\xff\xfe{"model"', b"", b'"x"', b"nul",
    ],
)  # fmt: skip
def test_hostile_bytes_are_answered_or_refused(raw, content):
    reply = raw("POST", "/systemone", content=content)
    assert reply.status_code in (200, 422), reply.text
    assert reply.json()


def test_a_state_of_ten_thousand_values(evaluate):
    state = {f"key {number}": number for number in range(10_000)}
    answer = evaluate({"q": REFUND}, state)["q"]
    assert answer["x_studio"]["truncated"] is True


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=8,
)  # fmt: skip


@told
@given(st.sampled_from(["noul", "choice", "score"]), json_values, json_values, json_values)
def test_nothing_is_a_fault_of_ours(raw, kind, state, instructions, criteria):
    question = {"type": kind, "instructions": instructions, "criteria": criteria}
    body = {"model": "jev-latest", "state": state, "questions": {"q": question}}
    reply = raw("POST", "/systemone", content=json.dumps(body).encode("utf-8", "surrogatepass"))
    assert reply.status_code in (200, 422), reply.text
