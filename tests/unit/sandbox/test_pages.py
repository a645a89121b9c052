"""What the town shows: whole pages, sound feeds, nothing unescaped, and the truth about both."""

import json
import re
from collections import Counter
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree, html

from crawlers.sandbox.pages import Pages
from crawlers.sandbox.sites import NOTICE, SITES, Shape, Site
from crawlers.sandbox.town import Town
from crawlers.sandbox.truth import TruthRow, truth, write_truth

DECIDIM = "https://github.com/decidim/decidim"  # what its sites are known by
BASE = "http://127.0.0.1:8765"
WITH_PAGES = [site for site in SITES if site.has_pages]
FEEDS = [site for site in SITES if site.feed]
XML = [site for site in FEEDS if site.shape not in {Shape.JSON_HTML, Shape.JSON_TEXT}]
JSON = [site for site in FEEDS if site.shape in {Shape.JSON_HTML, Shape.JSON_TEXT}]
VOID = {"meta", "link", "input", "br", "img", "hr"}


class _Tags(HTMLParser):
    """Notes tags that are not closed in order, and every id."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids.update(value for name, value in attrs if name == "id" and value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def _body(town: Town, path: str) -> str:
    return Pages(town).render(path, BASE).body.decode("utf-8")


def _entries(town: Town, site: Site) -> list[dict[str, Any]]:
    assert site.feed_path
    body = _body(town, site.feed_path)
    if site in JSON:
        return json.loads(body)["items"]
    parsed = feedparser.parse(body.encode())
    assert not parsed.bozo
    return list(parsed.entries)


_rendered: dict[int, dict[str, str]] = {}


def _html_pages(town: Town) -> dict[str, str]:
    if id(town) not in _rendered:
        _rendered[id(town)] = _render(town)
    return _rendered[id(town)]


def _render(town: Town) -> dict[str, str]:
    pages = Pages(town)
    answers = {path: pages.render(path, BASE) for path in pages.paths}
    return {
        path: page.body.decode("utf-8")
        for path, page in answers.items()
        if page.status == 200 and page.content_type.startswith("text/html")
    }


def test_every_page_is_sound_and_says_that_it_is_simulated(town: Town):
    pages = _html_pages(town)
    assert len(pages) > sum(len(town.of(site.name)) for site in WITH_PAGES)
    for path, page in pages.items():
        assert page.startswith(
            '<!DOCTYPE html>\n<html lang="es-PE">\n<head>\n<meta charset="utf-8">'
        )
        assert NOTICE in html.fromstring(page).findtext(".//div[@class='aviso-simulado']"), path
        tags = _Tags()
        tags.feed(page)
        assert (tags.open, tags.faults) == ([], []), path
        assert [name for name, count in tags.ids.items() if count > 1] == [], path


def test_every_link_of_the_town_leads_somewhere(town: Town):
    answering = set(Pages(town).paths)
    for path, page in _html_pages(town).items():
        tree = html.fromstring(page)
        ids = set(tree.xpath("//@id"))
        for link in tree.xpath("//a/@href | //link/@href | //form/@action"):
            target, _, anchor = str(link).removeprefix(BASE).partition("#")
            if target == DECIDIM:
                continue
            assert target in answering or (not target and anchor in ids), (path, link)


@pytest.mark.parametrize("site", WITH_PAGES, ids=lambda site: site.name)
def test_listing_reaches_every_item_by_its_next_links(town: Town, site: Site):
    path, seen = site.home, []
    while path:
        tree = html.fromstring(_body(town, path))
        links = tree.xpath("//main//a/@href")
        seen += [item.path for item in town.of(site.name) if item.path in links]
        onward = tree.xpath("//main//a[@rel='next']/@href")
        assert onward == tree.xpath("//head/link[@rel='next']/@href")
        path = str(onward[0]) if onward else ""
    assert sorted(seen) == sorted(item.path for item in town.of(site.name))


@pytest.mark.parametrize("site", XML, ids=lambda site: site.name)
def test_xml_feeds_hold_everything_with_dates_of_lima(town: Town, site: Site):
    body = _body(town, site.feed_path or "")
    root = etree.fromstring(body.encode())
    dates = [
        node.text for node in root.iter() if etree.QName(node).localname in {"pubDate", "published"}
    ]
    style = r"-05:00$" if site.shape is Shape.ATOM else r"^\w{3}, \d\d Sep 2021 [\d:]{8} -0500$"
    assert len(dates) == len(town.of(site.name))
    assert all(re.search(style, date or "") for date in dates)
    parsed = feedparser.parse(body.encode())
    assert not parsed.bozo
    assert NOTICE in parsed.feed.subtitle
    assert [entry.author for entry in parsed.entries] == [
        item.text.author for item in town.of(site.name)[::-1]
    ]


@pytest.mark.parametrize("site", JSON, ids=lambda site: site.name)
def test_json_feeds_have_what_version_1_1_asks_for(town: Town, site: Site):
    feed = json.loads(_body(town, site.feed_path or ""))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == site.title
    assert NOTICE in feed["description"]
    assert len(feed["items"]) == len(town.of(site.name))
    for entry in feed["items"]:
        assert isinstance(entry["id"], str)
        assert ("content_html" in entry) != ("content_text" in entry)
        assert entry["date_published"].endswith("-05:00")
        assert ("title" in entry) == (site.shape is Shape.JSON_HTML)


@pytest.mark.parametrize("site", FEEDS, ids=lambda site: site.name)
def test_feeds_name_their_entries_as_the_truth_does_whatever_the_port(town: Town, site: Site):
    told = [row.external_id for row in truth(base_url="http://other:1", town=town)
            if row.source == site.name and row.kind != "comment"]  # fmt: skip
    assert [entry["id"] for entry in _entries(town, site)] == told[::-1]


def test_pages_name_themselves_as_the_truth_does(town: Town):
    told = {row.external_id for row in truth(base_url=BASE, town=town)
            if row.source == "portal-este" and row.kind == "article"}  # fmt: skip
    shown = set()
    for item in town.of("portal-este"):
        tree = html.fromstring(_body(town, item.path))
        canonical = tree.xpath("//link[@rel='canonical']/@href")
        assert canonical == tree.xpath("//meta[@property='og:url']/@content")
        shown.update(canonical)
    assert shown == told


def _shown_comments(town: Town, rows: dict[str, TruthRow], article: str, path: str) -> list[str]:
    tree = html.fromstring(_body(town, path))
    shown = []
    for node in tree.xpath("//li[contains(@class, 'comment ')]"):
        row = rows[f"{article}#{node.get('id')}"]
        above = node.getparent().getparent()
        parent = f"{article}#{above.get('id')}" if above.tag == "li" else article
        said = [p.text_content() for p in node.xpath("./article/div[@class='comment-content']/p")]
        assert row.parent_external_id == parent
        assert "".join(row.text.split()) == "".join("".join(said).split())
        assert node.xpath("./article/footer//time/@datetime") == [row.said_at]
        assert node.xpath("./article/footer//b[@class='fn']")
        shown.append(row.external_id)
    return shown


def test_comment_threads_show_what_the_truth_tells(town: Town):
    rows = {row.external_id: row for row in truth(base_url=BASE, town=town)}
    shown = []
    with_pages = {site.name for site in WITH_PAGES}
    for item in town.items:
        if item.remarks and item.site.has_pages:
            shown += _shown_comments(town, rows, item.external_id(BASE), item.path)
    assert sorted(shown) == sorted(
        row.external_id
        for row in rows.values()
        if row.kind == "comment" and row.source in with_pages
    )


def test_articles_carry_the_metadata_of_a_real_site(town: Town):
    for item in town.items:
        if item.kind == "article" and item.site.has_pages:
            tree = html.fromstring(_body(town, item.path))
            data = json.loads(tree.findtext(".//script[@type='application/ld+json']"))
            assert data["headline"] == item.title
            assert data["author"]["name"] == item.text.author
            assert tree.xpath("//meta[@property='og:title']/@content") == [item.title]
            assert tree.xpath("//meta[@name='author']/@content") == [item.text.author]
            published = tree.xpath("//meta[@property='article:published_time']/@content")
            assert datetime.fromisoformat(published[0]) == item.said_at
            assert [p.text for p in tree.xpath("//article[1]//p") if p.text in item.paragraphs] == [
                *item.paragraphs
            ]


def test_no_label_shows_on_a_page(town: Town):
    page = _body(town, town.of("portal-este")[0].path)
    assert not re.search(r"\b(negative|complaint|waste|governance|sentiment)\b", page)


def test_hostile_text_is_shown_and_never_run(hostile_town: Town):
    for path, page in _html_pages(hostile_town).items():
        tree = html.fromstring(page)
        assert "<script>alert" not in page, path
        assert tree.xpath("//script[not(contains(@type, 'json'))] | //img | //*[@onerror]") == []
        if "7*7" in page:
            assert "{{ 7*7 }}" in tree.text_content(), path
    for site in WITH_PAGES:
        for item in hostile_town.of(site.name):
            assert (
                item.text.author in html.fromstring(_body(hostile_town, item.path)).text_content()
            )


@pytest.mark.parametrize("site", XML, ids=lambda site: site.name)
def test_hostile_text_survives_xml_feeds(hostile_town: Town, site: Site):
    root = etree.fromstring(_body(hostile_town, site.feed_path or "").encode())
    inner = [
        n for n in root.iter() if etree.QName(n).localname in {"description", "content", "encoded"}
    ]
    assert list(root.iter("script")) == []
    texts = [html.fromstring(n.text) for n in inner if n.text and n.text.startswith("<p>")]
    assert len(texts) >= len(hostile_town.of(site.name)) > 0
    for tree in texts:
        assert tree.xpath("//script | //img | //*[@onerror]") == []
        assert '<script>alert("x")</script>' in tree.text_content()


def test_truth_file_is_one_row_a_manifestation(town: Town, tmp_path: Path):
    count = write_truth(tmp_path / "truth.jsonl", town=town)
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()]
    assert count == len(rows) == sum(1 + len(item.remarks) for item in town.items)
    assert len({(row["source"], row["external_id"]) for row in rows}) == count
    assert list(rows[0]) == [
        "source", "external_id", "kind", "said_at", "category", "second", "sentiment", "intent",
        "zone", "thread_external_id", "parent_external_id", "text",
        "text_id", "copy_of", "noise",
    ]  # fmt: skip
    assert {row["kind"] for row in rows} == {"article", "comment", "post"}
