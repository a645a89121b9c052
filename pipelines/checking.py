"""Look at an address that nobody has configured yet: what it is, and how it would be read."""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from configs.check import is_private
from configs.schema import Limits, Municipality, Source
from crawlers.archive import read_capture, read_response
from crawlers.crawl import crawl
from crawlers.job import CrawlJob, CrawlResult
from crawlers.protocols.registry import TERMS, is_under_terms
from crawlers.recognise.address import by_address
from crawlers.recognise.data import pages_tell_more
from crawlers.recognise.proposal import Proposal
from crawlers.recognise.response import Recognised, recognise, robots_verdict
from crawlers.wire import CAPTURES
from models.errors import ConfigError, InputError
from models.records import Capture, Extracted, Kind, Outcome, Protocol
from pipelines.collect import user_agent
from pipelines.privacy import Pseudonymiser, mask

REQUESTS: Final = 6
"""Requests that one way to read an address is tried with, robots.txt included."""

EXAMPLES: Final = 3
_TRIED: Final = 3
_SECONDS: Final = 60
_SHOWN: Final = 200
_WITH_PAGES: Final = (Protocol.FEED, Protocol.PAGES, Protocol.SITEMAP)
_ROBOTS: Final = "/robots.txt"
_ADVICE: Final = {
    Outcome.NOT_ALLOWED: "only addresses of the public internet are read; if it is your own server,"
    " add --allow-private",
    Outcome.ROBOTS_DENIED: "Manifiesta obeys; ask who runs the site, or look for its feed or"
    " interface",
    Outcome.WALLED: "Manifiesta neither logs in nor solves captchas; look for the site's feed or"
    " interface",
    Outcome.GONE: "open it in a browser and copy the address that works",
    Outcome.UNREADABLE: "open it in a browser and see whether it shows what you expect",
    Outcome.FAULT: "report it: the source is not to blame",
    Outcome.FETCH_FAILED: "look for a typing mistake in the address, or try later",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One text as it would be stored: masked, its author under a pseudonym made for this look."""

    said_at: str
    author: str
    title: str
    text: str
    is_answer: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What an address is. ``problem`` says why nothing of it could be shown, ``advice`` what to do.

    ``proposal`` is the best way to read it, ``others`` are further ones; ``yaml`` is the source
    to paste into a municipality's file.
    """

    url: str
    robots: str = ""
    answer: str = ""
    proposal: Proposal | None = None
    others: tuple[Proposal, ...] = ()
    yaml: str = ""
    examples: tuple[Example, ...] = ()
    problem: str = ""
    advice: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether texts could be shown."""
        return bool(self.examples)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        best = self.proposal
        return {
            "url": self.url,
            "readable": self.is_readable,
            "robots": self.robots,
            "answer": self.answer,
            "protocol": best.protocol if best else None,
            "why": best.why if best else None,
            "note": best.note if best else None,
            "yaml": self.yaml or None,
            "others": [{"protocol": o.protocol, "url": o.url, "why": o.why} for o in self.others],
            "examples": [
                {name: getattr(example, name) for name in Example.__slots__}
                for example in self.examples
            ],
            "problem": self.problem or None,
            "advice": self.advice or None,
        }


def check_url(
    url: str, municipality: Municipality | None, software_version: str, *, allow_private: bool
) -> Checked:
    """Fetch an address once and say how it can be read; the first texts take a few requests more.

    Nothing is stored. A platform that its address gives away is not fetched: its interface is.

    Args:
        url: what somebody typed; without a scheme it is taken for https.
        municipality: for whom it is asked, for the user agent and the time zone.
        software_version: for the user agent.
        allow_private: whether addresses of private networks and of this machine may be read.

    Raises:
        ConfigError: it is no web address.
    """
    address = _address(url)
    if not allow_private and is_private(address):
        problem = f"{address} is an address of a private network, or of this machine"
        return Checked(address, problem=problem, advice=_ADVICE[Outcome.NOT_ALLOWED])
    with TemporaryDirectory(prefix="manifiesta-check-") as folder:
        look = _Look(Path(folder), municipality, software_version, allow_private=allow_private)
        if proposal := by_address(address):
            return look.best(Checked(address), Recognised((proposal,)))
        return look.at(address)


def _address(url: str) -> str:
    address = url.strip()
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address or any(letter.isspace() for letter in address):
        raise ConfigError(f"«{url[:200]}» is no web address; write it whole: https://example.pe/")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("there is a user name or password in the address; sources are public")
    return address


class _Look:
    """The crawls of one check, which share a folder and never fetch anything twice."""

    def __init__(
        self,
        folder: Path,
        municipality: Municipality | None,
        software_version: str,
        *,
        allow_private: bool,
    ) -> None:
        self._folder = folder
        self._archive = folder / "archive"
        self._allow_private = allow_private
        self._zone = municipality.time_zone if municipality else "America/Lima"
        self._agent = (
            user_agent(municipality, software_version)
            if municipality
            else f"Manifiesta/{software_version} (one look at a source, by a person)"
        )
        self._fetched: Path | None = None

    def at(self, url: str) -> Checked:
        """Fetch an address, and try the ways to read it."""
        source = Source(name="look", title="look", protocol=Protocol.FEED, url=url)
        result = self._crawl(source, url, "look", look=True)
        checked = replace(Checked(url), robots=self._robots(result))
        pages = [each for each in result.captures if not _is_robots(each.url)]
        if not result.finished or not pages:
            return _failed(checked, result)
        self._fetched = self._folder / "look" / CAPTURES
        capture = pages[-1]
        said = f"{capture.status}, {capture.content_type or 'of no declared kind'}, "
        said += f"{capture.size:,} bytes"
        moved = f", from {capture.url}" if capture.url != url else ""
        try:
            found = self._recognise(capture)
        except InputError as error:
            return replace(checked, answer=said + moved, problem=str(error))
        return self.best(replace(checked, answer=said + moved), found)

    def _recognise(self, capture: Capture) -> Recognised:
        response = read_response(capture, self._archive)
        headers = {name.lower(): value for name, value in response.headers}
        body = read_capture(capture, self._archive)
        return recognise(capture.url, capture.status, headers, body)

    def best(self, checked: Checked, found: Recognised) -> Checked:
        """Try the ways to read an address until one gives texts; without any, keep the first."""
        if not found.proposals:
            return replace(checked, problem=found.what, advice=found.advice)
        tries = []
        for number, proposal in enumerate(found.proposals[:_TRIED]):
            tried = self._try(checked, proposal, f"try-{number}")
            others = tuple(each for each in found.proposals if each is not proposal)
            tries.append(replace(tried, others=others))
            if tried.is_readable:
                break
        return next((tried for tried in tries if tried.is_readable), tries[0])

    def _try(self, checked: Checked, proposal: Proposal, name: str) -> Checked:
        allow = self._allow_private
        checked = replace(checked, proposal=proposal, yaml=proposal.yaml(allow_private=allow))
        if proposal.token and not os.environ.get(proposal.token):
            return replace(
                checked,
                problem="its interface wants a token",
                advice=f"get one from the platform, put it into the environment variable"
                f" {proposal.token}, and check again",
            )
        source = proposal.source(allow_private=allow)
        result = self._crawl(source, proposal.url, name)
        if source.follow:
            plain = proposal.without("follow")
            short = self._crawl(plain.source(), proposal.url, f"{name}-short", after=name)
            if not pages_tell_more(_opened(short, result)):
                checked = replace(checked, proposal=plain, yaml=plain.yaml(allow_private=allow))
                proposal, result = plain, short
        if source.protocol in _WITH_PAGES and proposal.opens_pages:
            more = proposal.with_comments()
            answered = self._crawl(more.source(), more.url, f"{name}-comments", after=name)
            if any(record.kind is Kind.COMMENT for record in answered.extracted):
                checked = replace(checked, proposal=more, yaml=more.yaml(allow_private=allow))
                result = answered
        robots = TERMS if is_under_terms(source) else checked.robots or self._robots(result)
        checked = replace(checked, robots=robots)
        examples = self._examples(result.extracted, source.name)
        if examples:
            return replace(checked, examples=examples)
        if result.finished and not result.rejections:
            return replace(checked, problem="it holds no text now", advice="look again later")
        return _failed(checked, result)

    def _crawl(
        self, source: Source, url: str, name: str, *, look: bool = False, after: str = ""
    ) -> CrawlResult:
        """Crawl with what the look has fetched at hand, or a crawl of the name ``after``."""
        limits = Limits(
            max_requests=REQUESTS,
            max_seconds=_SECONDS,
            delay=0 if self._allow_private else Limits().delay,
        )
        about = {"limits": limits, "allow_private": self._allow_private}
        return crawl(
            CrawlJob(
                municipality="check",
                source=source.model_copy(update=about),
                url=url,
                user_agent=self._agent,
                time_zone=self._zone,
                out=self._folder / name,
                archive=self._archive,
                fetched=self._folder / after / CAPTURES if after else self._fetched,
                look=look,
            )
        )

    def _robots(self, result: CrawlResult) -> str:
        denied = [x for x in result.rejections if x.outcome is Outcome.ROBOTS_DENIED]
        if denied:
            return "does not allow this address"
        read = [each for each in result.captures if _is_robots(each.url)]
        if not read:
            return "could not be read, so nothing forbids the address" if result.captures else ""
        body = read_capture(read[-1], self._archive)
        return robots_verdict(read[-1].status, body, self._agent)

    def _examples(self, records: Sequence[Extracted], source: str) -> tuple[Example, ...]:
        pseudonymiser = Pseudonymiser("check", secrets.token_bytes(32))
        return tuple(
            Example(
                said_at=f"{record.said_at.isoformat()}" if record.said_at else "no date",
                author=pseudonymiser.author(source, record.author) if record.author else "",
                title=mask(record.title or "")[:_SHOWN],
                text=mask(record.text)[:_SHOWN],
                is_answer=record.parent_external_id is not None,
            )
            for record in records[:EXAMPLES]
        )


def _opened(short: CrawlResult, whole: CrawlResult) -> Iterator[tuple[str, str]]:
    """Return, of each entry whose page was opened, its text alone and that with its page."""
    opened = {capture.url for capture in whole.captures if capture.status == 200}
    alone = {record.external_id: record.text for record in short.extracted}
    for record in whole.extracted:
        if record.url in opened and record.external_id in alone:
            yield alone[record.external_id], record.text


def _is_robots(url: str) -> bool:
    return urlsplit(url).path == _ROBOTS


def _failed(checked: Checked, result: CrawlResult) -> Checked:
    """Say why a crawl brought nothing, and what to do about it."""
    worst = result.rejections[-1] if result.rejections else None
    problem = result.reason or (worst.detail if worst else "nothing was read")
    advice = _ADVICE.get(worst.outcome, "") if worst else ""
    return replace(checked, problem=problem, advice=advice)
