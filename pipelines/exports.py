"""Files that research tools export: known by their columns, with the mapping ready.

4CAT (https://github.com/digitalmethodsinitiative/4cat) names the columns of every platform alike
and writes its dates in UTC. CrowdTangle, closed in 2024, gave the posts of Facebook's and
Instagram's public pages; its dates name their zone.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from configs.schema import Columns, Format
from models.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Export:
    """One tool's table: the columns that give it away, and those that hold what we read.

    Names are as `plain_name` returns them; of several for one part, the first that a file has is
    taken. With ``in_utc`` a date without a zone is one in UTC.
    """

    needs: frozenset[str]
    parts: Mapping[str, tuple[str, ...]]
    in_utc: bool = False


EXPORTS: Final[Mapping[Format, Export]] = {
    "4cat": Export(
        needs=frozenset({"id", "thread_id", "author", "body", "timestamp"}),
        parts={
            "text": ("body",),
            "date": ("unix_timestamp", "timestamp"),
            "title": ("subject",),
            "id": ("id",),
            "url": ("url", "link", "tweet_url", "tiktok_url", "post_url"),
            "author": ("author",),
            "thread": ("thread_id",),
            "parent": ("parent", "reply_to", "parent_id"),
        },
        in_utc=True,
    ),
    "crowdtangle": Export(
        needs=frozenset({"user_name", "followers_at_posting", "total_interactions", "url"}),
        parts={
            "text": ("message", "description"),
            "date": ("post_created", "created"),
            "title": ("link_text", "title"),
            "url": ("url",),
            "author": ("page_name", "group_name", "account"),
        },
    ),
}


def format_named(name: str | None) -> Format | None:
    """Return the tool of that name.

    Raises:
        ConfigError: there is no such tool.
    """
    found = next((code for code in EXPORTS if name is not None and code == name.lower()), None)
    if name is not None and found is None:
        raise ConfigError(f"--format «{name}» is not known; write one of {', '.join(EXPORTS)}")
    return found


def export_of(header: Sequence[str]) -> Format | None:
    """Return the tool whose columns a file has, if it is one that is known."""
    plain = {plain_name(name) for name in header}
    return next((code for code, export in EXPORTS.items() if export.needs <= plain), None)


def columns_of(export: Format, header: Sequence[str]) -> Columns | None:
    """Map the columns of a tool's file; nothing if it lacks those of text and date."""
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(plain_name(name), name)
    found = {
        part: next((plain[name] for name in names if name in plain), None)
        for part, names in EXPORTS[export].parts.items()
    }
    if not found["text"] or not found["date"]:
        return None
    return Columns.model_validate(found)


def plain_name(name: str) -> str:
    """Return a column's name without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")
