"""A page of a site, parsed once: its article, its comments, and where the thread goes on."""

from dataclasses import dataclass

from crawlers.extract.article import Article, read_article
from crawlers.extract.comments import Thread, take_thread
from crawlers.extract.text import decode, parse_html


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says."""

    article: Article
    thread: Thread


def read_page(
    body: bytes, url: str, content_type: str = "", *, article: bool = True, comments: bool = True
) -> Page:
    """Read the article of a page, its comments, or both.

    The article is always read without the comments, which have names and dates of their own.
    """
    tree = parse_html(decode(body, content_type))
    if tree is None:
        return Page(Article(), Thread())
    thread = take_thread(tree, url, wanted=comments)
    return Page(read_article(tree, url) if article else Article(), thread)
