"""The configuration that ships for the town fits the town."""

import pytest
import yaml
from lxml import html

from configs.schema import SHIPPED, Municipality, absolute_url
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.server import DEFAULT_PORT, HOST
from crawlers.sandbox.sites import SITES, Shape, Site, site
from crawlers.sandbox.town import WINDOW, Town
from models.labels import CATEGORIES
from models.records import Protocol


def _municipality() -> Municipality:
    text = (SHIPPED / "municipalities" / "sandbox.yml").read_text("utf-8")
    return Municipality.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("here", SITES, ids=lambda here: here.name)
def test_sources_equal_those_of_the_town(here: Site):
    source = _municipality().source(here.name)
    assert source is not None
    assert source.title == here.title
    assert source.kind is here.kind
    assert source.protocol is here.protocol
    assert source.follow is (here.shape in {Shape.RSS_SUMMARY, Shape.PAGES})
    if here.protocol is Protocol.UPLOAD:
        assert source.url is None
        assert source.columns is not None
        return
    assert (source.url or "").partition("?")[0] == here.address.partition("?")[0]
    assert source.allow_private
    assert source.limits.delay == 0


def test_every_source_of_the_town_is_configured_in_its_order():
    assert [source.name for source in _municipality().sources] == [each.name for each in SITES]


def test_comments_are_read_wherever_somebody_answers(town: Town):
    for source in _municipality().sources:
        assert source.comments is any(item.remarks for item in town.of(source.name)), source.name


def test_only_the_platforms_that_ask_for_a_token_have_one():
    with_token = {source.name for source in _municipality().sources if source.token}
    assert with_token == {"youtube-ate", "facebook-ate", "x-ate"}


def test_window_and_address_equal_those_of_the_town():
    municipality = _municipality()
    assert municipality.base_url == f"http://{HOST}:{DEFAULT_PORT}"
    assert municipality.zone == WINDOW.zone
    assert municipality.windows.start == WINDOW.start
    assert municipality.windows.days == len(WINDOW.days)
    assert absolute_url(municipality, municipality.sources[0]).endswith("/radio-huaycan/feed/")


def test_every_category_but_other_has_one_area_that_answers():
    answered = [code for area in _municipality().areas for code in area.categories]
    assert sorted(answered) == sorted(set(CATEGORIES) - {"other"})


def test_the_link_selector_finds_the_articles_of_the_portal(town: Town):
    portal = _municipality().source("portal-este")
    assert portal is not None
    assert portal.links is not None
    page = Pages(town).render(portal.url or "", "http://127.0.0.1:8765").body.decode()
    found = [link.get("href") for link in html.fromstring(page).cssselect(portal.links)]
    newest = [item.path for item in town.of("portal-este")[::-1]]
    assert found == newest[: site("portal-este").page_size]
