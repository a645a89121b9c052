"""WordPress: posts and comments through its REST interface, version 2."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from configs.schema import Source
from crawlers.extract.text import line
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    draft,
    failed,
    look,
    markup,
    number,
    parse_json,
    unreadable,
    word,
)
from crawlers.protocols.lists import (
    mistyped,
    no_identity,
    not_given,
    objects,
    shut,
    sorted_out,
)
from crawlers.protocols.refusals import code_of
from crawlers.rules import Draft
from models.records import ANSWERS, OPENERS, Kind

INTERFACE = "/wp-json/wp/v2"

PER_PAGE = 100
"""The most that WordPress gives at once."""

CLOSED = frozenset({400, 401, 403, 404})

_POST_FIELDS = "id,date,date_gmt,guid,link,title,content,author,_links,_embedded"
_COMMENT_FIELDS = "id,post,parent,author_name,date,date_gmt,content,link,type"
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_PAST_THE_END = "_invalid_page_number"


class Wordpress:
    """Reads the posts of a site and, with ``comments``, what readers answered.

    A post keeps the ``guid`` by which the site's feed names it, so reading the same site as a
    feed or through this interface gives the same records. A comment only tells the number of its
    post, so posts that were not listed are asked for their name before it is read.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        self._root = url.partition("/wp-json")[0].partition("?")[0].partition("#")[0].rstrip("/")

    def start(self) -> Ask:
        """Ask for the newest posts."""
        return self._page("posts", 1, {})

    def read(self, answer: Answer) -> Step:
        """Read a page of posts or of comments, or the names of posts that were commented."""
        what, page = answer.about.get("is", "posts"), answer.about.get("page", 1)
        value = parse_json(answer.body, answer.content_type)
        if answer.status in CLOSED:
            is_over = page > 1 and word(value, "code").endswith(_PAST_THE_END)
            return Step() if is_over else _closed(answer, what, value)
        if isinstance(value, Broken):
            return _no_interface(answer, what, value.why)
        if not isinstance(value, list):
            return _no_interface(answer, what, f"holds no list of {what}")
        if what == "guids":
            return self._comments(answer.about["comments"], self._guids(answer, value))
        if what == "comments":
            return self._talk(answer, value)
        return self._posts(answer, value, page)

    def _page(self, what: str, page: int, guids: dict[str, str]) -> Ask:
        query = {"per_page": PER_PAGE, "page": page, "orderby": "date", "order": "desc"}
        extra = {"_fields": _POST_FIELDS, "_embed": "author"}
        extra = extra if what == "posts" else {"_fields": _COMMENT_FIELDS}
        about = {"is": what, "page": page, "guids": guids}
        return self._ask(what, query | extra, about, older=page > 1)

    def _ask(
        self, what: str, query: Mapping[str, object], about: dict[str, Any], *, older: bool
    ) -> Ask:
        return Ask(
            f"{self._root}{INTERFACE}/{what}?{urlencode(query, safe=',')}",
            headers={"Accept": "application/json"},
            about=about,
            errors=CLOSED,
            needed=True,
            older=older,
            lists=(OPENERS if about["is"] == "posts" else ANSWERS,),
        )

    def _posts(self, answer: Answer, value: list[object], page: int) -> Step:
        found, problems = objects(answer, value)
        step = sorted_out(self._post(answer, post) for post in found)
        asks = [self._page("posts", page + 1, {})] if _has_more(answer, page, len(value)) else []
        if page == 1 and self._source.comments:
            asks.append(self._page("comments", 1, self._guids(answer, value)))
        return Step(step.drafts, tuple(asks), problems + step.problems)

    def _talk(self, answer: Answer, value: list[object]) -> Step:
        """Read comments, once it is known how the posts are named that they belong to."""
        guids: dict[str, str] = answer.about.get("guids", {})
        posts = {word(comment, "post") for comment in objects(answer, value)[0]}
        unknown = sorted(post for post in posts if post.isdecimal() and post not in guids)
        if not unknown:
            return self._comments(answer, guids)
        query = {"include": ",".join(unknown), "per_page": PER_PAGE, "_fields": "id,guid"}
        about = {"is": "guids", "comments": answer, "guids": guids}
        return Step(asks=(self._ask("posts", query, about, older=False),))

    def _comments(self, answer: Answer, guids: dict[str, str]) -> Step:
        value, page = parse_json(answer.body, answer.content_type), answer.about.get("page", 1)
        found, problems = objects(answer, value)
        step = sorted_out(self._comment(answer, comment, guids) for comment in found)
        more = _has_more(answer, page, len(found))
        asks = (self._page("comments", page + 1, guids),) if more else ()
        return Step(step.drafts, asks, problems + step.problems)

    def _guids(self, answer: Answer, value: list[object]) -> dict[str, str]:
        """Return how posts are named: those known before, and those of this answer."""
        known: dict[str, str] = answer.about.get("guids", {})
        return known | {word(post, "id"): self._guid(post) for post in objects(answer, value)[0]}

    def _post(self, answer: Answer, post: dict[str, object]) -> Draft | Problem | None:
        identity = self._guid(post)
        if not identity:
            return no_identity(answer, "a post")
        if not isinstance(look(post, "content", "rendered"), str):
            return mistyped(identity, "content.rendered")
        return draft(
            answer,
            identity,
            self._source.kind,
            text=markup(post, "content", "rendered"),
            title=line(markup(post, "title", "rendered")),
            author=word(post, "_embedded", "author", 0, "name") or None,
            dates=_dates(post),
            url=word(post, "link") or None,
        )

    def _comment(
        self, answer: Answer, comment: dict[str, object], guids: dict[str, str]
    ) -> Draft | Problem | None:
        if word(comment, "type") not in ("", "comment"):
            return None  # a pingback was said by nobody
        own, post = word(comment, "id"), word(comment, "post")
        if not own or not post:
            return no_identity(answer, "a comment")
        thread = guids.get(post) or self._usual_guid(post)
        identity = f"{thread}#comment-{own}"
        if not isinstance(look(comment, "content", "rendered"), str):
            return mistyped(identity, "content.rendered")
        parent = word(comment, "parent")
        return draft(
            answer,
            identity,
            Kind.COMMENT,
            text=markup(comment, "content", "rendered"),
            author=word(comment, "author_name") or None,
            dates=_dates(comment),
            url=word(comment, "link") or None,
            parent=f"{thread}#comment-{parent}" if parent not in ("", "0") else thread,
            thread=thread,
        )

    def _guid(self, post: dict[str, object]) -> str:
        own = word(post, "id")
        return word(post, "guid", "rendered") or (self._usual_guid(own) if own else "")

    def _usual_guid(self, post: str) -> str:
        """Return the guid that WordPress gives a post, for one whose own is not known."""
        return f"{self._root}/?p={post}"


