"""Disqus: the comments of a site or of one of its pages, through version 3.0 of its API.

https://disqus.com/api/docs/forums/listPosts/ and https://disqus.com/api/docs/threads/listPosts/
have the same answer: the posts in ``response``, what comes next in ``cursor``.
"""

import re
from urllib.parse import urlsplit

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
    joined,
    look,
    markup,
    parse_json,
    prose,
    unreadable,
    with_query,
    word,
)
from crawlers.protocols.lists import no_identity, objects, sorted_out
from crawlers.protocols.refusals import closed, gone_wrong, refused, temporary, token_refused
from crawlers.rules import Draft
from models.records import Kind, Outcome

ERRORS = frozenset({400, 401, 403, 404, 429, 500})

LISTING = "listPosts.json"
"""How the address of a list of posts ends, of whatever they are listed by."""

ALL_USED = {
    "13": "the limit of this list is reached",
    "14": "the hourly limit of the API key is reached",
}
NOT_LET_IN = frozenset({"4", "5", "9", "11", "12", "17", "18"})
NOT_FOUND = "8"
_NOT_SHOWN = ("isDeleted", "isSpam")
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?")


class Disqus:
    """Reads comments from the newest to the oldest, with what each of them answers.

    Of a forum, named in ``query``, the comments of all pages; or those of one page, if ``url``
    is the whole address of a list: ``…/threads/listPosts.json?forum=F&thread=link:https://…``.
    The platform takes its key as a parameter alone, so it is added when a request is sent.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        self._key = "api_key" if token else ""
        if urlsplit(url).path.endswith(LISTING):
            self._list = with_query(url, **_ORDER)
        else:
            forum = (source.query or "").strip()
            self._list = joined(url, f"forums/{LISTING}", forum=forum, **_ORDER)

    def start(self) -> Ask:
        """Ask for the newest comments."""
        return self._ask(self._list)

    def _ask(self, url: str) -> Ask:
        return Ask(url, token_as=self._key, errors=ERRORS, needed=True, older=True)

    def read(self, answer: Answer) -> Step:
        """Read a page of comments."""
        value = parse_json(answer.body, answer.content_type)
        code = word(value, "code")
        if answer.status >= 400 or code not in ("", "0"):
            return self._refusal(answer, code)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        if not isinstance(look(value, "response"), list):
            return failed(answer, "holds no list of comments")
        posts, problems = objects(answer, value, "response")
        step = sorted_out(_post(answer, post) for post in posts)
        return Step(step.drafts, self._after(value), problems + step.problems)

    def _after(self, value: object) -> tuple[Ask, ...]:
        """Ask for the next page, if there is one."""
        after = word(value, "cursor", "next")
        has_more = look(value, "cursor", "hasNext") is True or look(value, "cursor", "more") is True
        return (self._ask(with_query(self._list, cursor=after)),) if after and has_more else ()

    def _refusal(self, answer: Answer, code: str) -> Step:
        if code in ALL_USED:
            return temporary(answer, ALL_USED[code])
        if code in NOT_LET_IN:
            return token_refused(answer, self._source, f"code {code}")
        if code == NOT_FOUND:
            return closed(answer, f"{answer.url}: there is no such forum or page; correct «query»")
        step = refused(answer, self._source)
        return step or gone_wrong(answer, f"code {code}" if code.isdecimal() else "")


_ORDER = {"order": "desc", "limit": "100", "related": "thread", "include": "approved"}


def _post(answer: Answer, post: dict[str, object]) -> Draft | Problem:
    identity, thread = word(post, "id"), _thread(post)
    if not identity or not thread:
        return no_identity(answer, "a comment")
    if why := _why_not_shown(post):
        return Problem(Outcome.NO_TEXT, identity, why)
    parent = word(post, "parent")
    page = word(post, "thread", "link")
    return draft(
        answer,
        identity,
        Kind.COMMENT,
        text=markup(post, "message") or prose(post, "raw_message"),
        author=line(word(post, "author", "username") or word(post, "author", "name")),
        dates=(_date(post),),
        url=f"{page}#comment-{identity}" if page else word(post, "url") or None,
        parent=parent or thread,
        thread=thread,
    )


def _thread(post: dict[str, object]) -> str:
    """Return the id of the page that was commented on, as no comment's can be."""
    own = word(post, "thread") or word(post, "thread", "id")
    return f"disqus:thread:{own}" if own else ""


def _why_not_shown(post: dict[str, object]) -> str:
    """Say why a comment is not one that neighbours see; nothing if they do."""
    if any(look(post, name) is True for name in _NOT_SHOWN):
        return "it was deleted, or marked as spam"
    return "it is not approved" if look(post, "isApproved") is False else ""


def _date(post: dict[str, object]) -> str | None:
    """Return when it was said: in UTC, which the platform writes without saying so."""
    date = word(post, "createdAt")
    return (f"{date}Z" if _WITHOUT_ZONE.fullmatch(date) else date) or None
