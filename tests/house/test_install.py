"""Setting up: one sentence when it cannot be done, pip's own settings when it can."""

import subprocess
from pathlib import Path

import pytest

from scripts import browser, install

ROOT = Path(__file__).parents[2]


def test_no_python_is_one_sentence():
    done = subprocess.run(
        ["make", "setup-run", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert done.stderr.startswith("Python 3.11 or newer is needed")


def test_missing_venv_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(install, "has_venv", lambda: False)
    with pytest.raises(install.SetupError, match=r"install the package python3\.\d+-venv"):
        install.make_venv("here\n")


def test_an_old_python_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 0))
    with pytest.raises(install.SetupError, match=r"this is 3\.9"):
        install.make_venv("here\n")


def test_a_fresh_stamp_means_nothing_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    (tmp_path / "python").touch()
    (tmp_path / ".studio-dev").write_text(install.stamp_text())
    monkeypatch.setattr(install, "make_venv", lambda _: pytest.fail("set up again"))
    install.set_up("dev")
    install.set_up("run")


def test_pip_settings_reach_uv_and_lose_against_its_own():
    listing = (
        "global.index-url='https://mirror.example/simple'\n"
        "global.cert='/etc/ca.pem'\n"
        ":env:.find-links='one two'\n"
    )
    settings = install.uv_settings(install.read_configuration(listing), {"SSL_CERT_FILE": "mine"})
    assert settings["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert settings["UV_FIND_LINKS"] == "one,two"
    assert settings["UV_PYTHON_DOWNLOADS"] == "never"
    assert "SSL_CERT_FILE" not in settings


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_browser_fails_only_under_ci(monkeypatch, capsys, ci, code):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(browser, "install", lambda: False)
    assert browser.main() == code
    assert "apt-get install chromium" in capsys.readouterr().err
