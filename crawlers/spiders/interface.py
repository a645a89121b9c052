"""The interfaces of platforms: sends what an adapter asks, and keeps what it reads."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Self

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawlers.extract.dates import first_moment
from crawlers.failures import explain
from crawlers.keyed import TOKEN_AS
from crawlers.politeness import Retry
from crawlers.protocols.base import Answer, Ask, Holding, Step
from crawlers.protocols.refusals import gone_wrong, refused
from crawlers.protocols.registry import ADAPTERS
from crawlers.protocols.secret import hide, same_site, site_of, take_token
from crawlers.recorder import Recorder
from crawlers.rules import Draft
from crawlers.spiders.base import (
    SourceSpider,
    fetched_at,
    fits,
    in_time,
    is_lasting,
    unforeseen_in_words,
)
from models.records import Failure, Outcome

FAILING = list(range(400, 600))
MOVED = list(range(300, 400))

TOO_MANY = 429

CARRIES_TOKEN = "carries_token"  # noqa: S105 - the key of a request's meta, not a token

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
        self._newest = recorder.known.newest
        self._missing = ""

    @classmethod
    def update_settings(cls, settings: Any) -> None:
        """Put the scrubber nearest to the network, and leave 429 to the adapter."""
        super().update_settings(settings)
        components = settings.getdict("DOWNLOADER_MIDDLEWARES") | {
            f"{Retry.__module__}.{Retry.__name__}": None,
            f"{__name__}.{PatientRetry.__name__}": 550,
            f"{__name__}.{Scrubber.__name__}": 900,
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
            elif why := self._forbidden(ask):
                self.recorder.reject(Outcome.NOT_ALLOWED, ask.url[:200], why)
            else:
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
        return Request(
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
                TOKEN_AS: ask.token_as,
            },
            dont_filter=True,
        )

    def read_start(self, response: Response) -> Iterator[Request]:
        """Not used: every answer is read by `read_answer`."""
        raise NotImplementedError

    def read_answer(self, response: Response, ask: Ask, *, is_start: bool) -> Iterator[Request]:
        """Read an answer: keep its records, count its problems, ask what follows from it."""
        answer = _answer(response, ask)
        step = self._step(answer, ask)
        settled = self._keep(step.drafts)
        self._count(step, ask, is_start=is_start)
        if step.stop:
            self.recorder.stop(step.stop)
            return
        self._open.pop(_mark(ask), None)
        yield from self._requests(self._unknown(step, settled))

    def _step(self, answer: Answer, ask: Ask) -> Step:
        if 200 <= answer.status < 300 or answer.status in ask.errors:
            return self._adapter.read(answer)
        if answer.status < 400:
            return gone_wrong(answer, "a redirect, which no token follows")
        return refused(answer, self.source) or gone_wrong(answer)

    def _keep(self, drafts: tuple[Draft, ...]) -> set[str]:
        """Keep what is not stored as it is, and return the ids of what needs no second look."""
        zone, known = self.recorder.zone, self.recorder.known
        said = [first_moment(draft.dates, zone, draft.fetched_at) for draft in drafts]
        moments = [moment for moment in (*said, self._newest) if isinstance(moment, datetime)]
        self._newest = max(moments, default=None)
        days = self.source.revisit_days if self.source.comments else -1
        settled: set[str] = set()
        for draft in drafts:
            if known.is_settled(draft.fingerprint or "", self._newest, days):
                self.recorder.unchanged += 1
                settled.add(draft.external_id or "")
            else:
                self.recorder.put(draft)
        return settled

    def _count(self, step: Step, ask: Ask, *, is_start: bool) -> None:
        """Count the problems of an answer, and note what the crawl lacks because of them."""
        lost = [problem for problem in step.problems if problem.outcome.failure]
        for problem in step.problems:
            self.recorder.reject(problem.outcome, problem.where, problem.detail)
        if ask.of and any(problem.outcome.failure is Failure.TEMPORARY for problem in lost):
            self.recorder.unsettle(ask.of)
        if lost and not (step.drafts or step.asks or step.stop):
            self._without(lost[0].detail, ask, is_start=is_start)

    def _unknown(self, step: Step, settled: set[str]) -> Iterator[Ask]:
        """Leave out what would bring nothing but what is stored."""
        nothing_new = bool(step.drafts) and len(settled) == len(step.drafts)
        is_over = nothing_new and self.recorder.known.complete
        for ask in step.asks:
            if not (ask.older and is_over) and not (ask.of and ask.of in settled):
                yield ask

    def not_answered(self, failure: Any) -> None:
        """A request got no answer, or none that may be read."""
        ask = failure.request.cb_kwargs["ask"]
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
            sentence = f"{response.url}: {unforeseen_in_words(failure)}"
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


class PatientRetry(Retry):
    """Retries as ever, but does not ask at once again after a 429 that names no wait."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Leave such an answer to the adapter."""
        if response.status == TOO_MANY and not response.headers.get("Retry-After"):
            return response
        return super().process_response(request, response)


class Scrubber:
    """Takes the token out of answers before they are archived; some platforms repeat it."""

    def __init__(self, spider: InterfaceSpider) -> None:
        self._spider = spider

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the scrubber of a crawl."""
        return cls(crawler.spider)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return a response without the token in its headers and its body.

        One that came compressed, though that was not asked for, is refused unread.
        """
        token = self._spider.token
        if not token or not request.meta.get(CARRIES_TOKEN):
            return response
        if (response.headers.get("Content-Encoding") or b"identity").lower() != b"identity":
            raise IgnoreRequest("its answer came compressed, which was not asked for")
        headers = {
            name: [hide(value, token) for value in values]
            for name, values in response.headers.items()
        }
        return response.replace(headers=headers, body=hide(response.body, token))


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
