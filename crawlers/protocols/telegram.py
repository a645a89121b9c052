"""Telegram: the preview pages of a public channel, https://t.me/s/CHANNEL."""

import re
from urllib.parse import quote, urlsplit

from lxml import html

from configs.schema import Source
from crawlers.extract.text import decode, line, parse_html, text_of
from crawlers.protocols.base import (
    LONGEST_WORD,
    Answer,
    Ask,
    Problem,
    Step,
    draft,
    failed,
    joined,
    kind_of,
    unreadable,
    with_query,
)
from crawlers.rules import Draft
from models.records import OPENERS, Outcome

_CHANNEL = re.compile(r"/s/[^/]+")
_MESSAGE = re.compile(r"[A-Za-z0-9_]{1,64}/\d{1,12}")
_NUMBER = re.compile(r"\d{1,12}")
_REPLIED = re.compile(r"t\.me/(?:s/)?([A-Za-z0-9_]{1,64})/(\d{1,12})")


class Telegram:
    """Reads messages, the newest page first."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token  # preview pages are open to everybody
        self._source = source
        name = (source.query or "").strip().lstrip("@")
        has_channel = _CHANNEL.search(urlsplit(url).path)
        self._url = url if has_channel or not name else joined(url, f"s/{quote(name, safe='')}")

    def start(self) -> Ask:
        """Ask for the channel's newest messages."""
        return Ask(self._url, needed=True, lists=(OPENERS,))

    def read(self, answer: Answer) -> Step:
        """Read a page of messages, and ask for the one before it."""
        tree = parse_html(decode(answer.body, answer.content_type))
        if tree is None:
            return Step(problems=(unreadable(answer, "is no page"),))
        messages = _with_class(tree, "tgme_widget_message", "data-post")
        if not messages:
            return self._no_messages(answer, tree)
        drafts: list[Draft] = []
        problems: list[Problem] = []
        for message in messages:
            if "service_message" not in _classes(message):  # «channel created», a new picture
                self._read_one(answer, message, drafts, problems)
        before = _before(tree)
        earlier = with_query(self._url, before=before)
        asks = (Ask(earlier, needed=True, older=True, lists=(OPENERS,)),) if before else ()
        # a page goes from the oldest to the newest, the pages from the newest to the oldest
        return Step(tuple(reversed(drafts)), asks, tuple(problems))

    def _no_messages(self, answer: Answer, tree: html.HtmlElement) -> Step:
        if _with_class(tree, "tgme_channel_info") or _with_class(tree, "tgme_channel_history"):
            return Step()
        why = "shows no messages: there is no such channel, or it has no preview"
        return failed(answer, why)

    def _read_one(
        self,
        answer: Answer,
        message: html.HtmlElement,
        drafts: list[Draft],
        problems: list[Problem],
    ) -> None:
        identity = _attribute(message, "data-post")
        made = self._message(answer, message, identity if _MESSAGE.fullmatch(identity) else "")
        hidden = _with_class(message, "message_media_not_supported")
        if not made.text and made.external_id and hidden:
            detail = "it holds what Telegram shows in its own app alone"
            problems.append(Problem(Outcome.NO_TEXT, made.external_id, detail))
        else:
            drafts.append(made)

    def _message(self, answer: Answer, message: html.HtmlElement, identity: str) -> Draft:
        channel = identity.partition("/")[0]
        parent = _parent(message, channel)
        return draft(
            answer,
            identity,
            kind_of(self._source),
            text=_text(message),
            dates=(_date(message),),
            author=_author(message) or channel or None,
            url=f"https://t.me/{identity}" if identity else None,
            parent=parent,
            thread=parent,
        )


def _classes(node: html.HtmlElement) -> list[str]:
    return (node.get("class") or "").split()


def _with_class(
    tree: html.HtmlElement, name: str, attribute: str | None = None
) -> list[html.HtmlElement]:
    """Return the elements of a class, in their order, with an attribute if one is named."""
    return [
        node
        for node in tree.iterdescendants()
        if isinstance(node.tag, str)
        and name in _classes(node)
        and (attribute is None or node.get(attribute) is not None)
    ]


def _attribute(node: html.HtmlElement, name: str) -> str:
    value = node.get(name) or ""
    return line(value) or "" if len(value) <= LONGEST_WORD else ""


def _text(message: html.HtmlElement) -> str:
    """Return a message's own text; what it quotes of another message is in the reply's box."""
    own = _with_class(message, "js-message_text") or _with_class(
        message, "tgme_widget_message_text"
    )
    inside_reply = {
        node for box in _with_class(message, "tgme_widget_message_reply") for node in box.iter()
    }
    texts = [node for node in own if node not in inside_reply]
    return text_of(texts[0]) if texts else ""


def _date(message: html.HtmlElement) -> str | None:
    """Return when a message was sent; a video's length is in an element of the same name."""
    for place in _with_class(message, "tgme_widget_message_date"):
        for node in place.iter("time"):
            if moment := _attribute(node, "datetime"):
                return moment
    times = (_attribute(node, "datetime") for node in message.iter("time"))
    return next((moment for moment in times if moment), None)


def _author(message: html.HtmlElement) -> str:
    """Return who signed a message, if the channel lets its authors sign."""
    signed = _with_class(message, "tgme_widget_message_from_author")
    return (line(text_of(signed[0])) or "")[:LONGEST_WORD] if signed else ""


def _parent(message: html.HtmlElement, channel: str) -> str | None:
    """Return what a message answers; ids spell the channel's name in one way, links in any."""
    for box in _with_class(message, "tgme_widget_message_reply"):
        if found := _REPLIED.search(_attribute(box, "href")):
            name = channel if found[1].lower() == channel.lower() else found[1]
            return f"{name}/{found[2]}"
    return None


def _before(tree: html.HtmlElement) -> str:
    """Return the number of the message that the page before this one ends with."""
    for link in _with_class(tree, "tme_messages_more", "data-before"):
        number = _attribute(link, "data-before")
        if _NUMBER.fullmatch(number):
            return number
    return ""
