"""X: the recent search of API v2, which reaches seven days back."""

from html import unescape

from configs.schema import Source
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Step,
    copied,
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
from crawlers.protocols.refusals import code_of, gone_wrong, refused, temporary, token_refused
from crawlers.rules import Draft
from models.records import ANSWERS, OPENERS, Kind

ERRORS = frozenset({400, 401, 402, 403, 429})
FIELDS = "author_id,conversation_id,created_at,lang,note_tweet,referenced_tweets"

CAPS = ("usage-capped", "credits-depleted")
"""How the address of a problem ends if what the account may read is used up."""


class X:
    """Reads the posts of a search, newest first; what only repeats another post is skipped."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def start(self) -> Ask:
        """Ask for the newest posts of the search."""
        fields = {"tweet.fields": FIELDS, "expansions": "author_id", "user.fields": "username"}
        query = (self._source.query or "").strip()
        url = joined(self._url, "tweets/search/recent", query=query, max_results="100", **fields)
        return self._ask(url)

    def _ask(self, url: str) -> Ask:
        lists = (OPENERS, ANSWERS)
        return Ask(url, headers=self._headers, errors=ERRORS, needed=True, older=True, lists=lists)

    def read(self, answer: Answer) -> Step:
        """Read a page of posts; a search that finds nothing has no list of them."""
        value = parse_json(answer.body, answer.content_type)
        if answer.status >= 400:
            return self._refusal(answer, value)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        if not isinstance(look(value, "data"), list) and number(value, "meta", "result_count") != 0:
            return failed(answer, "holds no list of posts")
        names = {
            word(user, "id"): word(user, "username") for user in rows(value, "includes", "users")
        }
        own, repeats = [], []
        for post in rows(value, "data"):
            if _reference(post, "retweeted"):
                repeats.append(copied(word(post, "id") or answer.url))
            else:
                own.append(self._post(answer, post, names))
        asks, stop = self._after(answer, word(value, "meta", "next_token"))
        # what is older than seven days leaves the search without being gone
        return Step(tuple(own), asks, tuple(repeats), stop, partial=True)

    def _after(self, answer: Answer, token: str) -> tuple[tuple[Ask, ...], str]:
        """Ask for the next page, unless the answer says that it would be refused."""
        if not token:
            return (), ""
        if answer.headers.get("x-rate-limit-remaining", "").strip() == "0":
            return (), temporary(answer, "no request is left of its limit").stop
        return (self._ask(with_query(answer.url, next_token=token)),), ""

    def _post(self, answer: Answer, post: dict[str, object], names: dict[str, str]) -> Draft:
        identity, author = word(post, "id"), word(post, "author_id")
        parent = _reference(post, "replied_to")
        thread = word(post, "conversation_id")
        text = prose(post, "note_tweet", "text") or prose(post, "text")
        return draft(
            answer,
            identity,
            Kind.COMMENT if parent else kind_of(self._source),
            text=unescape(text),
            dates=(word(post, "created_at"),),
            author=names.get(author) or author or None,
            url=f"https://x.com/i/status/{identity}",
            parent=parent or None,
            thread=thread if thread and thread != identity else None,
        )

    def _refusal(self, answer: Answer, value: object) -> Step:
        kind = word(value, "type") or word(value, "errors", 0, "type")
        if (
            answer.status == 402
            or word(value, "title") == "UsageCapExceeded"
            or kind.endswith(CAPS)
        ):
            return temporary(answer, "what the account may read in this month is used up")
        if answer.status == 403:
            return token_refused(answer, self._source, code_of(look(value, "reason")))
        if answer.status == 400:
            return failed(answer, "answered 400: the search in «query» is not one that X accepts")
        return refused(answer, self._source) or gone_wrong(answer)


def _reference(post: dict[str, object], kind: str) -> str:
    """Return the id of the post that a post refers to in some way; empty if it doesn't."""
    found = (row for row in rows(post, "referenced_tweets") if word(row, "type") == kind)
    return next((word(row, "id") or "?" for row in found), "")
