"""Settings: from the environment, refused with what to write instead."""

import pytest

from studio.config import SETTINGS, data_folder, find_key, load_settings
from studio.errors import InputError


def test_defaults_and_a_named_workspace(tmp_path):
    settings = load_settings({})
    assert settings.workspace.is_absolute()
    assert settings.workspace.name == "studio.db"
    assert (settings.worker, settings.provider, settings.concurrency) == ("auto", "embedded", 16)
    named = load_settings({"STUDIO_WORKSPACE": "other.db"}, workspace=tmp_path / "mine.db")
    assert named.workspace == tmp_path / "mine.db"
    assert named.embedded_folder.parent == tmp_path
    assert load_settings({"STUDIO_WORKSPACE": "~/w.db"}).workspace.is_absolute()
    assert load_settings({"STUDIO_PERSON": ""}).person == ""


def test_every_setting_has_a_place_and_a_word_of_help():
    settings = load_settings({})
    for setting in SETTINGS:
        assert hasattr(settings, setting.name)
        assert setting.env.startswith("STUDIO_")
        assert setting.help.endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STUDIO_CONCURRENCY", "many"),
        ("STUDIO_CONCURRENCY", "1.5"),
        ("STUDIO_CONCURRENCY", "0"),
        ("STUDIO_CONCURRENCY", "-1"),
        ("STUDIO_TIMEOUT", "nan"),
        ("STUDIO_TIMEOUT", "inf"),
        ("STUDIO_WORKER", "maybe"),
        ("STUDIO_WORKSPACE", "~nobody-of-this-name/w.db"),
    ],
)
def test_what_cannot_be_read_is_named(name, value):
    with pytest.raises(InputError) as caught:
        load_settings({name: value})
    assert value.split("/")[0] in caught.value.message
    assert caught.value.next_step


def test_keys_come_from_the_environment_or_the_secrets_file(tmp_path):
    folder = tmp_path / ".streamlit"
    folder.mkdir()
    secrets = folder / "secrets.toml"
    assert find_key("A_KEY", {}, tmp_path) == ""
    secrets.write_text('A_KEY = "from the file"\nnumber = 7\n')
    assert find_key("A_KEY", {}, tmp_path) == "from the file"
    assert find_key("A_KEY", {"A_KEY": "from outside"}, tmp_path) == "from outside"
    assert find_key("", {"": "x"}, tmp_path) == find_key("number", {}, tmp_path) == ""
    for broken in (b"not = [toml", b"\xff\xfe\x00"):
        secrets.write_bytes(broken)
        assert find_key("A_KEY", {}, tmp_path) == ""


def test_the_data_is_where_it_is_looked_for():
    assert (data_folder() / "keto" / "examples.csv").is_file()


def test_a_workspace_has_one_name_whatever_links_lead_to_it(tmp_path, monkeypatch):
    """Two names would be two locks, two workers and two folders of models for one file."""
    (tmp_path / "a b – ü").mkdir()
    real = tmp_path.resolve() / "a b – ü" / "studio.db"
    (tmp_path / "link.db").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    for named in (tmp_path / "link.db", "link.db", "a b – ü/../link.db"):
        assert load_settings({}, workspace=named).workspace == real
    settings = load_settings({"STUDIO_WORKSPACE": "a b – ü/studio.db"})
    monkeypatch.chdir("/")
    assert settings.workspace == real
