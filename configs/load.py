"""Find and load a municipality's configuration and the taxonomy."""

import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

from configs.check import Problem, read_municipality, read_taxonomy, shown
from configs.schema import SHIPPED, Municipality, Taxonomy
from models.errors import ConfigError

_SUFFIXES = (".yml", ".yaml")


def load_municipality(code: str, own: Path | None = None) -> Municipality:
    """Load a municipality by its code, or by the path of its file.

    Args:
        code: such as ``ate``, or a path such as ``./ate.yml``.
        own: the installation's own folder, which is looked through before the shipped one.

    Raises:
        ConfigError: there is no such municipality, or its file has errors; all are named.
    """
    path = find_municipality(code, _folders(own))
    municipality, problems = read_municipality(path)
    if municipality is None:
        raise ConfigError(_summary(path, problems))
    return municipality


def find_municipality(code: str, folders: Iterable[Path]) -> Path:
    """Return the file of a municipality: a path as it is, a code in the first folder with it.

    Raises:
        ConfigError: there is no such file; the message lists the codes that exist.
    """
    folders = list(folders)
    if code.endswith(_SUFFIXES) or "/" in code or "\\" in code or "\0" in code:
        if "\0" not in code and Path(code).is_file():
            return Path(code)
        raise ConfigError(f"there is no file {code!r}. Name a .yml file, or one of {_all(folders)}")
    found = _listed(folders).get(code)
    if found is None:
        raise ConfigError(f"there is no municipality {code!r}. There are: {_all(folders)}")
    return found


def list_municipalities(own: Path | None = None) -> dict[str, Path]:
    """Return the file of each municipality by its code; one's own outranks the shipped one."""
    return _listed(_folders(own))


@cache
def load_taxonomy(path: Path = SHIPPED / "taxonomy.yml") -> Taxonomy:
    """Load a taxonomy; the one that ships with the project if no other is named.

    Raises:
        ConfigError: the file has errors; all are named.
    """
    taxonomy, problems = read_taxonomy(path)
    if taxonomy is None:
        raise ConfigError(_summary(path, problems))
    return taxonomy


def fingerprint(municipality: Municipality) -> str:
    """Return the SHA-256 of a configuration, which changes when any of its values does."""
    values = municipality.model_dump(mode="json")
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _folders(own: Path | None) -> list[Path]:
    return [folder for folder in (own, SHIPPED / "municipalities") if folder is not None]


def _listed(folders: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.y*ml")) if folder.is_dir() else ():
            if path.suffix in _SUFFIXES and path.is_file():
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def _all(folders: Iterable[Path]) -> str:
    return ", ".join(_listed(folders)) or "none; put a .yml file into the folder «municipalities»"


def _summary(path: Path, problems: list[Problem]) -> str:
    errors = [str(problem) for problem in problems if not problem.warning]
    count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
    return "\n".join([f"{shown(path)} has {count}:", *errors])
