"""Forums like phpBB: pages of topics, topics of one or several pages, posts with an anchor."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from urllib.parse import parse_qs, urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml import etree, html
from lxml.cssselect import CSSSelector

from configs.schema import Source
from crawlers.extract.dates import moment
from crawlers.extract.text import PARSER_ERRORS, decode, line, parse_html, text_of
from crawlers.known import fingerprint
from crawlers.listings import LOOKED_FOR
from crawlers.protocols.base import (
    LONGEST_WORD,
    Answer,
    Ask,
    Problem,
    Step,
    draft,
    failed,
    kind_of,
    unreadable,
)
from crawlers.protocols.lists import CLOSED, missing, no_identity
from crawlers.protocols.secret import same_site, without
from crawlers.rules import Draft
from models.records import Kind, Opener, Outcome

SESSION = ("sid", "hilit", "view", "s", "PHPSESSID")
"""Parameters that make a new address of the same page at every visit."""

MOST_SUBFORUMS = 200

MOST_LINKS = 20_000

MOST_ROWS, HIGHEST = 200, 12
"""Topics of a page whose rows are looked at, and steps from a link up to its row."""

TRIED = 5
"""Places of a post in which a name or a date is looked for."""

_POST_ID = re.compile(r"(?:p|post|post-|post_)(\d{1,18})")
_TOPIC_IN_PATH = re.compile(r"(?:topic|tema|thread|t)[-_/]?(\d{1,18})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,18}")

_TOPICS = CSSSelector("a.topictitle[href]")
_SUBFORUMS = CSSSelector("a.forumtitle[href]")
_NEXT = CSSSelector("a[rel~=next][href], li.next a[href], a.right-box[href]")
_PAGES = CSSSelector(".pagination a[href], .pages a[href]")
_CONTENT = CSSSelector(".content, [itemprop=text]")
_BODY = CSSSelector(".postbody, .post-body, .entry-content")
_NOT_SAID = CSSSelector(
    "blockquote, .signature, .notice, .attachbox, .author, .post-buttons, .profile-icons,"
    " .back2top, .postprofile, h3"
)
_NAMES = frozenset({"username", "username-coloured", "author-name", "autor"})
_BYLINES = frozenset({"author", "postdate", "post-date", "fecha"})
_COUNTS = CSSSelector(".posts, .replies, .respuestas, .lastpost, .last-post")
_LAST_POST = CSSSelector(".lastpost time[datetime], .last-post time[datetime]")
_NOT_A_MARK = CSSSelector(".views, .vistas")
_UTC = ZoneInfo("UTC")
_HEADING = CSSSelector(".topic-title, h1, h2")
_SUBJECT = CSSSelector("h3 a, h3")


@dataclass(frozen=True, slots=True)
class _Row:
    """How a page of topics lists one: a fingerprint, and when somebody last wrote in it."""

    mark: str = ""
    at: datetime | None = None


class Forum:
    """Reads a forum's topics as threads: the first post opens one, the others answer it.

    ``links`` of the source is a CSS selector for links to topics where a forum is not phpBB.
    """

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        self._url = url

    def start(self) -> Ask:
        """Ask for the first page of topics."""
        return Ask(self._url, about={"is": "list"}, errors=CLOSED, lists=(LOOKED_FOR,))

    def look_for(self, opener: Opener, listed: frozenset[str]) -> Ask | None:
        """Ask for a topic that the newest pages no longer list."""
        topic = opener.external_id.rpartition(":post:")[0]
        if topic in listed:
            return None
        return _topic_ask(opener.url.partition("#")[0], own=opener.external_id)

    def read(self, answer: Answer) -> Step:
        """Read a page of topics, or a page of one topic."""
        if answer.status in CLOSED:
            return missing(answer)
        tree = parse_html(decode(answer.body, answer.content_type))
        is_list = answer.about.get("is", "list") == "list"
        if tree is None:
            return _lost(answer, "is no HTML page", is_list=is_list)
        if is_list:
            return self._topics(answer, tree)
        return self._posts(answer, tree)

    def _topics(self, answer: Answer, tree: html.HtmlElement) -> Step:
        try:
            select = CSSSelector(self._source.links) if self._source.links else _TOPICS
            nodes = select(tree)
            topics = _links(nodes, answer.url)
        except (SyntaxError, RuntimeError, *PARSER_ERRORS):
            said = f"cannot be read with «{self._source.links}», which is no CSS selector"
            return failed(answer, said)
        forums = [] if topics else _links(_SUBFORUMS(tree), answer.url)[:MOST_SUBFORUMS]
        if not topics and not forums and _posts(tree)[0]:
            return self._posts(answer, tree)
        if not topics and not forums:
            return _empty(answer, tree, is_list=True)
        rows = _rows(nodes, answer)
        once = tuple(_once(topics))
        asks = [_topic_ask(url, rows.get(_topic(url), _Row())) for url in once]
        asks += [_list_ask(url) for url in forums]
        if topics and (after := _after(tree, answer.url)):
            asks.append(replace(_list_ask(after), older=True))
        return Step(asks=tuple(asks), present=tuple(f"topic:{_topic(url)}" for url in once))

    def _posts(self, answer: Answer, tree: html.HtmlElement) -> Step:
        posts, nameless = _posts(tree)
        topic = answer.about.get("topic") or _topic(answer.url)
        first = answer.about.get("first") or next(map(_own_id, posts), "")
        if not posts:
            return _empty(answer, tree, is_list=answer.about.get("is", "list") == "list")
        opener = f"topic:{topic}:post:{first}"
        drafts = (self._post(answer, tree, post, topic, first) for post in posts)
        problems = (no_identity(answer, f"{nameless} posts"),) if nameless else ()
        after = _after(tree, answer.url)
        scope = answer.about.get("scope") or f"topic:{topic}"
        about = {"is": "topic", "topic": topic, "first": first, "scope": scope}
        of = opener if answer.about.get("mark") else ""
        lists = (scope,)
        asks = (Ask(after, about=about, errors=CLOSED, of=of, lists=lists),) if after else ()
        return Step(tuple(drafts), asks, problems, thread=opener)

    def _post(
        self,
        answer: Answer,
        tree: html.HtmlElement,
        post: html.HtmlElement,
        topic: str,
        first: str,
    ) -> Draft:
        own = _own_id(post)
        is_first = own == first
        opener = f"topic:{topic}:post:{first}"
        content = next(iter(_CONTENT(post)), None)
        body = content if content is not None else next(iter(_BODY(post)), None)
        mark = answer.about.get("mark") if is_first else ""
        listed = {"fingerprint": mark, "counted": True} if mark else {}
        return draft(
            answer,
            f"topic:{topic}:post:{own}",
            kind_of(self._source) if is_first else Kind.COMMENT,
            text=_said(body),
            title=_title(tree, post) if is_first else None,
            author=_author(post, content),
            dates=(_date(post, content),),
            url=f"{without(answer.url, *SESSION).partition('#')[0]}#{post.get('id')}",
            parent=None if is_first else opener,
            thread=None if is_first else opener,
            **listed,
        )


def _list_ask(url: str) -> Ask:
    about = {"is": "list", "inner": True}
    return Ask(url, about=about, errors=CLOSED, needed=True, lists=(LOOKED_FOR,))


def _topic_ask(url: str, row: _Row | None = None, own: str = "") -> Ask:
    row, scope = row or _Row(), f"topic:{_topic(url)}"
    return Ask(
        url,
        about={"is": "topic", "mark": row.mark, "scope": scope},
        errors=CLOSED,
        mark=row.mark,
        counted=True,
        at=row.at,
        lists=(scope,),
        own=own,
    )


def _rows(nodes: list[html.HtmlElement], answer: Answer) -> Mapping[str, _Row]:
    """Return how a page lists its topics, if it says how many answers each has, or the last."""
    found: dict[str, _Row] = {}
    seen: set[etree._Element] = set()
    for node in nodes[:MOST_ROWS]:
        above = islice(node.iterancestors(), HIGHEST)
        holder = next((each for each in above if each.tag in ("li", "tr")), None)
        if holder is None or holder in seen:
            continue
        seen.add(holder)
        if not _COUNTS(holder):
            continue
        counts_visits: list[etree._Element] = _NOT_A_MARK(holder)
        shown = text_of(holder, frozenset(counts_visits))
        for url in _links([node], answer.url):
            found[_topic(url)] = _Row(
                fingerprint(f"topic:{_topic(url)}", " ".join(shown.split())),
                _last_post(holder, answer.fetched_at),
            )
    return found


def _last_post(holder: html.HtmlElement, now: datetime) -> datetime | None:
    written = (node.get("datetime") or "" for node in _LAST_POST(holder)[:1])
    return next((when for each in written if (when := moment(each, _UTC, now))), None)


def _links(nodes: list[html.HtmlElement], base: str) -> list[str]:
    """Return the addresses of links to the forum's own site, without marks of the visit."""
    found: dict[str, None] = {}
    for address in islice(_addresses(nodes), MOST_LINKS):
        try:
            url = without(urljoin(base, address.strip()), *SESSION)
        except ValueError:
            continue
        if url and same_site(url, base):
            found[url.partition("#")[0]] = None
    return list(found)


