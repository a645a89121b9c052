"""Mastodon: the public timeline of a server, or the timeline of a tag."""

import re
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from configs.schema import Source
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    copied,
    draft,
    failed,
    joined,
    kind_of,
    look,
    markup,
    number,
    parse_json,
    rows,
    title,
    unreadable,
    word,
)
from crawlers.rules import Draft
from models.records import OPENERS, Kind

PAGE = "40"
"""The most statuses that a server gives at once."""

LONGEST_THREAD = 1_000

MOST_DESCENDANTS = 60
"""What a server shows of a thread to who has no account."""

_LINK = re.compile(r"<([^<>]{1,2000})>([^<]{0,500})")
_NEXT = re.compile(r';\s*rel\s*=\s*"?next\b', re.IGNORECASE)


class Mastodon:
    """Reads statuses, newest first, and on request what was answered to them.

    A reply names its parent by an id of the server, while a status is known everywhere by its
    ``uri``. Replies are held until the list was read, because it has the parents behind them.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._known: dict[str, tuple[str, str]] = {}
        self._held: dict[str, Draft] = {}

    def start(self) -> Ask:
        """Ask for the newest statuses of the tag, or of the server's own people."""
        tag = (self._source.query or "").strip().lstrip("#")
        if tag:
            path = f"api/v1/timelines/tag/{quote(tag, safe='')}"
            url = joined(self._url, path, limit=PAGE)
        else:
            url = joined(self._url, "api/v1/timelines/public", local="true", limit=PAGE)
        return self._page(url, older=False)

    def _page(self, url: str, *, older: bool) -> Ask:
        return Ask(url, headers=self._headers, needed=True, older=older, lists=(OPENERS,))

    def read(self, answer: Answer) -> Step:
        """Read a page of a timeline, or the thread around a status."""
        value = parse_json(answer.body, answer.content_type)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        if answer.about.get("thread"):
            below = rows(value, "descendants")
            step = self._statuses(answer, rows(value, "ancestors") + below, follow=False)
            if len(below) < MOST_DESCENDANTS:
                return step
            why = "shows no more of a thread to who has no account"
            return replace(step, problems=(*step.problems, unreadable(answer, why)))
        if not isinstance(value, list):
            return failed(answer, "holds no list of statuses")
        step = self._statuses(answer, rows(value), follow=self._source.comments)
        after = next_page(answer)
        asks = (self._page(after, older=True),) if after and value else ()
        return replace(step, asks=(*step.asks, *asks))

    def rest(self) -> tuple[Draft, ...]:
        """Return the replies, with their parent and the beginning of their thread."""
        held, self._held = self._held, {}
        return tuple(self._placed(identity, reply) for identity, reply in held.items())

    def _statuses(self, answer: Answer, found: list[dict[str, object]], *, follow: bool) -> Step:
        drafts: list[Draft] = []
        asks: list[Ask] = []
        problems: list[Problem] = []
        for status in found:
            identity = word(status, "id")
            if look(status, "reblog") is not None:
                problems.append(copied(word(status, "uri") or answer.url))
                continue
            if identity and identity in self._known:
                if not answer.about.get("thread"):
                    problems.append(copied(word(status, "uri") or answer.url))
                continue
            self._put(answer, status, drafts)
            has_replies = (number(status, "replies_count") or 0) > 0
            if follow and has_replies and identity and not word(status, "in_reply_to_id"):
                asks.append(self._thread(identity, word(status, "uri")))
        present = tuple(uri for status in found if (uri := word(status, "uri")))
        return Step(tuple(drafts), tuple(asks), tuple(problems), present=present)

    def _thread(self, identity: str, uri: str) -> Ask:
        url = joined(self._url, f"api/v1/statuses/{quote(identity, safe='')}/context")
        return Ask(
            url, headers=self._headers, about={"thread": identity}, of=uri, lists=(uri,), own=uri
        )

    def _put(self, answer: Answer, status: dict[str, object], drafts: list[Draft]) -> None:
        """Keep a status, or hold it if it is a reply."""
        identity, uri = word(status, "id"), word(status, "uri")
        parent = word(status, "in_reply_to_id")
        made = draft(
            answer,
            uri,
            Kind.COMMENT if parent else kind_of(self._source),
            count=number(status, "replies_count"),
            text=markup(status, "content"),
            dates=(word(status, "created_at"),),
            title=title(status, "spoiler_text"),
            author=word(status, "account", "acct") or None,
            url=word(status, "url") or None,
        )
        if identity and uri:
            self._known[identity] = (uri, parent)
        if not (parent and identity and uri):
            drafts.append(made)
        else:
            self._held[identity] = replace(made, parent=_local_parent(status, parent))

    def _placed(self, identity: str, reply: Draft) -> Draft:
        parent_id = self._known[identity][1]
        parent = self._known[parent_id][0] if parent_id in self._known else reply.parent
        top, at, seen = parent, parent_id, {identity}
        while at in self._known and at not in seen and len(seen) < LONGEST_THREAD:
            seen.add(at)
            top, at = self._known[at]
        return replace(reply, parent=parent, thread=top)


def next_page(answer: Answer) -> str:
    """Return the address that the Link header calls the next page; empty if there is none."""
    for target, about in _LINK.findall(answer.headers.get("link", "")):
        if _NEXT.search(about):
            try:
                address: str = urljoin(answer.url, target)
            except ValueError:
                return ""
            return address
    return ""


def _local_parent(status: dict[str, object], parent: str) -> str | None:
    """Return the uri of a status that was not read, if its author is of this server.

    Such a uri is made of the author's name and the status's id; of another server it is not.
    """
    account = word(status, "in_reply_to_account_id")
    people = [look(status, "account"), *rows(status, "mentions")]
    for person in people:
        acct = word(person, "acct")
        if account and word(person, "id") == account and acct and "@" not in acct:
            try:
                site = urlsplit(word(person, "url"))
            except ValueError:
                return None
            if site.netloc:
                return f"{site.scheme}://{site.netloc}/users/{acct}/statuses/{parent}"
    return None
