"""What a visitor finds at one moment: what was said by then, edited since, or taken away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.moments import chance_of
from crawlers.sandbox.texts import Comment, Post

EDITED: Final = 0.03
"""The share of posts and answers that their authors edit."""

DELETED: Final = 0.02
"""The share that is taken away, of those that nobody answered."""

_ADDITIONS: Final = (
    "Edito: corregí la hora.",
    "EDIT: puse mal el nombre de la calle, ya está.",
    "(editado: falta de ortografía, disculpen)",
    "Editado para agregar: fue ayer por la tarde.",
)


@dataclass(frozen=True, slots=True)
class Fate:
    """When a text is edited or taken away; most texts stay as they are."""

    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    addition: str = ""


def fate(said: Item | Remark, seed: int) -> Fate:
    """Return what happens to something after it was said; articles stay as they are."""
    if not isinstance(said.text, Post | Comment):
        return Fate()
    chance = chance_of(seed, f"fate/{said.text.id}")
    luck = chance.random()
    later = said.said_at + timedelta(hours=1 + 48 * chance.random())
    if luck < EDITED:
        return Fate(edited_at=later, addition=chance.choice(_ADDITIONS))
    return Fate(deleted_at=later) if luck < EDITED + DELETED else Fate()


def seen(items: tuple[Item, ...], seed: int, now: datetime) -> Iterator[Item]:
    """Yield the items as they stand at a moment; their ids are those that they always have."""
    for item in items:
        change = fate(item, seed)
        is_gone = _past(change.deleted_at, now) and not item.remarks
        if item.said_at > now or is_gone:
            continue
        text = item.text
        if isinstance(text, Post) and _past(change.edited_at, now):
            text = text.model_copy(update={"text": f"{text.text}\n{change.addition}"})
        yield replace(item, text=text, remarks=tuple(_remarks(item, seed, now)))


def _remarks(item: Item, seed: int, now: datetime) -> Iterator[Remark]:
    answered = {remark.text.parent for remark in item.remarks}
    for remark in item.remarks:
        change = fate(remark, seed)
        is_gone = _past(change.deleted_at, now) and remark.text.id not in answered
        if remark.said_at > now or is_gone:
            continue
        text = remark.text
        if _past(change.edited_at, now):
            text = text.model_copy(update={"text": f"{text.text}\n{change.addition}"})
        yield replace(remark, text=text)


def _past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now