def _addresses(nodes: list[html.HtmlElement]) -> Iterator[str]:
    """Yield where links lead, or the links inside what is none."""
    for node in nodes:
        for anchor in [node] if node.get("href") else node.iter("a"):
            yield anchor.get("href") or ""


def _once(urls: list[str]) -> Iterator[str]:
    """Yield one address of every topic: an announcement is listed in several forums."""
    seen: set[str] = set()
    for url in urls:
        topic = _topic(url)
        if topic not in seen:
            seen.add(topic)
            yield url


def _topic(url: str) -> str:
    """Return the id of a topic from its address: ``t``, or the number in its path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    for value in parse_qs(parts.query).get("t", []):
        if _NUMBER.fullmatch(value):
            return value
    found = _TOPIC_IN_PATH.search(parts.path) or _NUMBER.search(parts.path)
    return (found[1] if found and found.re is _TOPIC_IN_PATH else found[0]) if found else parts.path


def _after(tree: html.HtmlElement, base: str) -> str:
    """Return the address of the next page, which must lie behind this one."""
    here = _start(base)
    ahead = [url for url in _links(_NEXT(tree), base) if _is_sibling(url, base)]
    numbered = [url for url in _links(_PAGES(tree), base) if _is_sibling(url, base)]
    behind = [url for url in ahead or numbered if _start(url) > here]
    return min(behind, key=_start, default="")


def _is_sibling(url: str, base: str) -> bool:
    """Say whether two addresses are pages of the same topic or the same list of topics."""
    one, two = urlsplit(url), urlsplit(base)
    these, those = parse_qs(one.query), parse_qs(two.query)
    same = all(these.get(name) == those.get(name) for name in ("t",) if name in those)
    return one.path == two.path and same and ("t" in these) == ("t" in those)


def _start(url: str) -> int:
    """Return where a page begins, by phpBB's ``start`` or by a page number."""
    query = parse_qs(urlsplit(url).query)
    values = query.get("start") or query.get("page") or ["0"]
    return int(values[0]) if _NUMBER.fullmatch(values[0]) else 0


