"""Facebook: the Graph API, for the posts of a page and their comments."""

import re
from dataclasses import replace
from urllib.parse import quote, urlsplit

from configs.schema import Source
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Step,
    draft,
    failed,
    joined,
    kind_of,
    look,
    number,
    parse_json,
    prose,
    rows,
    unreadable,
    with_query,
    word,
)
from crawlers.protocols.refusals import closed, gone_wrong, refused, temporary, token_refused
from crawlers.protocols.secret import same_site, without
from crawlers.rules import Draft
from models.records import OPENERS, Kind

VERSION = "v23.0"
"""The version of the interface that is asked for if the source's address names none."""

ERRORS = frozenset({400, 401, 403, 404, 429, 500, 503})

POST_FIELDS = "id,message,created_time,permalink_url,from{id,name}"
COUNT = "comments.filter(stream).limit(0).summary(true)"
"""How many comments a post has, answers to comments included."""
COMMENT_FIELDS = "id,message,created_time,permalink_url,from{id,name},parent{id}"

LIMITS = frozenset({4, 17, 32, 341, 368, 613, *range(80_000, 80_015)})
TEMPORARY = frozenset({1, 2})
TOKEN = frozenset({102, 104, 190, 463, 467})
PERMISSION = frozenset({3, 10, *range(200, 300)})

_VERSION = re.compile(r"/v\d{1,3}\.\d{1,2}(/|$)")
_SECRETS = ("access_token", "appsecret_proof")


class Facebook:
    """Reads posts and comments; the token travels in a header, and no link may carry it."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        versioned = _VERSION.search(urlsplit(url).path)
        self._url = url if versioned else joined(url, VERSION)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def start(self) -> Ask:
        """Ask for the newest posts of the page."""
        page = quote((self._source.query or "").strip().lstrip("@"), safe="")
        fields = f"{POST_FIELDS},{COUNT}" if self._source.comments else POST_FIELDS
        return self._ask(f"{page}/posts", {}, fields=fields, limit="100")

    def _ask(self, path: str, about: dict[str, str], **query: str) -> Ask:
        return self._to(joined(self._url, path, **query), about)

    def _to(self, url: str, about: dict[str, str]) -> Ask:
        return Ask(
            url,
            headers=self._headers,
            about=about,
            errors=ERRORS,
            needed=not about,
            older=not about,
            of=about.get("post", ""),
            lists=(about.get("post", OPENERS),),
        )

    def read(self, answer: Answer) -> Step:
        """Read a page of posts or of a post's comments."""
        value = parse_json(answer.body, answer.content_type)
        if look(value, "error") is not None or answer.status >= 400:
            return self._refusal(answer, value)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        if not isinstance(look(value, "data"), list):
            why = "holds no list of posts"
            problem = unreadable(answer, why)
            return Step(problems=(problem,)) if answer.about else failed(answer, why)
        post = str(answer.about.get("post", ""))
        found = rows(value, "data")
        if post:
            step = Step(tuple(_comment(answer, item, post) for item in found))
        else:
            step = self._posts(answer, found)
        after = _next(answer, value)
        if not after:
            return step
        ask = self._to(after, {"post": post} if post else {})
        return replace(step, asks=(*step.asks, ask))

    def _posts(self, answer: Answer, items: list[dict[str, object]]) -> Step:
        asks, empty = [], []
        for item in items:
            identity = word(item, "id")
            has_comments = number(item, "comments", "summary", "total_count") != 0
            if self._source.comments and identity and has_comments:
                path = f"{quote(identity, safe='')}/comments"
                about = {"post": identity}
                asks.append(
                    self._ask(path, about, fields=COMMENT_FIELDS, filter="stream", limit="100")
                )
            elif self._source.comments and identity:
                empty.append(identity)
        drafts = tuple(self._post(answer, item) for item in items)
        return Step(drafts, tuple(asks), empty=tuple(empty))

    def _post(self, answer: Answer, item: dict[str, object]) -> Draft:
        return draft(
            answer,
            word(item, "id"),
            kind_of(self._source),
            count=number(item, "comments", "summary", "total_count"),
            text=prose(item, "message"),
            dates=(word(item, "created_time"),),
            author=_author(item),
            url=word(item, "permalink_url") or None,
        )

    def _refusal(self, answer: Answer, value: object) -> Step:
        code = number(value, "error", "code")
        if code in LIMITS:
            return temporary(answer, f"Facebook's limit of requests is reached (code {code:.0f})")
        if code in TOKEN:
            return token_refused(answer, self._source, f"code {code:.0f}")
        if code in PERMISSION:
            return closed(answer, _no_permission(answer, self._source, f"code {code:.0f}"))
        if code in TEMPORARY and not answer.about:
            return temporary(answer, f"Facebook has a fault of its own (code {code:.0f})")
        if code is None or abs(code) > 10**9:
            return refused(answer, self._source) or gone_wrong(answer)
        return gone_wrong(answer, _unknown(code))


def _comment(answer: Answer, item: dict[str, object], post: str) -> Draft:
    return draft(
        answer,
        word(item, "id"),
        Kind.COMMENT,
        text=prose(item, "message"),
        dates=(word(item, "created_time"),),
        author=_author(item),
        url=word(item, "permalink_url") or None,
        parent=word(item, "parent", "id") or post,
        thread=post,
    )


def _author(item: dict[str, object]) -> str | None:
    return word(item, "from", "name") or word(item, "from", "id") or None


def _next(answer: Answer, value: object) -> str:
    """Return the address of the next page, always on the same site and without a secret."""
    if not look(value, "paging", "next"):
        return ""
    clean = without(word(value, "paging", "next"), *_SECRETS)
    if clean and same_site(clean, answer.url):
        return clean
    after = word(value, "paging", "cursors", "after")
    return with_query(without(answer.url, *_SECRETS), after=after) if after else ""


def _no_permission(answer: Answer, source: Source, code: str) -> str:
    return (
        f"{answer.url} answered {answer.status} ({code}): the token in the environment variable"
        f" {source.token} may not read this page; it needs «Page Public Content Access» or the"
        " page's own token"
    )


def _unknown(code: float) -> str:
    if code == 100:
        return "code 100: there is no such page or post, or the token may not see it"
    return f"code {code:.0f}"
