"""What every address of the town is taken for, beside what it is; and what to paste loads."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from configs.check import read_municipality
from configs.load import load_municipality
from configs.schema import absolute_url
from crawlers.recognise.address import by_address
from crawlers.recognise.data import pages_tell_more
from crawlers.recognise.proposal import Proposal
from crawlers.recognise.response import Recognised, recognise
from crawlers.sandbox.answers import Call, read_query
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.town import Town
from models.records import Kind, Protocol

BASE = "http://127.0.0.1:8765"
MUNICIPALITY = load_municipality("sandbox").with_base_url(BASE)
OTHERS = {
    "facebook-ate": "/facebook-ate/v23.0/ateinforma/posts?limit=5",
    "x-ate": "/x-ate/2/tweets/search/recent?query=Ate+Vitarte+lang:es",
    "youtube-ate": "/youtube-ate/youtube/v3/search?q=Ate+Vitarte",
    "telegram-ate": "/telegram-ate/s/ateinforma",
    "reddit-ate": "/reddit-ate/r/ateperu/new.json",
}
"""Where a platform's root says nothing: the address that a person would have before them."""

HEAD = """code: prueba
name: Prueba
country: PE
time_zone: America/Lima
contact: {name: Municipalidad de Ate, email: datos@example.org}
sources:
"""


def look(pages: Pages, url: str) -> Recognised:
    """Recognise an address of the town, following its redirects."""
    if proposal := by_address(url):
        return Recognised((proposal,))
    parts = urlsplit(url)
    page = pages.answer(Call(unquote(parts.path), BASE, read_query(parts.query)))
    if page.location:
        return look(pages, page.location)
    headers = {name.lower(): value for name, value in page.headers}
    return recognise(url, page.status, headers | {"content-type": page.content_type}, page.body)


@pytest.fixture(scope="module")
def pages(town: Town) -> Pages:
    return Pages(town)


def sources() -> Iterable[tuple[str, Protocol, str]]:
    for source in MUNICIPALITY.sources:
        if source.protocol is not Protocol.UPLOAD:
            url = BASE + OTHERS[source.name] if source.name in OTHERS else ""
            yield source.name, source.protocol, url or absolute_url(MUNICIPALITY, source)


@pytest.mark.parametrize(("name", "protocol", "url"), list(sources()), ids=lambda x: str(x)[:40])
def test_every_source_of_the_town_is_recognised(
    pages: Pages, name: str, protocol: Protocol, url: str, tmp_path: Path
) -> None:
    best, *_ = look(pages, url).proposals
    assert (best.protocol, best.url.startswith(BASE)) == (protocol, True)
    truth = MUNICIPALITY.source(name)
    assert truth is not None
    if truth.query and protocol not in (Protocol.MASTODON, Protocol.TELEGRAM):
        assert best.keys["query"] == truth.query
    if protocol is Protocol.PAGES:
        assert best.keys["links"] == truth.links
    assert loads(best, tmp_path, allow_private=True)


@pytest.mark.parametrize(
    ("name", "follows"),
    [
        ("radio-huaycan", True),  # every entry ends in «…»
        ("buzon-vecinal", True),  # titled, and nothing but a summary: its pages decide
        ("muro-vitarte", False),
        ("muro-huaycan", False),
        ("foro-salamanca", False),
        ("muni-noticias", False),
    ],
)
def test_pages_are_opened_for_what_looks_cut_short(pages: Pages, name: str, follows: bool) -> None:
    source = MUNICIPALITY.source(name)
    assert source is not None
    (proposal,) = look(pages, absolute_url(MUNICIPALITY, source)).proposals
    assert proposal.keys.get("follow", False) is follows
    assert ("opens their pages" in proposal.note) is follows


def items(*texts: str, **more: str) -> Recognised:
    listed = [
        {"id": str(n), "url": f"https://ate.example/{n}", "content_text": text, **more}
        for n, text in enumerate(texts)
    ]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": listed}).encode()
    return recognise("https://ate.example/feed", 200, {"content-type": "application/json"}, body)