def _posts(tree: html.HtmlElement) -> tuple[list[html.HtmlElement], int]:
    """Return the posts of a page, none inside another, and how many have no anchor."""
    posts: list[html.HtmlElement] = []
    nameless = 0
    outer: tuple[html.HtmlElement, int] | None = None
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, node in walk:
        if event == "end":
            if outer is not None and outer[0] is node:
                nameless += len(posts) == outer[1]
                outer = None
        elif "post" in (node.get("class") or "").split():
            if _own_id(node):
                posts.append(node)
                walk.skip_subtree()
            elif outer is None:
                outer = (node, len(posts))
    return posts, nameless


def _own_id(post: html.HtmlElement) -> str:
    found = _POST_ID.fullmatch(post.get("id") or "")
    return found[1] if found else ""


def _said(content: html.HtmlElement | None) -> str:
    """Return what a post's author wrote: not what is quoted of others, nor the signature."""
    if content is None:
        return ""
    leave: list[etree._Element] = _NOT_SAID(content)
    return text_of(content, frozenset(leave))


def _title(tree: html.HtmlElement, post: html.HtmlElement) -> str | None:
    for node in (*_HEADING(tree)[:TRIED], *_SUBJECT(post)[:TRIED]):
        if text := line(text_of(node)):
            return text
    return None


def _author(post: html.HtmlElement, content: html.HtmlElement | None) -> str | None:
    for node in _outside(post, content, _NAMES):
        text = line(text_of(node))
        if text and len(text) <= LONGEST_WORD:
            return text
    return None


def _date(post: html.HtmlElement, content: html.HtmlElement | None) -> str | None:
    """Return a post's date: of its time element, or what follows the » of its byline."""
    for node in _outside(post, content, frozenset()):
        if value := line(node.get("datetime")):
            return value
    for node in _outside(post, content, _BYLINES):
        text = line(text_of(node))
        if text and (date := text.rpartition("»")[2].strip()):
            return date
    return None


def _outside(
    post: html.HtmlElement, content: html.HtmlElement | None, names: frozenset[str]
) -> list[html.HtmlElement]:
    """Return a post's first elements of some classes, or its times; none that its text holds."""
    found: list[html.HtmlElement] = []
    walk = etree.iterwalk(post, events=("start",))
    for _, node in walk:
        if node is content:
            walk.skip_subtree()
        elif names & set((node.get("class") or "").split()) or (not names and node.tag == "time"):
            found.append(node)
            if len(found) == TRIED:
                break
    return found


def _empty(answer: Answer, tree: html.HtmlElement, *, is_list: bool) -> Step:
    """Say why a page has nothing: it may be a log-in in the place of the forum."""
    if not tree.xpath("//input[@type='password']"):
        return _lost(answer, "has neither topics nor posts like those of phpBB", is_list=is_list)
    detail = f"{answer.url} asks for a log-in, which is not read"
    problem = Problem(Outcome.WALLED, answer.url, detail)
    return Step(problems=(problem,), stop=detail if _is_start(answer, is_list=is_list) else "")


def _lost(answer: Answer, why: str, *, is_list: bool) -> Step:
    """Without its first page there is no forum; without another there is a gap."""
    if _is_start(answer, is_list=is_list):
        return failed(answer, why)
    return Step(problems=(unreadable(answer, why),))


def _is_start(answer: Answer, *, is_list: bool) -> bool:
    return is_list and not answer.about.get("inner")
