"""How an address can be read, told from what it answered; and what its robots.txt says."""

from collections.abc import Mapping
from dataclasses import dataclass

from protego import Protego

from crawlers.extract.text import decode, plain
from crawlers.recognise.data import by_data
from crawlers.recognise.page import by_page, is_article
from crawlers.recognise.proposal import Proposal

_TABLES = ("text/csv", "spreadsheet", "ms-excel", "application/zip", "ndjson", "jsonl")
_TABLE_NAMES = (".csv", ".tsv", ".xlsx", ".xls", ".zip", ".jsonl", ".ndjson")

BARE = 200
"""Characters; a page with scripts and less text than that shows nothing without them."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The ways to read an address, the best first; without any, ``what`` it is and ``advice``."""

    proposals: tuple[Proposal, ...] = ()
    what: str = ""
    advice: str = ""


def recognise(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Recognised:
    """Tell from an answer how its address can be read.

    Args:
        url: the address, after redirects.
        status: the answer's status.
        headers: its headers, by their names in small letters.
        body: its body, unpacked.
    """
    kind = headers.get("content-type", "")
    if status >= 400:
        return _refused(status)
    if proposal := by_data(url, kind, body):
        return Recognised((proposal,))
    if found := by_page(url, kind, headers.get("link", ""), body):
        return Recognised(tuple(found))
    return _unknown(url, kind, body)


def _refused(status: int) -> Recognised:
    if status == 404:
        return Recognised(
            what="there is nothing at this address (404)",
            advice="open it in a browser and copy the address that works",
        )
    return Recognised(
        what=f"it lets nobody in without an account ({status})",
        advice="Manifiesta logs in nowhere: look for the site's feed, or for an interface with a"
        " token",
    )


def _unknown(url: str, kind: str, body: bytes) -> Recognised:
    short = kind.partition(";")[0].strip().lower()
    if any(name in short for name in _TABLES) or url.partition("?")[0].endswith(_TABLE_NAMES):
        return Recognised(
            what="it is a file with a table",
            advice="download it and give it to «manifiesta import»",
        )
    if not body.strip():
        return Recognised(what="its answer is empty", advice="try later, or another address")
    if b"\0" in body[:2_000] or short.startswith(("image/", "video/", "audio/", "font/")):
        return Recognised(
            what=f"it is no text ({short or 'of no declared kind'})",
            advice="give the address of a page, a feed or an interface",
        )
    if is_article(url, kind, body):
        return Recognised(
            what="it is a single article, which nothing new will follow",
            advice="give the address of the section that lists it, or of the site's feed",
        )
    if b"<script" in body and len(plain(decode(body, kind))) < BARE:
        return Recognised(
            what="its text is written by scripts, which are not run",
            advice="look for the site's feed or sitemap; without one, write protocol: pages with"
            " render: browser and the CSS selector of its links in «links»",
        )
    return Recognised(
        what="it is neither a feed nor a list of articles, nor anything else that is known",
        advice="look for the site's feed (often /feed/ or /rss) or sitemap (/sitemap.xml), or"
        " write protocol: pages with the CSS selector of its links in «links»",
    )


def robots_verdict(status: int, body: bytes, agent: str) -> str:
    """Say what a robots.txt that was read means for us; what it forbids is told elsewhere."""
    if status != 200:
        return f"there is none ({status}), so everything may be read"
    found = Protego.parse(decode(body))
    delay = found.crawl_delay(agent)
    wait = f", and asks for {delay:g} seconds between requests" if delay else ""
    return f"allows this address{wait}"
