"""Whether printed shares can be of the denominators beside them: of rows, and of whole pages."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import html

from pipelines.figures import Printed, Rounding, check

Pair = tuple[str, int]
"""A printed share and its n."""

SHARE_OF = {
    "share": "n",
    "negative_share": "count",
    "before_share": "before_n",
    "voice_share": "voice_n",
    "on_time_share": "due_n",
}
"""Of each share of an insight table the column that holds its denominator."""

_ESTIMATES = {"Proporción corregida", "Corrected share"}  # of no whole number of texts
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_N = re.compile(r"n = ([\d,]+)")
_INTERVAL = r"\d+(?:\.\d+)?% (?:a|to) \d+(?:\.\d+)?%"
_SHARE = r"(?P<share>\d+(?:\.\d+)?)%"
_OF = r"[\d,]+ (?:de|of) (?P<n>[\d,]+)"
_WRITTEN = (
    re.compile(rf"{_SHARE} \({_INTERVAL}; n = (?P<n>[\d,]+)\)"),
    re.compile(rf"{_SHARE} {_INTERVAL}(?: ·)? {_OF}"),
    re.compile(rf"{_OF} (?:voces|voices) \({_SHARE}\)\.[^%]+ \((?P<second>\d+\.\d+)%\)"),
    re.compile(rf"{_OF} [^()%.;]{{1,60}}\({_SHARE}"),
    re.compile(rf"{_SHARE} (?:del resto |of the rest )?\({_OF}(?: voces| voices)?\)"),
    re.compile(rf"«[^»:]+: {_SHARE}» (?:quiere decir que|means that) {_OF}"),
    re.compile(rf"[\d,]+ / (?P<n>[\d,]+) = {_SHARE}"),
    re.compile(rf"{_SHARE} {_INTERVAL} n = (?P<n>[\d,]+)"),
)
"""How the pages write a share in a sentence; the second of one has the same n."""
_NO_SHARE = re.compile(rf"{_INTERVAL}|elegidos por sorteo \([\d.]+% de todos\)")
"""Ends of intervals, and a rate that is configured."""
_DRAWN = re.compile(rf": {_SHARE}, (?:intervalo|interval) {_INTERVAL}")
_BAR = re.compile(rf"{_SHARE}\s+\((?P<count>[\d,]+)\)")
_LEFT = re.compile(r".{0,60}\d\.\d+%.{0,30}")


def certified(share: str, n: int) -> bool:
    """Judge a percentage as Python and Babel round it: half to even."""
    verdicts = check([Printed.read(share)], n)
    return any(one.fits for one in verdicts if one.rounding is Rounding.HALF_EVEN)


def shares_of_rows(rows: Iterable[Mapping[str, Any]]) -> list[Pair]:
    """Return the shares of insight rows, printed to two decimals, with their n."""
    return [
        (f"{float(row[share]):.2%}", int(float(row[n])))
        for row in rows
        for share, n in SHARE_OF.items()
        if row.get(share) not in (None, "") and row.get(n) not in (None, "")
    ]


@dataclass(frozen=True)
class Read:
    """What a page prints: shares with their n, and what has a decimal and no known place."""

    shares: list[Pair]
    left: list[str]


def shares_of_page(page: str) -> Read:
    """Read every share of a page: of its tables, its charts, its big numbers and sentences."""
    tree = html.fromstring(page)
    found: list[Pair] = []
    for one in tree.xpath("//script | //style | //pre | //code"):
        one.drop_tree()
    for chart in tree.xpath("//figure[.//*[local-name() = 'svg']]"):
        found += _of_chart(chart)
        chart.drop_tree()
    for table in tree.xpath("//table"):
        found += _of_table(table)
        table.drop_tree()
    text = _text(tree)
    for pattern in _WRITTEN:
        for match in pattern.finditer(text):
            shares = [match[name] for name in ("share", "second") if name in match.re.groupindex]
            found += [(share, _whole(match["n"])) for share in shares]
        text = pattern.sub("", text)
    return Read(found, _LEFT.findall(_NO_SHARE.sub("", text)))


def _of_chart(chart: html.HtmlElement) -> list[Pair]:
    """Return the shares that a chart of bars describes and writes; axes have no decimals."""
    text = _text(chart)
    of = re.search(r"(?:sobre|over) n = ([\d,]+)", text)
    if of is None:
        return []
    written = [*_DRAWN.finditer(text), *_BAR.finditer(text)]
    return [(match["share"], _whole(of[1])) for match in written]


def _of_table(table: html.HtmlElement) -> list[Pair]:
    heads = [head.text_content() for head in table.xpath("./thead/tr/th")]
    found = []
    for row in table.xpath("./tbody/tr"):
        texts = [_text(cell) for cell in row]
        for head, text in zip(reversed(heads), reversed(texts), strict=False):
            share = _PERCENT.search(text)
            if share is None or head in _ESTIMATES or "95%" in head:
                continue
            found.append((share[1], _whole(_beside(heads, texts, head, text))))
    return found


def _beside(heads: list[str], texts: list[str], head: str, text: str) -> str:
    """Return the n of a cell: in it, or in the row's column of counts or of n."""
    if inside := _N.search(text):
        return inside[1]
    cells = dict(zip(reversed(heads), reversed(texts), strict=False))
    negative = "negativa" in head or "egative" in head
    if not negative:
        return cells["n"]
    return cells[heads[heads.index("n") - 2] if "n" in heads else heads[1]]


def _text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _whole(number: str) -> int:
    return int(number.replace(",", ""))
