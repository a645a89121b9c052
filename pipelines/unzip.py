"""Tables in a zip file, unpacked one at a time into a folder of their own, whoever packed it.

No name of a member is ever used as a path. Sizes are counted while unpacking, because those that
a zip file declares may be wrong.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from tempfile import TemporaryDirectory
from typing import Final

from models.errors import InputError

MAX_MEMBERS: Final = 1_000
MAX_TABLES: Final = 100
MAX_UNPACKED: Final = 1_000_000_000
"""Bytes of all tables of one file."""

MOST_TIMES: Final = 500
"""A table is never this many times larger than its zip file; what is smaller than ``SMALL`` may."""

SMALL: Final = 10_000_000

_TABLES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".xlsm")
_PACKED: Final = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst")
_LEFT_BY_SYSTEMS: Final = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
_CHUNK: Final = 1 << 20
DAMAGED: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the libraries raise for a damaged zip or Excel file, or a compression they don't know."""


def tables_in(path: Path) -> list[str]:
    """Return the names of the tables in a zip file, in its order.

    Raises:
        InputError: it is no zip file, holds no table, is protected, or is not to be trusted.
    """
    with _opened(path) as archive:
        infos = archive.infolist()
        if len(infos) > MAX_MEMBERS:
            raise InputError(f"{path} holds {len(infos):,} files; pack only the tables")
        files = [info for info in infos if not info.is_dir() and not _is_litter(info.filename)]
        for info in files:
            _check(path, info)
        tables = [info for info in files if info.filename.lower().endswith(_TABLES)]
        if not tables:
            plain = [info for info in files if info.filename.lower().endswith(".txt")]
            tables = plain if len(plain) == 1 else []
        _check_sizes(path, tables)
    if not tables:
        names = ", ".join(_shown(info.filename) for info in files[:10]) or "nothing"
        raise InputError(f"{path} holds no .csv, .jsonl or .xlsx, but {names}")
    if len(tables) > MAX_TABLES:
        raise InputError(f"{path} holds {len(tables):,} tables; give {MAX_TABLES} at a time")
    names_of = [info.filename for info in tables]
    if len(set(names_of)) < len(names_of):
        raise InputError(f"{path} holds two files of the same name; pack it again")
    return names_of


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Path]:
    """Unpack one table while the block runs.

    Raises:
        InputError: it is damaged, or larger than it may be.
    """
    with TemporaryDirectory(prefix="manifiesta-unzip-") as folder:
        target = Path(folder) / f"table{PurePosixPath(name).suffix.lower()}"
        with _opened(path) as archive:
            _write(path, archive, name, target)
        yield target


def _write(path: Path, archive: zipfile.ZipFile, name: str, target: Path) -> None:
    size = 0
    with archive.open(name) as packed, target.open("xb") as file:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            _check_size(path, size)
            file.write(chunk)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DAMAGED as error:
        kind = type(error).__name__
        raise InputError(f"{path} is damaged, or no zip file ({kind}); pack it again") from error


def _check(path: Path, info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name:
        raise InputError(
            f"{path} holds a file that would be put outside of its folder: {_shown(name)}"
        )
    if S_ISLNK(info.external_attr >> 16):
        raise InputError(f"{path} holds a link in place of a file: {_shown(name)}")
    if info.flag_bits & 1:
        raise InputError(f"{path} is protected by a password; unpack it and give what it holds")
    if name.lower().endswith(_PACKED):
        raise InputError(f"{path} holds a packed file, {_shown(name)}; unpack that one first")


def _check_sizes(path: Path, tables: list[zipfile.ZipInfo]) -> None:
    _check_size(path, sum(info.file_size for info in tables))


def _check_size(path: Path, size: int) -> None:
    if size > MAX_UNPACKED:
        raise InputError(f"{path} unpacks to more than {MAX_UNPACKED:,} bytes; split its tables")
    if size > SMALL and size > MOST_TIMES * path.stat().st_size:
        raise InputError(
            f"{path} unpacks to more than {MOST_TIMES} times its size, as no table does"
        )


def _is_litter(name: str) -> bool:
    """Say whether an operating system put a file there by itself."""
    lowered = name.lower()
    return lowered.startswith(_LEFT_BY_SYSTEMS) or lowered.endswith(_LEFT_BY_SYSTEMS[1:])


def _shown(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f"«{printable[:80]}»"
