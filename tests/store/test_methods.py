"""Where probabilities come from, and by which path a provider is asked, is kept."""

import dataclasses

from studio.domain.run import Answer, ClassifierKind, Method, Outcome, Run, Wire
from studio.store import migrations
from studio.store.connection import connect
from studio.store.providers import ProviderEntry
from studio.store.runs import Result
from studio.store.store import Store


def test_of_older_answers_the_engine_tells_the_method(tmp_path, monkeypatch):
    path = tmp_path / "old.db"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:3])
        migrations.prepare(path)
    conn = connect(path)
    conn.executemany(
        "INSERT INTO response (key, model, outcome, label, probabilities, detail, at)"
        " VALUES (?, 'm', 'ok', 'a', ?, ?, '2026')",
        [
            ("ours", '{"a": 1.0}', '{"engine": "minilm"}'),
            ("theirs", '{"a": 1.0}', '{"notes": ["x"]}'),
            ("bare", "{}", '{"engine": "minilm"}'),
        ],
    )
    conn.execute(
        "INSERT INTO provider (name, base_url, added_by, at) VALUES ('p','u','Ada','2026')"
    )
    conn.close()
    store = Store(path)
    found = store.runs.cached(["ours", "theirs", "bare"])
    assert {key: answer.method for key, answer in found.items()} == {
        "ours": Method.SERVER,
        "theirs": Method.LOGPROBS,
        "bare": None,
    }
    assert store.providers.get("p").wire is Wire.AUTO
    store.close()


def test_a_provider_keeps_its_wire_and_may_get_another(ws):
    entry = ProviderEntry(name="p", base_url="u", wire=Wire.SYSTEMONE)
    ws.store.providers.save(entry, by="Ada", at="2026")
    assert ws.read.providers.get("p") == entry
    other = dataclasses.replace(entry, wire=Wire.RESPONSES)
    ws.store.providers.save(other, by="Ada", at="2026")
    assert ws.read.providers.all() == [other]


def test_a_run_tells_the_methods_of_its_confidences(ws, fill):
    task = fill(ws)
    ids = [example.id for example in ws.read.examples.all(task.id)][:4]
    run = Run(id=0, task_id=task.id, kind=ClassifierKind.PROMPT, title="t", total=4)
    run = dataclasses.replace(
        run, id=ws.store.runs.create(run, example_ids=ids, finetune_id=None, params={})
    )
    label = task.labels[0]
    answers = [
        Answer(outcome=Outcome.OK, label=label.name, probabilities={label.name: 0.9}, method=method)
        for method in (Method.DECISION, Method.DECISION, Method.LOGPROBS)
    ] + [Answer(outcome=Outcome.OK, label=label.name)]
    results = [
        Result(example_id=i, label_id=label.id, answer=answer, key=f"k{i}")
        for i, answer in zip(ids, answers, strict=True)
    ]
    ws.store.runs.commit(run, results, at="2026")
    assert ws.read.runs.methods(run.id) == {Method.DECISION: 2, Method.LOGPROBS: 1}
    assert ws.read.runs.answer(run.id, ids[0]) == answers[0]


def test_what_rules_say_is_a_probability_only_where_it_was_fitted_on_gold(ws, fill):
    task = fill(ws)
    ids = [example.id for example in ws.read.examples.all(task.id)][:1]
    label = task.labels[0]
    told = {}
    for name, joining in {
        "none": {},
        "expert": {"joining": {"method": "expert", "gold": 80}},
        "little gold": {"joining": {"method": "label_model", "gold": 49}},
        "fitted": {"joining": {"method": "weighted", "gold": 50}},
    }.items():
        run = Run(id=0, task_id=task.id, kind=ClassifierKind.RULES, title="t", total=1)
        number = ws.store.runs.create(run, example_ids=ids, finetune_id=None, params=joining)
        answer = Answer(outcome=Outcome.OK, label=label.name, probabilities={label.name: 0.9})
        results = [Result(example_id=ids[0], label_id=label.id, answer=answer)]
        ws.store.runs.commit(dataclasses.replace(run, id=number), results, at="2026")
        (told[name],) = ws.read.runs.methods(number)
        assert ws.read.runs.predictions(number)[0].method is told[name]
    assert told == {
        "none": Method.RULES,
        "expert": Method.RULES,
        "little gold": Method.RULES,
        "fitted": Method.WEIGHED,
    }
