"""The built wheel carries the app and its data, and works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_wheel_carries_app_pages_and_data(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"app.py", "asgi.py", ".streamlit/config.toml"}
    wanted |= {f"pages/{p.name}" for p in (ROOT / "pages").glob("*.py")}
    wanted |= {f"data/keto/{p.name}" for p in (ROOT / "data" / "keto").glob("*.*") if p.is_file()}
    assert {name for name in wanted if f"studio/_app/{name}" not in names} == set()


def test_wheel_holds_nothing_else_at_its_top(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert len(tops) == 2
    assert "studio" in tops
    assert not [n for n in zipfile.ZipFile(wheel).namelist() if "__pycache__" in n or "tests" in n]


def test_installed_wheel_finds_its_app(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    done = subprocess.run(
        [sys.executable, "-c", "from studio.config import app_folder; print(app_folder())"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    assert folder.is_relative_to(tmp_path / "site")
    assert (folder / "app.py").is_file()
    assert (folder / "data" / "keto").is_dir()
