"""What the town really says: one row a manifestation, as a perfect collector would store it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from crawlers.sandbox.server import DEFAULT_PORT, DEFAULT_SEED, HOST
from crawlers.sandbox.town import Item, Remark, Town, build_town
from models.records import Kind

BASE_URL = f"http://{HOST}:{DEFAULT_PORT}"
"""The address under which the town is known unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One manifestation with its identity, its moment, its place in a thread and its labels.

    ``thread_external_id`` is the article under which a comment stands, and
    ``parent_external_id`` what the comment answers: another comment, or the article itself.
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


def truth(
    seed: int = DEFAULT_SEED, base_url: str = BASE_URL, town: Town | None = None
) -> list[TruthRow]:
    """Return everything that the town says, in the order of time, comments below their article.

    Args:
        seed: What decides the town, unless a town is given.
        base_url: Where the town is served; only sources without a feed have identities that
            hold it.
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
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    return len(rows)


def _rows(item: Item, base_url: str) -> Iterator[TruthRow]:
    own = item.external_id(base_url)
    yield _row(item, own, "\n\n".join(item.paragraphs))
    for remark in item.remarks:
        yield _remark_row(item, remark, own)


def _row(item: Item, external_id: str, text: str) -> TruthRow:
    return TruthRow(
        source=item.site.name,
        external_id=external_id,
        kind=item.kind.value,
        said_at=item.said_at.isoformat(),
        category=item.text.category,
        second=item.text.second,
        sentiment=item.text.sentiment,
        intent=item.text.intent,
        zone=item.text.zone,
        thread_external_id=None,
        parent_external_id=None,
        text=text,
    )


def _remark_row(item: Item, remark: Remark, article: str) -> TruthRow:
    said = remark.text
    parent = article if said.parent is None else f"{article}#comment-{said.parent}"
    return TruthRow(
        source=item.site.name,
        external_id=f"{article}#{remark.anchor}",
        kind=Kind.COMMENT.value,
        said_at=remark.said_at.isoformat(),
        category=said.category,
        second=said.second,
        sentiment=said.sentiment,
        intent=said.intent,
        zone=said.zone,
        thread_external_id=article,
        parent_external_id=parent,
        text=said.text,
    )
