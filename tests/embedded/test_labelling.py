"""What a business user sees: an edit of the prompt moves labels, and the reply says why."""

import json
from concurrent.futures import ThreadPoolExecutor

from .conftest import KETO, NOT_KETO, PROMPT, messages, strict


def test_it_reads_the_definitions(label):
    right = [label(text)[0] == "keto" for text in KETO]
    right += [label(text)[0] == "not_keto" for text in NOT_KETO]
    assert sum(right) / len(right) > 0.8


def test_an_edit_moves_labels_and_names_the_line(label):
    before, _ = label("a bowl of blueberries")
    line = "- keto: blueberries and other berries are allowed"
    after, told = label("a bowl of blueberries", PROMPT.replace("Reasons:", f"Reasons:\n{line}"))
    assert (before, after) == ("not_keto", "keto")
    nearest = told["evidence"][0]
    assert nearest["line"] == "blueberries and other berries are allowed"
    assert (nearest["label"], nearest["kind"]) == ("keto", "reason")
    assert 0.5 < nearest["weight"] <= 1


def test_examples_in_the_prompt_count(label):
    fish = ["pickled herring with onion", "smoked herring", "herring in cream", "salted herring"]
    shots = [(text, "not_keto") for text in fish] + [(text, "keto") for text in ("toast", "rusk")]
    before, _ = label("pickled herring")
    after, told = label("pickled herring", shots=shots * 2)
    assert (before, after) == ("keto", "not_keto")
    assert any(one["kind"] == "few_shot" for one in told["evidence"])


def test_the_reply_says_what_it_could_not_use(label):
    _, told = label("grilled salmon")
    assert told["engine"] == "minilm-int8"
    assert "Think step by step." in told["unused_lines"]
    assert set(told["probabilities"]) == {"keto", "not_keto"}
    assert told["notes"] == []
    assert (told["truncated"], told["not_english"]) == (False, False)


def test_odd_texts_are_flagged(label):
    assert label("word " * 400)[1]["truncated"] is True
    assert label("Der Lachs ist nicht mit Reis und Brot")[1]["not_english"] is True
    assert "The text is empty." in label("")[1]["notes"]
    assert label("\x00\ud800 <script>" * 30)[0] in ("keto", "not_keto")


def test_a_negated_label_without_a_definition(label):
    system = "Labels:\n- keto: meat, fish, eggs and cheese"
    fish, told = label("grilled fish with cheese", system)
    other, _ = label("a letter from the tax office", system)
    assert (fish, other) == ("keto", "not_keto")
    assert any("Give not_keto a definition" in note for note in told["notes"])


def test_what_others_need_is_accepted(client):
    """Seed, temperature and a limit on tokens change nothing: the same question, one answer."""

    def asked(**more):
        reply = client.chat.completions.create(
            model="studio-encoder",
            messages=messages("grilled salmon"),
            response_format=strict("keto", "not_keto"),
            **more,
        )
        return reply.choices[-1].message.content, reply.system_fingerprint

    plain = asked()
    assert asked(seed=7, n=3, max_completion_tokens=64, temperature=1.0, store=False) == plain
    assert asked(seed=8, max_tokens=64, reasoning_effort="none", user="u") == plain


def test_logprobs_are_label_probabilities(client):
    reply = client.chat.completions.create(
        model="studio-encoder",
        messages=messages("grilled salmon"),
        response_format=strict("keto", "not_keto"),
        logprobs=True,
        top_logprobs=5,
    )
    (token,) = reply.choices[0].logprobs.content
    assert token.token == "keto"
    assert [one.token for one in token.top_logprobs] == ["keto", "not_keto"]
    assert bytes(token.bytes).decode() == "keto"


def test_plain_text_and_other_fields(client):
    reply = client.chat.completions.create(
        model="studio-encoder",
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": PROMPT}]},
            {"role": "user", "content": "grilled salmon"},
        ],
    )
    assert json.loads(reply.choices[0].message.content) == {"label": "keto"}
    form = strict("keto", "not_keto")
    fields = form["json_schema"]["schema"]["properties"]
    fields["why"] = {"type": "string"}
    reply = client.chat.completions.create(
        model="studio-encoder",
        messages=[
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": json.dumps({"text": "grilled salmon", "menu": "A"})},
        ],
        response_format=form,
    )
    assert json.loads(reply.choices[0].message.content) == {"label": "keto", "why": ""}
    notes = " ".join(reply.model_extra["studio"]["notes"])
    assert "why" in notes
    assert "menu" in notes


def test_many_at_once_get_their_own_answers(label):
    texts = [f"{text} number {number}" for number, text in enumerate(KETO + NOT_KETO)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda text: label(text)[1]["probabilities"], texts))
    assert together == [label(text)[1]["probabilities"] for text in texts]
