"""Reddit: the newest posts of a subreddit, and on request their comments."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from configs.schema import Source
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    draft,
    failed,
    iso,
    joined,
    kind_of,
    look,
    number,
    parse_json,
    prose,
    rows,
    title,
    unreadable,
    word,
)
from crawlers.protocols.refusals import code_of, gone_wrong, refused
from crawlers.rules import Draft
from models.records import OPENERS, Kind

GONE = frozenset({"[deleted]", "[removed]", "[ Removed by Reddit ]"})
"""What Reddit writes in place of a text or a name that is no longer there."""

MORE_AT_ONCE = 100
CLOSED_OR_GONE = frozenset({403, 404})

CLOSED = {
    "private": "the subreddit is private",
    "quarantined": "the subreddit is quarantined",
    "banned": "the subreddit is banned",
    "gold_only": "the subreddit is for paying members",
}

_NAME = re.compile(r"t[13]_[a-z0-9]{1,13}")
_ID = re.compile(r"[a-z0-9]{1,13}")


@dataclass
class _Found:
    """What an answer gave so far."""

    drafts: list[Draft] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def step(self) -> Step:
        """Return it as a step."""
        return Step(
            tuple(self.drafts),
            tuple(self.asks),
            tuple(self.problems),
            gone=tuple(self.gone),
            empty=tuple(self.empty),
        )


class Reddit:
    """Reads the JSON of a subreddit; with a token, at the address of the interface for tokens."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        name = (source.query or "").strip().strip("/")
        self._list = f"r/{quote(name.removeprefix('r/'), safe='')}/new.json"

    def start(self) -> Ask:
        """Ask for the newest posts."""
        return self._page("")

    def _page(self, after: str) -> Ask:
        url = joined(self._url, self._list, limit="100", raw_json="1", after=after)
        return Ask(
            url,
            headers=self._headers,
            errors=CLOSED_OR_GONE,
            needed=True,
            older=True,
            lists=(OPENERS,),
        )

    def _ask(self, path: str, about: dict[str, str], **query: str) -> Ask:
        url = joined(self._url, path, raw_json="1", **query)
        link = about["link"]
        return Ask(url, headers=self._headers, about=about, of=link, lists=(link,))

    def read(self, answer: Answer) -> Step:
        """Read a page of posts, a tree of comments, or comments that a tree left out."""
        if answer.status >= 400:
            return self._refusal(answer)
        value = parse_json(answer.body, answer.content_type)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        link = str(answer.about.get("link", ""))
        if not link:
            return self._posts(answer, value)
        found = _Found()
        if answer.about.get("more"):
            things = rows(value, "json", "data", "things")
        else:
            things = rows(value, 1, "data", "children")
            if not things and look(value, 1, "data") is None:
                return Step(problems=(unreadable(answer, "holds no comments"),))
        self._comments(answer, things, link, found)
        return found.step()

    def _refusal(self, answer: Answer) -> Step:
        body = parse_json(answer.body, answer.content_type)
        reason = code_of(look(body, "reason"))
        if reason in CLOSED:
            return failed(answer, f"answered {answer.status}: {CLOSED[reason]}")
        return refused(answer, self._source) or gone_wrong(answer)

    def _posts(self, answer: Answer, value: object) -> Step:
        if word(value, "kind") != "Listing":
            return failed(answer, "holds no list of posts")
        found = _Found()
        for child in rows(value, "data", "children"):
            data = look(child, "data")
            if word(child, "kind") == "t3" and isinstance(data, dict):
                self._post(answer, data, found)
            else:
                found.problems.append(unreadable(answer, "holds something that is no post"))
        after = word(value, "data", "after")
        if _NAME.fullmatch(after):
            found.asks.append(self._page(after))
        return found.step()

    def _post(self, answer: Answer, data: dict[str, object], found: _Found) -> None:
        name = _name(data, "t3")
        if name and (prose(data, "selftext") in GONE or word(data, "removed_by_category")):
            found.gone.append(name)
        else:
            found.drafts.append(
                draft(
                    answer,
                    name,
                    kind_of(self._source),
                    count=number(data, "num_comments"),
                    text=prose(data, "selftext"),
                    dates=(iso(data, "created_utc"),),
                    title=title(data, "title"),
                    author=_author(data),
                    url=_page_of(data),
                )
            )
        has_comments = (number(data, "num_comments") or 0) > 0
        identity = name.removeprefix("t3_")
        if self._source.comments and has_comments and _ID.fullmatch(identity):
            path = f"comments/{identity}.json"
            found.asks.append(self._ask(path, {"link": name}, limit="500"))
        elif self._source.comments and number(data, "num_comments") == 0:
            found.empty.append(name)

    def _comments(
        self, answer: Answer, things: list[dict[str, object]], link: str, found: _Found
    ) -> None:
        """Go down a tree of comments level by level: no depth of replies is too great."""
        skip = answer.about.get("skip")
        level = things
        while level:
            below: list[dict[str, object]] = []
            for thing in level:
                data = look(thing, "data")
                if not isinstance(data, dict):
                    found.problems.append(unreadable(answer, "holds something that is no comment"))
                elif word(thing, "kind") == "more":
                    self._more(data, link, found)
                else:
                    below += rows(data, "replies", "data", "children")
                    name = _name(data, "t1")
                    if name and prose(data, "body") in GONE:
                        found.gone.append(name)
                    elif name != skip:
                        found.drafts.append(_comment(answer, data, link))
            level = below

    def _more(self, data: dict[str, object], link: str, found: _Found) -> None:
        """Ask for the comments that a tree only names."""
        listed = look(data, "children")
        ids = [name for name in listed if _is_id(name)] if isinstance(listed, list) else []
        parent = word(data, "parent_id")
        if not ids and _NAME.fullmatch(parent) and parent != link:
            path = f"comments/{link.removeprefix('t3_')}/_/{parent.removeprefix('t1_')}.json"
            found.asks.append(self._ask(path, {"link": link, "skip": parent}, limit="500"))
        for start in range(0, len(ids), MORE_AT_ONCE):
            children = ",".join(ids[start : start + MORE_AT_ONCE])
            about = {"link": link, "more": "1"}
            query = {"api_type": "json", "link_id": link, "children": children}
            found.asks.append(self._ask("api/morechildren.json", about, **query))


def _comment(answer: Answer, data: dict[str, object], link: str) -> Draft:
    return draft(
        answer,
        _name(data, "t1"),
        Kind.COMMENT,
        text=prose(data, "body"),
        dates=(iso(data, "created_utc"),),
        author=_author(data),
        url=_page_of(data),
        parent=word(data, "parent_id") or link,
        thread=link,
    )


def _name(data: dict[str, object], kind: str) -> str:
    """Return a thing's full name: its kind and its id."""
    name, identity = word(data, "name"), word(data, "id")
    if name.startswith(f"{kind}_"):
        return name
    return f"{kind}_{identity}" if identity else ""


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _author(data: dict[str, object]) -> str | None:
    name = word(data, "author")
    return name if name and name not in GONE else None


def _page_of(data: dict[str, object]) -> str | None:
    path = word(data, "permalink")
    return f"https://www.reddit.com{path}" if path.startswith("/") else None
