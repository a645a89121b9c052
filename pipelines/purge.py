"""Delete what citizens have a right to see deleted, wherever a copy of it lies.

The order makes it safe to kill: first the reports and exports, then the archive, last the rows
by which those are found, together with the audit. Whatever is left is found by the next purge.

What was purged may still be online. It is not collected again: a keyed hash stays of it, or of its
author, and nothing else.

The archive keeps whole responses. One is erased if it could hold anything of what is purged: it
was extracted from it, it is its page, its text is in it, or it was fetched before the day before
which everything goes. One shared with others is erased too, and their texts stay in the database:
they can no longer be derived again from the archive, and that is the price.
"""

import html
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path

from configs.schema import Municipality
from crawlers.erasing import ArchivedResponse, erase_responses
from models.errors import ConfigError
from nlp.duplicates import fold
from pipelines.duplicates import update_clusters
from pipelines.privacy import Pseudonymiser
from pipelines.store.audit import actor
from pipelines.store.erase import (
    Criteria,
    Erasure,
    Target,
    capture_urls,
    copies_left,
    erase,
    runs_over,
    scrub,
    stored_sources,
    targets,
)
from pipelines.store.write import Store

_PROBE = 20  # letters by which a text is looked for in a response
_SHORTEST = 8
_SHORTEST_NAME = 5
_MASKS = re.compile(r"\[(?:correo|teléfono|dni|ruc|tarjeta|placa)\]|@usuario")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge deleted, or would delete."""

    manifestations: int = 0
    revisions: int = 0
    responses: int = 0
    files: tuple[str, ...] = ()
    runs: int = 0
    copies_left: int = 0
    """Near-duplicates of what was purged, said by others or elsewhere: they stay."""
    scrubbed: bool = True


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what the responses of one source are recognised that may hold what is purged."""

    since: datetime
    captures: frozenset[str]
    urls: frozenset[str]
    probes: frozenset[str]
    words: tuple[str, ...] = field(default=())


def purge(
    store: Store,
    municipality: Municipality,
    criteria: Criteria,
    home: Path,
    archive: Path,
    pseudonymiser: Pseudonymiser,
    *,
    names: Sequence[str] = (),
    dry_run: bool = False,
) -> Purged:
    """Delete the manifestations that meet the criteria from store, archive, reports and exports.

    Args:
        store: the store.
        municipality: whose manifestations they are.
        criteria: which of them; at least one must be given.
        home: the folder under which reports and exports lie.
        archive: the folder of WARC files.
        pseudonymiser: the municipality's, whose key hashes what is not to be collected again.
        names: names of the authors, where they are known: responses that hold one are erased.
        dry_run: only count.

    Raises:
        ConfigError: no criterion is given.
    """
    if not criteria.names:
        raise ConfigError(
            "Say what to purge: --author, --author-name with --source, --before, --source, --id "
            "or --retention."
        )
    engine, code = store.engine, municipality.code
    found = targets(engine, code, criteria)
    ids = sorted({target.id for target in found})
    runs = runs_over(engine, code, {target.said_on for target in found})
    files = _written_by(runs, home, archive)
    left = copies_left(engine, ids)
    if not dry_run:
        _remove(files)
    erased = _erase_archive(store, municipality, criteria, found, archive, names, dry_run=dry_run)
    purged = Purged(
        manifestations=len(ids),
        revisions=len(found) - len(ids),
        responses=len(erased),
        files=tuple(path.relative_to(home).as_posix() for path in files),
        runs=len(runs),
        copies_left=left,
    )
    if dry_run:
        return purged
    urls = {target.url for target in found if target.url}
    whole = [criteria.source] if criteria.names == ["source"] and criteria.source else []
    captures = [one.id for one in erased if one.id]
    buried = _buried(criteria, found, pseudonymiser)
    erasure = Erasure(code, ids, captures, sorted(urls), whole, buried)
    erase(engine, erasure, _audit(criteria, purged), actor())
    update_clusters(store, municipality)
    return replace(purged, scrubbed=scrub(engine))


def _buried(
    criteria: Criteria, found: Sequence[Target], pseudonymiser: Pseudonymiser
) -> dict[str, str]:
    """Return the keyed hashes of what is not to be collected again: of a person, or of texts."""
    reason = "+".join(criteria.names)
    if criteria.authors and set(criteria.names) <= {"author", "source"}:
        return {pseudonymiser.buried_author(author): reason for author in criteria.authors}
    return {
        digest: reason
        for target in found
        for digest in pseudonymiser.digests(target.source, target.external_id)
    }


