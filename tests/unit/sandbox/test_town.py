"""The town as data: the seed decides, every text is used once, time runs forward."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crawlers.sandbox.sites import SITES, Shape
from crawlers.sandbox.texts import Texts, load_texts
from crawlers.sandbox.town import WINDOW, Town, build_town, opening, slug
from models.records import Kind, Protocol, Window


def test_the_same_seed_gives_the_same_town(town: Town):
    assert build_town(town.seed) == town


@pytest.fixture(scope="module")
def plain() -> Town:
    """A town in which every written text is said once, and nothing is repeated."""
    return build_town(2021, load_texts())


def test_another_seed_moves_the_texts(plain: Town):
    other = build_town(plain.seed + 1, load_texts())
    assert _used(other) == _used(plain)
    assert [item.said_at for item in other.items] != [item.said_at for item in plain.items]


def test_a_new_text_moves_no_other(plain: Town):
    texts = load_texts()
    fewer = build_town(plain.seed, Texts(posts=texts.posts[5:], threads=texts.threads[1:]))
    before = _moments(plain)
    for name, about in _moments(fewer).items():
        assert before[name] == about


def _used(town: Town) -> Counter[str]:
    used = Counter(item.text.id for item in town.items)
    used.update(remark.text.id for item in town.items for remark in item.remarks)
    return used


def _moments(town: Town) -> dict[str, tuple[object, str]]:
    articles = [item for item in town.items if item.kind is Kind.ARTICLE]
    return {item.text.id: (item.said_at, item.path) for item in articles}


def test_every_text_is_used_exactly_once(plain: Town):
    assert _used(plain) == Counter(text.id for text in load_texts().labelled)


def test_every_source_has_something_to_say(town: Town):
    assert len(SITES) == 25
    assert all(len(town.of(site.name)) >= 3 for site in SITES)
    assert {site.shape for site in SITES} == set(Shape)
    beside = {Protocol.DISQUS}  # another way to the comments of one of them
    assert {site.protocol for site in SITES} == set(Protocol) - beside


def test_paths_and_identities_are_unique(town: Town):
    assert len({item.path for item in town.items}) == len(town.items)
    identities = {(item.site.name, item.external_id("http://a")) for item in town.items}
    assert len(identities) == len(town.items)


def test_moments_are_inside_the_window_and_answers_after_what_they_answer(town: Town):
    for item in town.items:
        assert WINDOW.holds(item.said_at)
        moments = {remark.text.id: remark.said_at for remark in item.remarks}
        for remark in item.remarks:
            parent = remark.text.parent
            assert WINDOW.holds(remark.said_at)
            assert remark.said_at > (item.said_at if parent is None else moments[parent])


def test_answers_stay_inside_the_window_whatever_the_seed():
    for seed in range(4):
        for item in build_town(seed).items:
            assert all(WINDOW.holds(remark.said_at) for remark in item.remarks)


def test_people_speak_by_day_and_evening(town: Town):
    hours = Counter(item.said_at.hour for item in town.items)
    hours.update(remark.said_at.hour for item in town.items for remark in item.remarks)
    night, evening = sum(hours[h] for h in range(5)), sum(hours[h] for h in range(17, 22))
    assert evening > 4 * night


def test_most_comments_come_hours_later(town: Town):
    delays = sorted(
        remark.said_at - item.said_at
        for item in town.items
        for remark in item.remarks
        if remark.text.parent is None
    )
    assert timedelta(hours=3) < delays[len(delays) // 2] < timedelta(days=2)


def test_another_window_can_be_asked_for():
    window = Window(date(2022, 1, 10), date(2022, 1, 20), ZoneInfo("America/Lima"))
    moved = build_town(1, window=window)
    assert moved.size == 1_932
    assert all(window.holds(item.changed_at) and window.holds(item.said_at) for item in moved.items)


def test_letter_box_is_numbered_in_the_order_of_time(town: Town):
    titles = [item.title for item in town.of("buzon-vecinal")]
    assert titles == [f"Mensaje {number:04d}" for number in range(1, len(titles) + 1)]


def test_slug_and_opening():
    assert slug("¿Qué pasó en Huaycán, zona «Ñ»?") == "que-paso-en-huaycan-zona-n"
    assert slug("🚌🚌") == "nota"
    assert opening("corto") == "corto"
    assert opening("una frase bastante larga", 12) == "una frase…"
    assert len(opening("x" * 200, 60)) == 61


def test_a_visit_finds_what_was_said_by_then_under_the_ids_of_always(town: Town):
    middle = datetime(2021, 9, 15, 12, tzinfo=ZoneInfo("America/Lima"))
    early = build_town(town.seed, now=middle)
    final = {item.text.id: item for item in town.items}
    assert 0.3 < early.size / town.size < 0.7
    for item in early.items:
        assert item.said_at <= middle
        assert item.changed_at <= middle
        assert item.identity == final[item.text.id].identity
        keys = {remark.text.id: remark.identity for remark in final[item.text.id].remarks}
        assert {each.text.id: each.identity for each in item.remarks}.items() <= keys.items()


def test_later_some_texts_are_edited_and_some_are_gone(town: Town):
    later = build_town(town.seed, now=datetime(2021, 12, 1, tzinfo=ZoneInfo("America/Lima")))
    before, after = _texts(town), _texts(later)
    gone = before.keys() - after.keys()
    edited = [name for name in after if after[name] != before[name]]
    assert 30 < len(gone) < 150
    assert 100 < len(edited) < 300
    assert all(after[name].startswith(before[name]) for name in edited)
    answers = {remark.answers for item in later.items for remark in item.remarks}
    identities = {item.identity for item in later.items}
    identities |= {remark.identity for item in later.items for remark in item.remarks}
    assert answers <= identities


def _texts(town: Town) -> dict[str, str]:
    texts = {item.text.id: item.words for item in town.items}
    return texts | {each.text.id: each.text.text for item in town.items for each in item.remarks}
