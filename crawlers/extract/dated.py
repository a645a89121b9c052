"""When a page says that it was published, and never a guess."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from lxml import html

from crawlers.extract.dates import moment
from crawlers.extract.text import PARSER_ERRORS, line

_DECLARED = (
    "//meta[@property='article:published_time' or @property='og:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "//time[@itemprop='datePublished']/@datetime",
    "//meta[@name='date' or @name='pubdate' or @name='DC.date.issued' or @name='dc.date']/@content",
    "//time[@pubdate]/@datetime",
    "//article//time/@datetime",
)
_DATE = re.compile(
    r"\b\d{1,2}([/.-])\d{1,2}\1(?:19|20)\d\d\b"
    r"|\b\d{1,2}\s+(?:de\s+)?[a-záéíóú]{3,10}\.?,?\s+(?:del?\s+)?(?:19|20)\d\d\b"
    r"|\b[a-záéíóú]{3,10}\.?\s+\d{1,2},?\s+(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_HOUR = re.compile(
    r"\b\d{1,2}[:.h]\d\d(?::\d\d)?(?:\s*(?:h|hrs?|horas)\b\.?)?|\b[ap]\.?\s?m\b\.?", re.I
)
_BESIDE_A_DATE = frozenset(
    [
        "lunes",
        "martes",
        "miércoles",
        "miercoles",
        "jueves",
        "viernes",
        "sábado",
        "sabado",
        "domingo",
        "publicado",
        "publicada",
        "publicación",
        "publicacion",
        "el",
        "fecha",
        "de",
        "a",
        "las",
        "lima",
        "perú",
        "peru",
    ]
)
_ALONE = 60
"""The most characters of a text that is a date and nothing else."""

_BEFORE, _AFTER = 3, 20
"""How many texts before and after the heading a byline may be away from it."""


def published(tree: html.HtmlElement, wide: str | None, url: str) -> str | None:
    """Return the date of a page as the page wrote it, or its day alone, or nothing.

    Args:
        tree: the page, without its comments.
        wide: the day that htmldate's wide search found. That search makes the first of January
            out of a copyright notice and takes any day that the text mentions, so it is
            believed only where the page declares it or the strict search finds a day too;
            elsewhere the day counts that stands in a line of its own beside the heading.
        url: the page's address, which may hold its date.
    """
    day = line(wide)
    if day and (written := _written(day, tree)):
        return written
    if _strict(tree, url):
        return day
    day = next(_beside_heading(tree), None)
    return (_written(day, tree) or day) if day else None


def _strict(tree: html.HtmlElement, url: str) -> bool:
    from htmldate import find_date

    try:
        return bool(find_date(tree, url=url, extensive_search=False, original_date=True))
    except (*PARSER_ERRORS,):
        return False


def _beside_heading(tree: html.HtmlElement) -> Iterator[str]:
    """Yield the days that stand alone near the first heading, where bylines are.

    Farther up, many sites show the date of today; farther down, those of other articles.
    """
    heading = next(iter(tree.xpath("//h1")), None)
    if heading is None:
        return
    before = heading.xpath("preceding::text()[normalize-space()][not(ancestor::head)]")
    after = heading.xpath("following::text()[normalize-space()]")
    for node in [*after[:_AFTER], *before[-_BEFORE:]]:
        text = line(str(node)) or ""
        found = _DATE.search(text) if len(text) <= _ALONE else None
        if found is None:
            continue
        rest = _HOUR.sub(" ", text[: found.start()] + " " + text[found.end() :]).casefold()
        if set(re.findall(r"\w+", rest)) <= _BESIDE_A_DATE:
            then = moment(found[0], ZoneInfo("UTC"), datetime(2000, 1, 1, tzinfo=UTC))
            if then is not None:
                yield then.date().isoformat()


def _written(day: str, tree: html.HtmlElement) -> str | None:
    """Return how the page itself declares a day, with the time of day where it names one."""
    declared = [written for written in _declared(tree) if written.startswith(day)]
    return next((written for written in declared if len(written) > len(day)), None) or next(
        iter(declared), None
    )


def _declared(tree: html.HtmlElement) -> Iterator[str]:
    for path in _DECLARED:
        for value in tree.xpath(path):
            if text := line(str(value)):
                yield text
    for script in tree.xpath("//script[@type='application/ld+json']/text()"):
        yield from _in_json(str(script))


def _in_json(script: str) -> Iterator[str]:
    """Yield every ``datePublished`` of a JSON-LD script, without recursion."""
    try:
        waiting = [json.loads(script, strict=False)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(written := value.get("datePublished"), str) and (text := line(written)):
                yield text
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
