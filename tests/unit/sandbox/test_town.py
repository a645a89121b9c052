"""The town as data: the seed decides, every text is used once, time runs forward."""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from crawlers.sandbox.sites import SITES, Shape
from crawlers.sandbox.texts import Texts, load_texts
from crawlers.sandbox.town import WINDOW, Town, build_town, opening, slug
from models.records import Window


def test_the_same_seed_gives_the_same_town(town: Town):
    assert build_town(town.seed) == town


def test_another_seed_moves_the_texts(town: Town):
    other = build_town(town.seed + 1)
    assert {item.text.id for item in other.items} == {item.text.id for item in town.items}
    assert [item.said_at for item in other.items] != [item.said_at for item in town.items]


def test_a_new_text_moves_no_other(town: Town):
    texts = load_texts()
    fewer = build_town(town.seed, Texts(posts=texts.posts[5:], threads=texts.threads[1:]))
    before = {item.text.id: (item.said_at, item.path, item.site.name) for item in town.items}
    for item in fewer.items:
        assert before[item.text.id] == (item.said_at, item.path, item.site.name)


def test_every_text_is_used_exactly_once(town: Town):
    used = Counter(item.text.id for item in town.items)
    used.update(remark.text.id for item in town.items for remark in item.remarks)
    assert used == Counter(text.id for text in load_texts().labelled)


def test_every_source_has_something_to_say(town: Town):
    assert len(SITES) == 9
    assert len({site.shape for site in SITES}) >= 5
    assert all(len(town.of(site.name)) >= 3 for site in SITES)
    assert {site.shape for site in SITES} == set(Shape)


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
    texts = load_texts()
    for seed in range(20):
        for item in build_town(seed, texts).items:
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
