"""The interfaces of platforms: sends what an adapter asks, and keeps what it reads."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from scrapy.http import Request, Response

from crawlers.extract.dates import first_moment
from crawlers.failures import explain
from crawlers.keyed import TOKEN_AS
from crawlers.known import is_old
from crawlers.listings import LOOKED_FOR
from crawlers.politeness import UNDER_TERMS, NotModified, Retry
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Holding,
    Looking,
    Step,
    Windowed,
    parse_json,
)
from crawlers.protocols.fields import item_fields
from crawlers.protocols.refusals import gone_wrong, refused
from crawlers.protocols.registry import ADAPTERS, is_under_terms
from crawlers.protocols.secret import same_site, site_of, take_token
from crawlers.recorder import Recorder
from crawlers.rules import Draft, identity
from crawlers.spiders.base import (
    GONE,
    MOST_LOOKED_FOR,
    SourceSpider,
    conditional,
    fetched_at,
    fits,
    in_time,
    is_lasting,
    unforeseen_in_words,
)
from crawlers.spiders.guarded import CARRIES_TOKEN, PatientRetry, Scrubber
from crawlers.spiders.proof import has_all, is_proof, lies_before, listed_by
from models.reasons import Reason
from models.records import Failure, Outcome, Vanished

FAILING = list(range(400, 600))
MOVED = list(range(300, 400))

MOST_SAMPLED = 20
"""Answers of a crawl whose fields are noted."""

Mark = tuple[str, str, bytes]
"""What makes one request another: its method, address and body."""


class InterfaceSpider(SourceSpider):
    """Reads any protocol that has an adapter.

    A request that carries a token goes to the source's own site alone, follows no redirect,
    and asks for an answer without compression, so that `Scrubber` finds the token in it.
    """

    name = "interface"

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.token = take_token()
        self._adapter = ADAPTERS[self.source.protocol](self.source, recorder.job.url, self.token)
        self._asked: set[Mark] = set()
        self._open: dict[Mark, str] = {}
        self._missing = ""
        self._has_looked = False
        self._sampled = 0
        since, until = recorder.job.since, recorder.job.until
        if since and until and isinstance(self._adapter, Windowed):
            self._adapter.within(since, until)

    @classmethod
    def update_settings(cls, settings: Any) -> None:
        """Put the scrubber nearest to the network, and leave 429 to the adapter."""
        super().update_settings(settings)
        components = settings.getdict("DOWNLOADER_MIDDLEWARES") | {
            f"{Retry.__module__}.{Retry.__name__}": None,
            f"{PatientRetry.__module__}.{PatientRetry.__name__}": 550,
            f"{Scrubber.__module__}.{Scrubber.__name__}": 900,
        }
        settings.set("DOWNLOADER_MIDDLEWARES", components, priority="spider")

    async def start(self) -> Any:
        """Begin with what the adapter asks first."""
        for request in self._requests((self._adapter.start(),), is_start=True):
            yield request

    def _requests(self, asks: Iterable[Ask], *, is_start: bool = False) -> Iterator[Request]:
        for ask in asks:
            if _mark(ask) in self._asked:
                self.recorder.reject(Outcome.DUPLICATE, ask.url, "it was asked already")
                if not ask.mark:  # a list that leads back to itself; a page may be listed twice
                    self._listings.broken(ask.lists)
            elif why := self._forbidden(ask):
                self.recorder.reject(Outcome.NOT_ALLOWED, ask.url[:200], why)
                self._listings.broken(ask.lists)
            else:
                self._listings.asked(ask.lists)
                self._asked.add(_mark(ask))
                if ask.of:
                    self._open[_mark(ask)] = ask.of
                yield self._request(ask, is_start=is_start)

    def _forbidden(self, ask: Ask) -> str:
        if not fits(ask.url) or site_of(ask.url) is None:
            return "it is no web address, or endless"
        if self.token and not same_site(ask.url, self.recorder.job.url):
            return "a request with a token goes to the source's own site alone"
        return ""

    def _request(self, ask: Ask, *, is_start: bool) -> Request:
        kept = FAILING + MOVED if self.token else FAILING
        headers = {"Accept-Encoding": "identity"} if self.token else {}
        under_terms = is_under_terms(self.source)
        request = Request(
            ask.url,
            method=ask.method,
            headers=headers | dict(ask.headers),
            body=ask.body,
            callback=in_time(self.read_answer),
            errback=self.not_answered,
            cb_kwargs={"ask": ask, "is_start": is_start},
            meta={
                "handle_httpstatus_list": kept,
                CARRIES_TOKEN: bool(self.token),
                UNDER_TERMS: under_terms,
                TOKEN_AS: ask.token_as,
            },
            dont_filter=True,
        )
        if not ask.conditional:
            return request
        return conditional(request, may_rest=self.recorder.known.has(ask.mark))

    def read_start(self, response: Response) -> Iterator[Request]:
        """Not used: every answer is read by `read_answer`."""
        raise NotImplementedError

    def read_answer(self, response: Response, ask: Ask, *, is_start: bool) -> Iterator[Request]:
        """Read an answer: keep its records, count its problems, ask what follows from it."""
        answer = _answer(response, ask)
        step = self._step(answer, ask)
        self._note_fields(answer)
        settled = self._keep(step.drafts)
        self._note_gone(answer, step, ask)
        self._note_listed(answer, step, ask)
        self._count(step, ask, is_start=is_start)
        if step.stop:
            self.recorder.stop(step.stop)
            return
        self._open.pop(_mark(ask), None)
        # all at once: between two requests another answer may be read, which must find them asked
        asked = list(self._requests(self._unknown(step, settled)))
        yield from (*asked, *self._requests(self._looked_for()))

    def _step(self, answer: Answer, ask: Ask) -> Step:
        if 200 <= answer.status < 300 or answer.status in ask.errors:
            return self._adapter.read(answer)
        if answer.status < 400:
            return gone_wrong(answer, "a redirect, which no token follows")
        return refused(answer, self.source) or gone_wrong(answer)

    def _keep(self, drafts: tuple[Draft, ...]) -> set[str]:
        """Keep what is not stored as it is, and return the ids of what needs no second look."""
        self.recorder.met(self._moments(drafts))
        settled: set[str] = set()
        for draft in drafts:
            if self._is_settled(draft.fingerprint or "", counted=draft.counted):
                self.recorder.unchanged += 1
                settled.add(draft.external_id or "")
            else:
                self.recorder.put(draft)
        return settled

    def _moments(self, drafts: Iterable[Draft]) -> list[datetime]:
        """Return when drafts were said, of those that tell."""
        zone = self.recorder.zone
        moments = (first_moment(draft.dates, zone, draft.fetched_at) for draft in drafts)
        return [moment for moment in moments if isinstance(moment, datetime)]

    def _is_settled(self, mark: str, *, counted: bool) -> bool:
        return self.is_settled(mark, self.recorder.known.newest, counted=counted)

    def _note_fields(self, answer: Answer) -> None:
        if answer.status != 200 or self._sampled >= MOST_SAMPLED:
            return
        value = parse_json(answer.body, answer.content_type)
        if not isinstance(value, Broken):
            self._sampled += 1
            self.recorder.note_fields(item_fields(value))

    def _note_gone(self, answer: Answer, step: Step, ask: Ask) -> None:
        """Note what the platform says was taken back, and what no longer has its address."""
        for external_id in step.gone:
            self.recorder.is_gone(Vanished(identity(external_id), answer.fetched_at))
            detail = "its author or its source took it back"
            self.recorder.reject(Outcome.DELETED, external_id, detail)
        if answer.status in GONE and (own := self._owner(ask)):
            self.recorder.is_gone(Vanished(own, answer.fetched_at, with_thread=True))

    def _owner(self, ask: Ask) -> str:
        """Return the external id of what has an address to itself."""
        return ask.own or self.recorder.known.by_page.get(ask.url, "")

    def _note_listed(self, answer: Answer, step: Step, ask: Ask) -> None:
        """Note what an answer proves to be there, if nothing of it is missing."""
        for listed in listed_by(step, ask):
            if listed.is_expected_now:
                self._listings.asked(listed.names)
            self._listings.answered(
                listed.names,
                answer.fetched_at,
                map(identity, listed.ids),
                self._moments(listed.dated),
                listed.thread,
                partial=listed.partial,
            )
        if not is_proof(step):
            self._listings.broken(ask.lists)

    def _looked_for(self) -> Iterator[Ask]:
        """Ask for the young openers that the source's list no longer holds."""
        listed = self._listings.holds(LOOKED_FOR)
        if listed is None or self._has_looked or not isinstance(self._adapter, Looking):
            return
        self._has_looked = True
        newest, days = self.recorder.known.newest, self.source.revisit_days
        left = MOST_LOOKED_FOR
        for opener in self.recorder.known.openers:
            if not left or is_old(opener.said_at, newest, days):
                return
            if ask := self._adapter.look_for(opener, listed):
                left -= 1
                yield ask

    def _count(self, step: Step, ask: Ask, *, is_start: bool) -> None:
        """Count the problems of an answer, and note what the crawl lacks because of them."""
        lost = [problem for problem in step.problems if problem.outcome.failure]
        for problem in step.problems:
            is_known = problem.outcome is Outcome.GONE and self._owner(ask)
            outcome = Outcome.DELETED if is_known else problem.outcome
            self.recorder.reject(outcome, problem.where, problem.detail)
        if ask.of and any(problem.outcome.failure is Failure.TEMPORARY for problem in lost):
            self.recorder.unsettle(ask.of)
        if lost and not (step.drafts or step.asks or step.stop):
            self._without(lost[0].detail, ask, is_start=is_start)

    def _unknown(self, step: Step, settled: set[str]) -> Iterator[Ask]:
        """Leave out what would bring nothing but what is stored, or is older than the window."""
        since = self.recorder.job.since
        is_over = has_all(self.recorder.known, step)
        is_before = lies_before(since, step, self._moments(step.drafts))
        for ask in step.asks:
            if ask.older and (is_over or is_before):
                self._listings.cut(ask.lists)
                self.recorder.bounded |= not is_over
            elif ask.mark and self._is_settled(ask.mark, counted=ask.counted):
                self.recorder.unchanged += 1
            elif ask.at and since and ask.at < since:
                self.recorder.bounded = True
            elif ask.of and ask.of in settled:
                self._listings.broken(ask.lists)
            else:
                yield ask

    def not_answered(self, failure: Any) -> None:
        """A request got no answer, or none that may be read."""
        ask = failure.request.cb_kwargs["ask"]
        self._listings.broken(ask.lists)
        if isinstance(failure.value, NotModified):
            self.recorder.rested(ask.mark)
            return
        outcome, sentence = explain(failure, self.source.limits)
        self.recorder.reject(outcome, failure.request.url, sentence)
        self._without(sentence, ask, is_start=failure.request.cb_kwargs["is_start"])
        if is_lasting(failure, self.source.limits):
            self._open.pop(_mark(ask), None)

    def unforeseen(self, failure: Any, response: Response) -> None:
        """An adapter failed: count its answer, and go on without it."""
        super().unforeseen(failure, response)
        about = response.request.cb_kwargs if response.request else {}
        if "ask" in about:
            self._listings.broken(about["ask"].lists)
            why = unforeseen_in_words(failure)[1]
            sentence = Reason.FAULT_AT.said(url=response.url, why=why)
            self._without(sentence, about["ask"], is_start=about["is_start"])

    def _without(self, sentence: str, ask: Ask, *, is_start: bool) -> None:
        """Note what the crawl lacks: without its start it ends, without a page it goes on."""
        if is_start:
            self.recorder.stop(sentence)
        elif ask.needed:
            self._missing = self._missing or sentence

    def closed(self, reason: str) -> None:
        """Write what the adapter still holds, and say how the crawl ended if it was cut short."""
        super().closed(reason)
        if isinstance(self._adapter, Holding):
            self._keep(self._adapter.rest())
        for external_id in self._open.values():
            self.recorder.unsettle(external_id)
        if self._missing:
            self.recorder.stop(self._missing)


def _mark(ask: Ask) -> Mark:
    return ask.method, ask.url, ask.body


def _answer(response: Response, ask: Ask) -> Answer:
    headers = {
        name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
        for name, values in response.headers.items()
    }
    return Answer(
        url=response.url,
        status=response.status,
        headers=headers,
        body=response.body,
        about=ask.about,
        fetched_at=fetched_at(response),
        capture_id=response.meta["capture_id"],
    )
