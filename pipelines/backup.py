"""One file that holds an installation: database, archive, own configuration, reports, key.

It is a tar file; the database is in it as JSON lines, so what was SQLite may come back as
PostgreSQL. It holds personal data and the key of pseudonyms: mode 0600, keep it like the archive.
"""

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from sqlalchemy import Engine

from models.errors import InputError
from pipelines.store.migrate import current_revision, migrate, newest_revision
from pipelines.store.snapshot import lines_of, load, one_moment, tables

FORMAT = 1
FILES = ("archive", "municipalities", "reports", "pseudonym.key")
"""What of the home folder goes into a backup."""

_MANIFEST, _TABLES, _HOME = "manifest.json", "tables", "home"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: rows by table, and files of the home folder."""

    made_at: str
    software: str
    revision: str
    rows: dict[str, int]
    files: int


def back_up(engine: Engine, home: Path, path: Path, software: str) -> Backup:
    """Write a backup while runs go on; a file is there whole or not at all.

    The database is seen as it is at one moment. Files come after it: the archive only grows, so it
    holds every response that the database speaks of.

    Raises:
        InputError: the file is there already, or its folder is not.
    """
    if path.exists() or not path.parent.is_dir():
        why = "is there already" if path.exists() else "has no folder to lie in"
        raise InputError(f"{path} {why}: name another file.")
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(
            os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b"
        ) as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                made = _write(engine, home, tar, software, path.parent)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return made


def _write(engine: Engine, home: Path, tar: tarfile.TarFile, software: str, folder: Path) -> Backup:
    digests: dict[str, str] = {}
    rows: dict[str, int] = {}
    revision = current_revision(engine) or ""
    with one_moment(engine) as connection:
        for table in tables():
            with NamedTemporaryFile(dir=folder) as packed:
                rows[table.name] = _pack(lines_of(connection, table), packed)
                name = f"{_TABLES}/{table.name}.jsonl.gz"
                digests[name] = _add(tar, name, packed)
    for path in sorted(_files(home)):
        name = f"{_HOME}/{path.relative_to(home).as_posix()}"
        with path.open("rb") as whole:
            digests[name] = _add(tar, name, whole)
    made = Backup(
        datetime.now(UTC).isoformat(timespec="seconds"),
        software,
        revision,
        rows,
        sum(name.startswith(f"{_HOME}/") for name in digests),
    )
    about = {
        "format": FORMAT,
        "made_at": made.made_at,
        "software": software,
        "revision": revision,
        "rows": rows,
        "sha256": digests,
    }
    text = io.BytesIO(json.dumps(about, indent=1).encode())
    _add(tar, _MANIFEST, text)
    return made


def _files(home: Path) -> Iterator[Path]:
    for name in FILES:
        path = home / name
        if path.is_file():
            yield path
        else:
            yield from (each for each in path.rglob("*") if each.is_file())


def _pack(lines: Iterable[bytes], out: IO[bytes]) -> int:
    count = 0
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=6) as packed:
        for line in lines:
            packed.write(line)
            count += 1
    return count


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes]) -> str:
    """Add a file as long as it is now, for it may grow meanwhile; return its SHA-256."""
    file.seek(0, os.SEEK_END)
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = file.tell(), 0o600, int(datetime.now(UTC).timestamp())
    file.seek(0)
    read = _Digested(file)
    tar.addfile(entry, read)
    return read.digest.hexdigest()


class _Digested:
    """A file that is digested as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        block = self._file.read(size)
        self.digest.update(block)
        return block


def restore(open_database: Callable[[], Engine], home: Path, path: Path) -> Backup:
    """Bring a backup back into an empty home folder and an empty database.

    The whole file is checked before anything is written.

    Raises:
        InputError: it is no backup, is damaged, or was made at another revision.
        StoreError: the database is not empty.
    """
    there = [name for name in FILES if (home / name).exists() and _has_files(home / name)]
    if there:
        raise InputError(
            f"{home} holds {', '.join(there)} already. Restore into a new place: set "
            "MANIFIESTA_HOME."
        )
    try:
        with tarfile.open(path, mode="r:") as tar:
            about = _checked(tar)
            engine = open_database()
            migrate(engine)
            load(engine, {name: _reader(tar, name) for name in about["rows"]})
            _extract(tar, home)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path} is no backup, or it is damaged: {error}") from None
    files = sum(name.startswith(f"{_HOME}/") for name in about["sha256"])
    return Backup(about["made_at"], about["software"], about["revision"], about["rows"], files)


def _has_files(path: Path) -> bool:
    return path.is_file() or any(each.is_file() for each in path.rglob("*"))


def _checked(tar: tarfile.TarFile) -> dict[str, Any]:
    """Return the manifest after every file was found to be what it says."""
    members = {member.name: member for member in tar.getmembers() if member.isfile()}
    if _MANIFEST not in members:
        raise InputError(f"This is no backup, or it breaks off: it has no {_MANIFEST}.")
    about: dict[str, Any] = json.loads(_read(tar, members[_MANIFEST]).read())
    if about.get("format") != FORMAT or about["revision"] != newest_revision():
        raise InputError(
            f"The backup was made by Manifiesta {about.get('software')} at revision "
            f"{about.get('revision')}; this one is at {newest_revision()}. Restore it with that "
            "version, then install the newer one: it brings the database up to date."
        )
    for name, digest in about["sha256"].items():
        if name not in members or _digest(_read(tar, members[name])) != digest:
            raise InputError(f"The backup is damaged: {name} is not what was written.")
    return about


def _digest(file: IO[bytes]) -> str:
    digest = sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = tar.extractfile(member)
    if found is None:
        raise InputError(f"The backup is damaged: {member.name} cannot be read.")
    return found


def _reader(tar: tarfile.TarFile, table: str) -> Callable[[], Iterable[bytes]]:
    def lines() -> Iterable[bytes]:
        member = tar.getmember(f"{_TABLES}/{table}.jsonl.gz")
        return gzip.GzipFile(fileobj=_read(tar, member))

    return lines


def _extract(tar: tarfile.TarFile, home: Path) -> None:
    for member in tar.getmembers():
        top, _, rest = member.name.partition("/")
        if top != _HOME or rest.split("/", 1)[0] not in FILES:
            continue
        plain = member.replace(name=rest, deep=False)
        tar.extract(plain, home, filter="data")  # no path of a backup leads out of the home folder
    for folder in (home / "archive", *(home / "archive").rglob("*")):
        if folder.is_dir():
            folder.chmod(0o700)