@pytest.mark.parametrize(
    ("texts", "follows"),
    [
        (["No hay agua."] * 3, False),
        (["No hay agua…", "Sin luz [...]", "Falta agua. Leer más »"], True),
        (["No hay agua...", "Sin luz.", "Falta agua."], False),
        (["", ""], True),
        (["a" * 500 + "…"] * 2, False),
        ([], False),
    ],
)
def test_a_short_text_alone_is_no_summary(texts: list[str], follows: bool) -> None:
    for more in ({}, {"title": "Agua"}):
        (proposal,) = items(*texts, **more).proposals
        assert proposal.keys.get("follow", False) is follows


def test_a_page_has_to_say_more_than_its_entry() -> None:
    said = "No hay agua en la zona K hace tres días."
    wall = ("orlando_63 30 de setiembre de 2021 ", " Me gusta · Comentar")
    assert not pages_tell_more([(said, said.join(wall))])
    assert not pages_tell_more([(said, said), (said, said), (said, said * 9)])
    assert pages_tell_more([(said, said * 9), ("", said * 9)])
    assert pages_tell_more([("No hay agua en…", said)])
    assert not pages_tell_more([("No hay agua en…", "No hay agua en…")])
    assert pages_tell_more([])


def loads(proposal: Proposal, folder: Path, *, allow_private: bool = False) -> bool:
    """Say whether what is printed for a proposal is a source that loads, without a warning."""
    file = folder / "prueba.yml"
    file.write_text(HEAD + proposal.yaml(allow_private=allow_private), encoding="utf-8")
    municipality, problems = read_municipality(file)
    assert [str(problem) for problem in problems if not problem.warning] == []
    assert municipality is not None
    source = proposal.source(allow_private=allow_private)
    return municipality.sources == (source,)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/central-telefonica/registro.csv", "a file with a table"),
        ("/encuesta-vecinal/respuestas.xlsx", "a file with a table"),
        ("/static/icono.svg", "no text (image/svg+xml)"),
        ("/no-existe", "nothing at this address (404)"),
        ("/portal-este/quienes-somos/", "neither a feed nor a list of articles"),
    ],
)
def test_what_cannot_be_read_is_named(pages: Pages, path: str, what: str) -> None:
    found = look(pages, BASE + path)
    assert found.proposals == ()
    assert what in found.what
    assert found.advice


@pytest.mark.parametrize("path", ["", "/", ".json", "/.json", "/hot.json"])
def test_a_list_of_reddit_is_known_by_any_of_its_addresses(pages: Pages, path: str) -> None:
    listed = pages.answer(Call("/reddit-ate/r/ateperu/new.json", BASE, {}))
    url = f"{BASE}/reddit-ate/r/ateperu{path}"
    found = recognise(url, 200, {"content-type": listed.content_type}, listed.body)
    (proposal,) = found.proposals
    assert (proposal.url, proposal.keys["query"]) == (f"{BASE}/reddit-ate/", "ateperu")


def test_a_single_article_says_where_to_look(pages: Pages, town: Town) -> None:
    found = look(pages, BASE + town.of("portal-este")[0].path)
    assert found.proposals == ()
    assert "single article" in found.what
    assert "the section that lists it" in found.advice


def test_a_page_names_its_feed_before_its_list(pages: Pages) -> None:
    feed, listing = look(pages, f"{BASE}/radio-huaycan/").proposals
    assert (feed.protocol, feed.url) == (Protocol.FEED, f"{BASE}/radio-huaycan/feed/")
    assert (listing.protocol, listing.kind) == (Protocol.PAGES, Kind.ARTICLE)


def test_wordpress_comes_with_its_feeds(pages: Pages) -> None:
    best, *others = look(pages, f"{BASE}/revista-carretera/").proposals
    assert (best.protocol, best.url) == (Protocol.WORDPRESS, f"{BASE}/revista-carretera/")
    assert {other.protocol for other in others} <= {Protocol.FEED}