def _audit(criteria: Criteria, purged: Purged) -> dict[str, object]:
    """Return what the audit says: the kinds of criteria and the counts, and of whom nothing."""
    return {
        "by": criteria.names,
        "before": criteria.before.isoformat() if criteria.before else None,
        "source": criteria.source,
        "manifestations": purged.manifestations,
        "revisions": purged.revisions,
        "responses": purged.responses,
        "files": len(purged.files),
    }


# --- reports and exports ---------------------------------------------------------------------


def _written_by(runs: Sequence[str], home: Path, archive: Path) -> list[Path]:
    """Return the files and folders under the home that bear the name of one of the runs."""
    wanted, found = set(runs), []
    for folder, below, files in os.walk(home):
        here = Path(folder)
        if here == archive:
            below.clear()
            continue
        named = [name for name in (*below, *files) if any(run in name for run in wanted)]
        found += [here / name for name in named]
        below[:] = [name for name in below if name not in named]
    return sorted(found)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


# --- the archive -----------------------------------------------------------------------------


def _erase_archive(
    store: Store,
    municipality: Municipality,
    criteria: Criteria,
    found: Sequence[Target],
    archive: Path,
    names: Sequence[str],
    *,
    dry_run: bool,
) -> list[ArchivedResponse]:
    by_source: dict[str, list[Target]] = defaultdict(list)
    for target in found:
        by_source[target.source].append(target)
    erased = []
    for source in _sources(store, municipality, criteria, by_source, archive):
        traces = _traces(store, by_source[source], names)
        doomed = _judge(criteria, municipality, traces)
        erased += erase_responses(archive, municipality.code, source, doomed, dry_run=dry_run)
    return erased


def _sources(
    store: Store,
    municipality: Municipality,
    criteria: Criteria,
    by_source: Iterable[str],
    archive: Path,
) -> list[str]:
    """Return the sources whose archive may hold anything; a time or a source reaches orphans."""
    if criteria.of_a_person:
        return sorted(by_source)
    if criteria.source is not None:
        return [criteria.source]
    folders = (archive / municipality.code).glob("*")
    here = {folder.name for folder in folders if folder.is_dir()}
    return sorted(here | set(stored_sources(store.engine, municipality.code)))


def _judge(
    criteria: Criteria, municipality: Municipality, traces: _Traces | None
) -> Callable[[ArchivedResponse], bool]:
    """Return what says of a response whether it must go."""
    everything = not criteria.of_a_person and criteria.before is None
    day = None if criteria.of_a_person else criteria.before
    until = datetime.combine(day, time(), municipality.zone) if day else None

    def doomed(response: ArchivedResponse) -> bool:
        unknown = not response.id  # damaged: what it holds cannot be told
        if everything or unknown or (until is not None and response.fetched_at < until):
            return True  # nothing younger can be in it
        if traces is None or response.fetched_at < traces.since:
            return False
        return (
            response.body is None
            or response.id in traces.captures
            or response.url in traces.urls
            or _holds(response.body, traces)
        )

    return doomed


def _traces(store: Store, found: Sequence[Target], names: Sequence[str]) -> _Traces | None:
    if not found:
        return None
    captures = {target.capture_id for target in found if target.capture_id}
    urls = {target.url for target in found if target.url}
    probes: set[str] = set()
    words = {letters for name in names if len(letters := _letters(name)) >= _SHORTEST_NAME}
    unproven = set()
    for target in found:
        pieces = [*_pieces(target.title or ""), *_pieces(target.text)]
        probes |= {piece[:_PROBE] for piece in pieces if len(piece) >= _PROBE}
        words |= {piece for piece in pieces if _SHORTEST <= len(piece) < _PROBE}
        if target.capture_id and all(len(piece) < _SHORTEST for piece in pieces):
            unproven.add(target.capture_id)
    urls |= set(capture_urls(store.engine, unproven).values())
    return _Traces(
        since=min(target.since for target in found),
        captures=frozenset(captures),
        urls=frozenset(urls),
        probes=frozenset(probes),
        words=tuple(sorted(words - {""})),
    )


def _pieces(text: str) -> list[str]:
    """Return the letters of a text between what was masked in it."""
    return [letters for part in _MASKS.split(text) if (letters := _letters(part))]


def _letters(text: str) -> str:
    return fold(text).replace(" ", "")


def _holds(body: bytes, traces: _Traces) -> bool:
    letters = _letters(_readable(body))
    if any(word in letters for word in traces.words):
        return True
    probes = traces.probes
    return bool(probes) and any(
        letters[start : start + _PROBE] in probes for start in range(len(letters) - _PROBE + 1)
    )


def _readable(body: bytes) -> str:
    """Return what a reader would see of a page, a feed or an answer in JSON."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    text = re.sub(r"\\[nrt]", " ", text).replace("\\", "")
    for _ in range(2):  # feeds hold escaped HTML
        text = _TAG.sub(" ", html.unescape(text))
    return text
