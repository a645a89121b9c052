"""What the town is made of: an item of a source, and the remarks below it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crawlers.sandbox.sites import SERVICES, Shape, Site
from crawlers.sandbox.texts import Comment, Post, Thread
from models.records import Kind


def resolved(identity: str, base_url: str) -> str:
    """Return an identity; one that is a path of the town becomes a whole address."""
    return base_url.rstrip("/") + identity if identity.startswith("/") else identity


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment below an article, or an answer to a post, with its moment.

    ``key`` is the id that the platform gives it, ``identity`` what a crawler stores, and
    ``answers`` the identity of what it answers.
    """

    text: Comment
    said_at: datetime
    number: int = 0
    key: str = ""
    identity: str = ""
    answers: str = ""

    @property
    def anchor(self) -> str:
        """The fragment that points to the comment on its page."""
        return f"comment-{self.key or self.text.id}"


@dataclass(frozen=True, slots=True)
class Item:
    """One article with its comments, or one post, as its source publishes it.

    ``number`` counts everything that a source says in the order of time, ``rank`` its items
    alone. ``link`` and ``via`` are the address and the source of the article that a headline of
    another medium points to.
    """

    site: Site
    text: Post | Thread
    said_at: datetime
    path: str
    title: str | None
    remarks: tuple[Remark, ...] = ()
    number: int = 0
    rank: int = 0
    key: str = ""
    identity: str = ""
    link: str | None = None
    via: str | None = None

    @property
    def kind(self) -> Kind:
        """Whether it is an article or a post."""
        return self.site.kind

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What was said, paragraph by paragraph."""
        if isinstance(self.text, Thread):
            return self.text.paragraphs
        return lines(self.text.text)

    @property
    def words(self) -> str:
        """What was said, as a whole; a service request begins with the name of the service."""
        said = "\n\n".join(self.paragraphs)
        if self.site.shape is Shape.OPEN311:
            return f"{SERVICES[self.text.category][1]}\n{said}"
        return said

    @property
    def changed_at(self) -> datetime:
        """The moment of the last thing said on its page."""
        return max((self.said_at, *(remark.said_at for remark in self.remarks)))

    def external_id(self, base_url: str) -> str:
        """Return the identity under which a reader of the source knows it.

        A feed names its entries by a ``tag:`` URI that no port can change. A source of pages
        alone has nothing but the page's canonical address.
        """
        return resolved(self.identity, base_url)


def lines(text: str) -> tuple[str, ...]:
    """Return a text line by line, without the empty ones."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def newest_first(items: Iterable[Item]) -> list[Item]:
    """Return items as platforms list them."""
    return sorted(items, key=lambda item: (item.said_at, item.number), reverse=True)
