"""What the town really says: one row a manifestation, as a perfect collector would store it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from crawlers.sandbox.items import Item, Remark, resolved
from crawlers.sandbox.server import DEFAULT_PORT, DEFAULT_SEED, HOST
from crawlers.sandbox.town import Town, build_town
from models.records import Kind

BASE_URL = f"http://{HOST}:{DEFAULT_PORT}"
"""The address under which the town is known unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One manifestation with its identity, its moment, its place in a thread and its labels.

    ``thread_external_id`` is the article or post under which an answer stands, and
    ``parent_external_id`` what it answers: another answer, or the article itself. ``text_id``
    names the text, ``copy_of`` the text that it repeats, and ``noise`` is empty or says that it
    is spam, another language, a greeting or a bump. ``event`` is the planted event that it belongs
    to; a row of no event is written without it.
    """

    source: str
    external_id: str
    kind: str
    said_at: str
    category: str
    second: str | None
    sentiment: str
    intent: str
    zone: str | None
    thread_external_id: str | None
    parent_external_id: str | None
    text: str
    text_id: str
    copy_of: str | None
    noise: str | None
    event: str | None = None


def truth(
    seed: int = DEFAULT_SEED, base_url: str = BASE_URL, town: Town | None = None
) -> list[TruthRow]:
    """Return everything that the town says, in the order of time, comments below their article.

    Args:
        seed: What decides the town, unless a town is given.
        base_url: Where the town is served; only sources of pages have identities that hold it.
        town: A town built elsewhere.
    """
    built = town or build_town(seed)
    return [row for item in built.items for row in _rows(item, base_url)]


def write_truth(
    path: Path, seed: int = DEFAULT_SEED, base_url: str = BASE_URL, town: Town | None = None
) -> int:
    """Write the truth as one JSON object a line, and return how many there are."""
    rows = truth(seed, base_url, town)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            written = {k: v for k, v in asdict(row).items() if k != "event" or v is not None}
            file.write(json.dumps(written, ensure_ascii=False) + "\n")
    return len(rows)


def _rows(item: Item, base_url: str) -> Iterator[TruthRow]:
    own = item.external_id(base_url)
    yield _row(item, item, own, item.words)
    for remark in item.remarks:
        yield _row(item, remark, own, remark.text.text, resolved(remark.answers, base_url))


def _row(
    item: Item, said: Item | Remark, thread: str, text: str, parent: str | None = None
) -> TruthRow:
    base = thread.removesuffix(item.identity) if item.identity.startswith("/") else ""
    return TruthRow(
        source=item.site.name,
        external_id=resolved(said.identity, base),
        kind=item.kind.value if parent is None else Kind.COMMENT.value,
        said_at=said.said_at.isoformat(),
        category=said.text.category,
        second=said.text.second,
        sentiment=said.text.sentiment,
        intent=said.text.intent,
        zone=said.text.zone,
        thread_external_id=None if parent is None else thread,
        parent_external_id=parent,
        text=text,
        text_id=said.text.id,
        copy_of=said.text.copy_of,
        noise=said.text.noise,
        event=said.text.event,
    )
