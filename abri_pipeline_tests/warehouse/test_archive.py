"""The raw archive: what is under a hash is what the hash says, whatever happened."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abri_pipeline.warehouse.archive import Archive, PayloadCorrupt, PayloadMissing

BODY = b'{"chart": {"result": []}}' * 40


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "raw")


def file_of(archive: Archive, digest: str) -> Path:
    return archive.root / digest[:2] / digest[2:4] / f"{digest}.gz"


def test_a_payload_is_found_under_its_hash(archive: Archive):
    digest = archive.put(BODY)
    assert digest == hashlib.sha256(BODY).hexdigest()
    assert archive.get(digest) == BODY
    assert digest in archive
    assert list(archive) == [digest]
    assert gzip.decompress(file_of(archive, digest).read_bytes()) == BODY  # any gunzip can read it


@given(body=st.binary())
def test_every_payload_comes_back(tmp_path_factory: pytest.TempPathFactory, body: bytes):
    archive = Archive(tmp_path_factory.getbasetemp() / "every")
    assert archive.get(archive.put(body)) == body


def test_the_same_payload_is_written_once(archive: Archive):
    path = file_of(archive, archive.put(BODY))
    os.utime(path, (1e9, 1e9))
    before = path.stat().st_ino
    archive.put(BODY)
    assert path.stat().st_ino == before
    assert path.stat().st_mtime > 1e9  # it is needed again, whoever put it first


def test_the_file_depends_on_the_payload_alone(tmp_path: Path):
    first, second = Archive(tmp_path / "a"), Archive(tmp_path / "b")
    digest = first.put(BODY)
    second.put(BODY)
    assert file_of(first, digest).read_bytes() == file_of(second, digest).read_bytes()


@pytest.mark.parametrize("damage", [b"", b"\x1f\x8b", b"no gzip at all", gzip.compress(b"other bytes")])
def test_damage_is_found(archive: Archive, damage: bytes):
    good, bad = archive.put(BODY), archive.put(BODY + b"!")
    file_of(archive, bad).write_bytes(damage)
    with pytest.raises(PayloadCorrupt):
        archive.get(bad)
    assert archive.verify() == [bad]
    assert archive.get(good) == BODY


def test_what_is_not_there_is_missing(archive: Archive):
    with pytest.raises(PayloadMissing):
        archive.get("0" * 64)
    assert archive.verify() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "abc", "G" * 64, "0" * 63 + "/", ""])
def test_only_a_hash_is_a_name(archive: Archive, name: str):
    with pytest.raises(ValueError, match="is not a SHA-256"):
        archive.get(name)


# The last moment before the rename: the bytes are synced, the name is still the temporary one.
KILLED = """
import os, signal, sys
from pathlib import Path
from abri_pipeline.warehouse.archive import Archive
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
Archive(Path(sys.argv[1])).put(b"half written")
"""


def test_a_writer_killed_before_the_rename_leaves_nothing_under_a_hash(archive: Archive):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(archive.root)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert list(archive) == []
    assert archive.sweep() == 1
    assert archive.sweep() == 0
    assert archive.get(archive.put(b"half written")) == b"half written"


def test_the_synced_file_itself_gets_the_name(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    synced: list[int] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr("os.fsync", watched)
    path = file_of(archive, archive.put(BODY))
    assert synced == [path.stat().st_ino, path.parent.stat().st_ino]  # a copy would be another file, seen half written


def test_a_disk_that_fails_leaves_nothing_behind(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("os.fsync", full)
        archive.put(BODY)
    assert [path for path in archive.root.rglob("*") if path.is_file()] == []


OLD, MIDDLE = 1e9, datetime.fromtimestamp(1.5e9, UTC)


def test_what_is_old_enough_is_discarded(archive: Archive):
    old, new = archive.put(b"old"), archive.put(b"new")
    path = file_of(archive, old)
    os.utime(path, (OLD, OLD))
    size = path.stat().st_size
    assert [archive.disposable(one, MIDDLE) for one in (old, new)] == [size, 0]
    assert [archive.discard(one, MIDDLE) for one in (old, new)] == [size, 0]
    assert list(archive) == [new]
    assert archive.discard(old, MIDDLE) == 0
    assert archive.temporaries() == []


def test_a_payload_that_is_put_while_it_is_discarded_is_kept(archive: Archive, monkeypatch: pytest.MonkeyPatch):
    """The writer comes between the look at the age and the loss of the name."""
    digest = archive.put(BODY)
    os.utime(file_of(archive, digest), (OLD, OLD))
    real = Path.replace

    def meanwhile(path: Path, target: Path) -> Path:
        if target.suffix == ".part":
            archive.put(BODY)
        return real(path, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    assert archive.discard(digest, MIDDLE) == 0
    assert archive.get(digest) == BODY
    assert archive.temporaries() == []


def test_only_old_temporaries_are_swept(archive: Archive):
    folder = file_of(archive, archive.put(BODY)).parent
    for name, touched in (("old.part", OLD), ("young.part", 2e9)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (touched, touched))
    assert archive.sweep(MIDDLE) == 1
    assert [path.name for path in archive.temporaries()] == ["young.part"]


def test_writers_that_meet_keep_one_whole_payload(archive: Archive):
    with ThreadPoolExecutor(8) as threads:
        digests = set(threads.map(archive.put, [BODY] * 40))
    assert archive.verify() == []
    assert list(archive) == sorted(digests)
    assert archive.sweep() == 0
