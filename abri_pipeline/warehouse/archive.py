"""The raw archive: every accepted payload, under the SHA-256 of its bytes.

Belongs here: keeping bytes and proving that they are still the same. Does not belong here: what they mean.
"""

import gzip
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

_LEVEL = 6  # JSON of bars shrinks to a fifth; higher levels cost time and save almost nothing
_HASH = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".part"


class PayloadMissing(KeyError):
    """No payload is archived under that hash."""


class PayloadCorrupt(Exception):
    """The archived bytes are not those the hash names."""


class Archive:
    """A folder of payloads as `ab/cd/abcd….gz`: gzip, which every machine can open, with no date inside."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, body: bytes) -> str:
        """Keep a payload; returns its SHA-256 in hex. One that is kept already costs a look at the disk.

        The bytes reach the disk under a temporary name first: whatever happens, a file under a hash is whole.
        A payload that is kept already counts as new again, so that none is discarded while a load still needs it.
        """
        digest = hashlib.sha256(body).hexdigest()
        target = self._path(digest)
        try:
            os.utime(target)
        except FileNotFoundError:
            pass  # nobody kept it yet, or it was discarded this moment
        else:
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=_TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(gzip.compress(body, _LEVEL, mtime=0))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(target.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """The payload of a hash, proven by computing the hash again.

        Raises:
            PayloadMissing: nothing is kept under it.
            PayloadCorrupt: the file was damaged.
        """
        path = self._path(digest)
        try:
            body = gzip.decompress(path.read_bytes())
        except FileNotFoundError:
            raise PayloadMissing(digest) from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise PayloadCorrupt(f"{path} is damaged ({error})") from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise PayloadCorrupt(f"{path} holds other bytes than its name says")
        return body

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).exists()

    def __iter__(self) -> Iterator[str]:
        """Every hash kept, in order."""
        return (path.stem for path in sorted(self.root.glob("??/??/*.gz")) if _HASH.fullmatch(path.stem))

    def disposable(self, digest: str, before: datetime | None = None) -> int:
        """Bytes on the disk that `discard` would free; 0 where it would leave the payload."""
        path = self._path(digest)
        return path.stat().st_size if path.exists() and _older(path, before) else 0

    def verify(self) -> list[str]:
        """The hashes whose payload is damaged; empty where all is well."""
        bad = []
        for digest in self:
            try:
                self.get(digest)
            except PayloadCorrupt:
                bad.append(digest)
        return bad

    def discard(self, digest: str, before: datetime | None = None) -> int:
        """Remove a payload that was last put before an instant (any, without one); returns the bytes freed, or 0.

        It loses its name first and is looked at again then: a writer who puts it meanwhile either is seen, and the
        name comes back, or finds it gone and writes it anew.
        """
        path = self._path(digest)
        aside = path.with_suffix(_TEMPORARY)
        try:
            if not _older(path, before):
                return 0
            path.replace(aside)
            found = aside.stat()
            if not _older(aside, before):
                aside.replace(path)
                return 0
            aside.unlink()
        except FileNotFoundError:
            return 0  # somebody else discarded it
        return found.st_size

    def temporaries(self, before: datetime | None = None) -> list[Path]:
        """Files that writers have not finished, last touched before an instant (all, without one)."""
        return [path for path in sorted(self.root.glob(f"??/??/*{_TEMPORARY}")) if _older(path, before)]

    def sweep(self, before: datetime | None = None) -> int:
        """Remove what writers that were killed left behind; returns how many files.

        Without `before`, call it with no writer at work.
        """
        orphans = self.temporaries(before)
        for orphan in orphans:
            orphan.unlink(missing_ok=True)
        return len(orphans)

    def _path(self, digest: str) -> Path:
        if not _HASH.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a SHA-256 in hex")
        return self.root / digest[:2] / digest[2:4] / f"{digest}.gz"


def _older(path: Path, before: datetime | None) -> bool:
    return before is None or path.stat().st_mtime < before.timestamp()


def _sync(folder: Path) -> None:
    """Make the new name itself durable, not only the bytes behind it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
