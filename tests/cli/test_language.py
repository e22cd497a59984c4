"""Texts that the reader does not know the language of are told of once, where a run is shown."""

from studio.domain.run import Answer, Outcome
from studio.providers.scripted import ScriptedProvider


def reader(foreign):
    def answer(question):
        text = question.messages[-1]["content"]
        return Answer(
            outcome=Outcome.OK, label="ham", model="m", detail={"not_english": foreign in text}
        )

    return ScriptedProvider(answer, name="embedded")


def test_a_run_and_its_evaluation_warn_of_texts_that_are_not_english(studio, mail):
    said = studio("run", "start", mail, "--wait", provider=reader("number 1 of")).out
    assert said.count("2 of 36 texts looked at do not seem to be English") == 1
    assert studio("evaluate", "1").out.count("2 of 36 texts") == 1
    assert "2 of 36" in studio("run", "show", "1", "--json").json["language"]


def test_nothing_is_said_where_all_are_english(studio, mail):
    assert "English" not in studio("run", "start", mail, "--wait", provider=reader("none")).out
    assert studio("evaluate", "1", "--json").json["language"] is None
