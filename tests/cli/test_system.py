"""Backup, restore and doctor from a terminal."""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


def damage(path):
    data = bytearray(path.read_bytes())
    data[2 * 4096 : 6 * 4096] = b"\xaa" * (4 * 4096)
    path.write_bytes(data)


def test_the_doctor_of_a_healthy_workspace(studio, mail):
    said = studio("doctor", "--json")
    assert (said.code, said.err) == (0, "")
    assert all(f["ok"] is not False for f in said.json)
    assert set(said.json[0]) == {"check", "ok", "says", "next", "mended"}
    assert "wrong" not in studio("doctor").out


def test_the_doctor_tells_and_mends(studio, mail, opened):
    run = studio("run", "start", mail, "--json").json["run"]
    with opened[-1].store.transaction() as conn:
        conn.execute("UPDATE run SET done = 7")
    opened[-1].store.close()
    told = studio("doctor", "--json")
    assert told.code == 1
    assert [f["check"] for f in told.json if f["ok"] is False] == ["counts"]
    mended = studio("doctor", "--fix", "--json")
    assert mended.code == 0
    assert [f["check"] for f in mended.json if f["mended"]] == ["counts"]
    assert studio("run", "show", run, "--json").json["done"] == 36


def test_from_damage_to_a_restored_workspace(studio, mail, tmp_path):
    backup = studio("backup", tmp_path, "--keep", "3", "--json").json["file"]
    damage(tmp_path / "studio.db")
    before = (tmp_path / "studio.db").read_bytes()
    refused = studio("task", "list", "--json")
    assert refused.error["code"] == "damaged"
    assert "studio doctor" in refused.error["next"]
    told = studio("doctor", "--json")
    assert told.code == 1
    ((command, *_),) = ([f["next"]] for f in told.json if f["next"].startswith("studio restore"))
    assert (tmp_path / "studio.db").read_bytes() == before
    words = shlex.split(command)[1:]
    assert words == ["restore", backup]
    aside = studio(*words, "--json").json["aside"]
    assert Path(aside).read_bytes() == before
    assert [t["task"] for t in studio("task", "list", "--json").json] == [mail]


def test_a_damaged_file_makes_way(studio, mail, tmp_path):
    damage(tmp_path / "studio.db")
    assert "studio doctor --set-aside" in studio("doctor").out
    said = studio("doctor", "--set-aside", "--json")
    assert said.code == 0
    assert studio("task", "list", "--json").json == []


def test_a_setting_that_cannot_be_read(studio, mail, monkeypatch):
    monkeypatch.setenv("STUDIO_CONCURRENCY", "many")
    said = studio("doctor", "--json")
    assert said.code == 1
    found = {f["check"]: f for f in said.json}
    assert "STUDIO_CONCURRENCY='many' is not a number" in found["settings"]["says"]
    assert found["integrity"]["ok"]


def test_a_folder_that_is_not_there(studio, mail):
    assert "does not exist" in studio("backup", "nowhere/", "--json").error["message"]


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_one_that_is_stopped_leaves_nothing(studio, mail, tmp_path, number):
    learnt = tmp_path / "studio.db.embedded"
    learnt.mkdir()
    with (learnt / "large").open("wb") as file:
        for _ in range(60):
            file.write(os.urandom(1_000_000))
    before = {p.name for p in tmp_path.iterdir()} | {"studio.db.lock"}
    if shutil.disk_usage(tmp_path).free < 300_000_000:
        pytest.skip("this takes 300 MB")
    child = subprocess.Popen(
        [sys.executable, "-m", "studio.cli.main", "backup", tmp_path / "b.tgz",
         "-w", tmp_path / "studio.db"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".b.tgz.*/backup")) and time.monotonic() < until:
        time.sleep(0.01)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode in (1, 130)
    assert "Traceback" not in said
    assert {p.name for p in tmp_path.iterdir()} <= before


def test_who_ends_the_app_ends_its_server(studio, mail, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["app", "--no-browser", "--no-sample", "--port", str(port)]
    app = subprocess.Popen(
        [sys.executable, "-m", "studio.cli.main", *command],
        env=os.environ | {"STUDIO_WORKSPACE": str(tmp_path / "a.db"), "STUDIO_WORKER": "external"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        end = time.monotonic() + 60
        while not listens() and time.monotonic() < end and app.poll() is None:
            time.sleep(0.05)
        assert listens()
        app.send_signal(signal.SIGTERM)  # to the command alone, as a service manager does
        assert app.wait(timeout=30) == 0
        assert not listens()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(app.pid, signal.SIGKILL)
