"""A way to read an address, as a source that a municipality can configure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import yaml

from configs.schema import Source
from models.records import Kind, Protocol

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Proposal:
    """One protocol that an address can be read by.

    ``why`` is what tells, ``keys`` what else the source needs (``query``, ``token``, ``links``,
    ``follow`` …), ``note`` what to know before it is used. ``opens_pages`` says whether the pages
    that it lists are its own: an aggregator's are not.
    """

    protocol: Protocol
    url: str
    why: str
    title: str = ""
    kind: Kind | None = None
    keys: Mapping[str, str | bool] = field(default_factory=dict)
    note: str = ""
    opens_pages: bool = True

    @property
    def token(self) -> str:
        """The environment variable that has to hold a token; empty if none is needed."""
        return str(self.keys.get("token", ""))

    def without(self, key: str) -> "Proposal":
        """Return it without a key, and without the note, which was about it."""
        keys = {name: value for name, value in self.keys.items() if name != key}
        return replace(self, keys=keys, note="")

    def with_comments(self) -> "Proposal":
        """Return it with the comments on its pages."""
        said = "its pages have comments, which «comments» reads"
        note = f"{self.note}; {said}" if self.note else said
        return replace(self, keys={**self.keys, "comments": True}, note=note)

    def source(self, *, allow_private: bool = False) -> Source:
        """Return the source that reads it."""
        return Source.model_validate(self._values(allow_private=allow_private))

    def yaml(self, *, allow_private: bool = False) -> str:
        """Return the lines that belong below ``sources:`` of a municipality's file."""
        values = [self._values(allow_private=allow_private)]
        text: str = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=1_000)
        return "".join(f"  {line}\n" for line in text.splitlines())

    def _values(self, *, allow_private: bool) -> dict[str, str | bool]:
        host = urlsplit(self.url).netloc
        title = " ".join(self.title.split())[:200] or host
        values: dict[str, str | bool] = {
            "name": _name(f"{self.keys.get('query') or self.title or host}", host),
            "title": title,
            "protocol": self.protocol.value,
            "url": self.url,
        }
        if self.kind is not None:
            values["kind"] = self.kind.value
        return values | dict(self.keys) | ({"allow_private": True} if allow_private else {})


def _name(said: str, host: str) -> str:
    """Return a short name in small letters, digits and hyphens."""
    for words in (said, host, "fuente"):
        plain = unicodedata.normalize("NFKD", words.lower()).encode("ascii", "ignore").decode()
        if name := re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-"):
            return name
    return "fuente"