def _dates(item: dict[str, object]) -> tuple[str | None, ...]:
    """Return the date in UTC, which WordPress writes without saying so, and the local one."""
    utc = word(item, "date_gmt")
    if utc.startswith("0000"):
        utc = ""
    if _WITHOUT_ZONE.fullmatch(utc):
        utc += "Z"
    return utc or None, word(item, "date") or None


def _has_more(answer: Answer, page: int, count: int) -> bool:
    if not count:
        return False
    total = number(answer.headers.get("x-wp-totalpages"))
    return page < total if total is not None else count >= PER_PAGE


def _no_interface(answer: Answer, what: str, why: str) -> Step:
    if what != "posts":
        return Step(problems=(unreadable(answer, f"{why}; the comments are not read"),))
    return failed(answer, f"{why}; if its REST interface is switched off, use protocol: feed")


def _closed(answer: Answer, what: str, value: object) -> Step:
    """Say who closed the interface; of what the server says, only its code is repeated."""
    code = code_of(look(value, "code"))
    said = f"{answer.url} answered {answer.status}{f' ({code})' if code else ''}"
    if what != "posts":
        problem = not_given(answer, f"{said}: the comments are not open to readers")
        return Step(problems=(problem,))
    host = urlsplit(answer.url).netloc
    return shut(answer, f"{said}: the REST interface of {host} is closed; use protocol: feed")
