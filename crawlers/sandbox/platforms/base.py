"""What every platform of the town is: a site's items, and an answer to each call."""

import typing

from markupsafe import Markup, escape

from crawlers.sandbox.answers import Call, Page
from crawlers.sandbox.items import Item, lines, newest_first
from crawlers.sandbox.sites import Site
from crawlers.sandbox.town import Town


class Platform(typing.Protocol):
    """Answers for one source; ``rest`` is the path below the source's own."""

    def __init__(self, town: Town, site: Site) -> None: ...

    def answer(self, call: Call, rest: str) -> Page | None:
        """Return the answer; nothing where nothing is."""
        ...


class Base:
    """The items of one source, newest first."""

    def __init__(self, town: Town, site: Site) -> None:
        self.town = town
        self.site = site
        self.items: list[Item] = newest_first(town.of(site.name))
        self.by_key: dict[str, Item] = {item.key: item for item in self.items}


def paragraphs_of(text: str) -> str:
    """Return a text as HTML paragraphs."""
    return "".join(str(Markup("<p>{}</p>").format(line)) for line in lines(text))


def broken_lines(text: str) -> str:
    """Return a text as HTML with line breaks."""
    return "<br/>".join(str(escape(line)) for line in lines(text))
