"""Backups from outside: only plain files of known places are unpacked, and no more than fits."""

import gzip
import io
import shutil
import tarfile

import pytest

from studio.errors import DiskFullError, InputError
from studio.store import archives
from studio.store.archives import check_archive, unpack, write_archive


def entry(name, kind=tarfile.REGTYPE, data=b"x", **more):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def archive(path, *entries):
    with tarfile.open(path, "w:gz") as made:
        for info, data in entries:
            made.addfile(info, io.BytesIO(data) if info.size else None)
    return path


DATABASE = entry("workspace.db", data=b"SQLite")
HARMFUL = {
    "above": entry("../evil"),
    "above, inside": entry("embedded/../../evil"),
    "from the root": entry("/tmp/evil"),
    "elsewhere": entry("notes.txt"),
    "symbolic link": entry("embedded/link", tarfile.SYMTYPE, b"", linkname="/etc/passwd"),
    "link": entry("embedded/link", tarfile.LNKTYPE, b"", linkname="workspace.db"),
    "pipe": entry("embedded/pipe", tarfile.FIFOTYPE, b""),
    "device": entry("embedded/null", tarfile.CHRTYPE, b"", devmajor=1, devminor=3),
    "twice": entry("workspace.db"),
    "twice, written otherwise": entry("./workspace.db"),
}


@pytest.mark.parametrize("harm", HARMFUL.values(), ids=HARMFUL)
def test_what_is_no_plain_file_of_ours_is_refused(tmp_path, harm):
    file = archive(tmp_path / "b.tgz", DATABASE, harm)
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(InputError, match="holds") as caught:
        unpack(file, folder)
    assert repr(harm[0].name) in caught.value.message
    assert {p.name for p in tmp_path.rglob("*")} <= {"in", "b.tgz", "workspace.db"}


def test_a_link_under_which_a_file_is_written(tmp_path):
    """The classic: a link first, then a file through it."""
    link = entry("embedded/out", tarfile.SYMTYPE, b"", linkname=str(tmp_path))
    file = archive(tmp_path / "b.tgz", DATABASE, link, entry("embedded/out/evil"))
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError):
        unpack(file, tmp_path / "in")
    assert not (tmp_path / "evil").exists()


def test_a_file_under_a_file(tmp_path):
    file = archive(tmp_path / "b.tgz", DATABASE, entry("embedded/a"), entry("embedded/a/b"))
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="is not a backup"):
        unpack(file, tmp_path / "in")


def test_more_than_the_disk_holds(tmp_path, monkeypatch):
    file = archive(tmp_path / "b.tgz", DATABASE, entry("embedded/zeros", data=bytes(3_000_000)))
    assert file.stat().st_size < 20_000
    free = shutil.disk_usage(tmp_path)._replace(free=archives.SPARE_BYTES + 2_000_000)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: free)
    (tmp_path / "in").mkdir()
    with pytest.raises(DiskFullError, match="has no space"):
        unpack(file, tmp_path / "in")
    assert not (tmp_path / "in" / "embedded").exists()


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path):
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 40_000_000_000
    file = tmp_path / "b.tgz"
    file.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(100_000)))
    with pytest.raises(InputError, match="is not a backup"):
        check_archive(file)


def test_padding_without_end(tmp_path):
    plain = gzip.decompress(archive(tmp_path / "b.tgz", DATABASE).read_bytes())
    (tmp_path / "b.tgz").write_bytes(gzip.compress(plain + bytes(5_000_000)))
    with pytest.raises(InputError, match="is not a backup"):
        check_archive(tmp_path / "b.tgz")


def test_only_the_owner_can_read_what_was_unpacked(tmp_path):
    (tmp_path / "db").write_bytes(b"data")
    learnt = tmp_path / "learnt"
    (learnt / "models" / "m").mkdir(parents=True)
    for name in ("models/m/head.npz", "server.json", "server.lock", ".draft", "vectors-1.db"):
        (learnt / name).write_bytes(b"z")
    (learnt / "models" / "link").symlink_to("/etc/passwd")
    write_archive(tmp_path / "b.tgz", tmp_path / "db", learnt)
    assert (tmp_path / "b.tgz").stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "in"
    folder.mkdir()
    unpack(tmp_path / "b.tgz", folder)
    files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert set(files) == {"workspace.db", "embedded/models/m/head.npz"}
    assert {p.stat().st_mode & 0o777 for p in files.values()} == {0o600}
    assert (folder / "embedded").stat().st_mode & 0o077 == 0