def test_a_tag_of_mastodon_and_a_feed_of_headlines(pages: Pages) -> None:
    (tag,) = look(pages, f"{BASE}/masto-lima/api/v1/timelines/tag/ate").proposals
    assert (tag.protocol, tag.url, tag.keys["query"]) == (
        Protocol.MASTODON,
        f"{BASE}/masto-lima/",
        "ate",
    )
    (headlines,) = look(pages, f"{BASE}/agregador-noticias/rss/search?q=Ate").proposals
    assert "headlines of many media" in headlines.why
    assert "follow" not in headlines.keys


@pytest.mark.parametrize(
    ("url", "protocol", "query", "read_at"),
    [
        (
            "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv/videos",
            Protocol.YOUTUBE,
            "UCabcdefghijklmnopqrstuv",
            "https://www.googleapis.com/youtube/v3",
        ),
        (
            "https://m.youtube.com/@muniate",
            Protocol.YOUTUBE,
            "muniate",
            "https://www.googleapis.com/youtube/v3",
        ),
        (
            "https://www.facebook.com/MunicipalidadDeAte/?ref=x",
            Protocol.FACEBOOK,
            "MunicipalidadDeAte",
            "https://graph.facebook.com",
        ),
        (
            "https://x.com/muni_ate",
            Protocol.X,
            "(from:muni_ate OR @muni_ate) -is:retweet",
            "https://api.x.com/2",
        ),
        (
            "https://twitter.com/search?q=Ate%20Vitarte",
            Protocol.X,
            "Ate Vitarte",
            "https://api.x.com/2",
        ),
        ("https://x.com/hashtag/Ate", Protocol.X, "#Ate", "https://api.x.com/2"),
        (
            "https://www.reddit.com/r/Lima/top/",
            Protocol.REDDIT,
            "Lima",
            "https://www.reddit.com",
        ),
        ("https://t.me/ateinforma/55", Protocol.TELEGRAM, None, "https://t.me/s/ateinforma"),
        (
            "https://diario.disqus.com/",
            Protocol.DISQUS,
            "diario",
            "https://disqus.com/api/3.0",
        ),
        (
            "https://news.google.com/search?q=Ate",
            Protocol.FEED,
            None,
            "https://news.google.com/rss/search?hl=es-419&gl=PE&ceid=PE%3Aes-419&q=Ate",
        ),
        (
            "https://quejas.example.pe/georeport/v2/requests.json?jurisdiction_id=ate",
            Protocol.OPEN311,
            "ate",
            "https://quejas.example.pe/georeport/v2",
        ),
    ],
)
def test_platforms_are_known_by_their_address(
    url: str, protocol: Protocol, query: str | None, read_at: str, tmp_path: Path
) -> None:
    found = by_address(url)
    assert found is not None
    assert (found.protocol, found.keys.get("query"), found.url) == (protocol, query, read_at)
    assert loads(found, tmp_path)


@pytest.mark.parametrize(
    "url", ["https://rpp.pe/lima", "https://facebook.com.example.org/", "https://t.me/joinchat"]
)
def test_other_addresses_have_to_be_looked_at(url: str) -> None:
    assert by_address(url) is None


def test_comments_that_disqus_keeps_are_found_in_a_page() -> None:
    body = b"<html><head><title>Diario</title></head><body><p>Hola</p><script>"
    body += b"s.src = 'https://diario-ate.disqus.com/embed.js'</script></body></html>"
    found = recognise("https://diario.example/", 200, {"content-type": "text/html"}, body)
    (proposal,) = found.proposals
    assert (proposal.protocol, proposal.keys["query"]) == (Protocol.DISQUS, "diario-ate")


def test_names_in_other_scripts_and_hostile_titles_still_load(tmp_path: Path) -> None:
    for title in ("«Noticias»: 'Ate' # y más\n- name: x", "新闻", "", "💧" * 400, "a: b | > %"):
        proposal = Proposal(Protocol.FEED, "https://ejemplo.pe/feed", "es", title, Kind.ARTICLE)
        assert loads(proposal, tmp_path)


def test_a_page_that_only_scripts_fill_says_what_renders_it() -> None:
    body = b"<html><head><title>App</title><script src='/a.js'></script></head><body><div id=app>"
    found = recognise("https://app.example/", 200, {"content-type": "text/html"}, body)
    assert "written by scripts" in found.what
    assert "render: browser" in found.advice
