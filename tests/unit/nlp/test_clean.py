"""Each cleaning rule, alone and together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp import clean as rules


def test_mojibake_is_repaired() -> None:
    assert rules.fix_mojibake("cafÃ© y aÃ±o") == "café y año"
    assert rules.fix_mojibake("São Paulo, café") == "São Paulo, café"


def test_html_remains_go_and_hearts_stay() -> None:
    assert rules.strip_html("<p>agua &amp; luz</p>") == " agua & luz "
    assert rules.strip_html("te amo <3, a < b") == "te amo <3, a < b"
    assert "alert" not in rules.strip_html("<script>alert(1)</script>hola")


def test_invisible_characters_are_removed() -> None:
    assert rules.drop_invisible("ba\u200bsu\u00adra\x07\ufe0f") == "basura"


def test_letters_are_composed_and_plain() -> None:
    assert rules.plain_letters("cafe\u0301") == "café"
    assert rules.plain_letters("𝐡𝐨𝐥𝐚 ｈｏｌａ") == "hola hola"


def test_skin_tones_are_dropped() -> None:
    assert rules.plain_emoji("👍🏽") == "👍"


@pytest.mark.parametrize("link", ["https://x.pe/a?b=1", "www.muni.pe/x", "bit.ly/3x", "_url"])
def test_links_are_masked(link: str) -> None:
    assert rules.mask_links(f"mira {link} ya") == "mira [enlace] ya"


def test_handles_are_masked_but_not_addresses() -> None:
    assert rules.mask_handles("@muni.ate oye, ana@x.pe") == "@usuario oye, ana@x.pe"


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("#SalvemosElParque", "salvemos el parque"),
        ("#SOSLagos2024", "sos lagos 2024"),
        ("#agua_potable", "agua potable"),
        ("#ate", "ate"),
        ("#10", "#10"),
    ],
)
def test_hashtags_become_words(tag: str, words: str) -> None:
    assert rules.split_hashtags(tag) == words


def test_repeats_are_squeezed() -> None:
    assert rules.squeeze_repeats("buenooooo!!!!!!! 😡😡😡😡😡") == "buenoo!!! 😡😡😡"
    assert rules.squeeze_repeats("carretera 10000") == "carretera 10000"


@pytest.mark.parametrize(
    ("laugh", "short"),
    [("jajajaj", "jaja"), ("JAJAJAAJA", "jaja"), ("jejeje", "jeje"), ("hahaha", "jaja")],
)
def test_laughter_is_short(laugh: str, short: str) -> None:
    assert rules.shorten_laughter(f"{laugh} qué risa") == f"{short} qué risa"


@pytest.mark.parametrize("word", ["Jujuy", "jojoba", "jarra", "hijo"])
def test_words_are_no_laughter(word: str) -> None:
    assert rules.shorten_laughter(word) == word


def test_space_is_collapsed() -> None:
    assert rules.collapse_space("  a \n\t b  ") == "a b"


def test_rules_compose() -> None:
    text = "<b>@ate</b> #SalvemosElParque buenoooo jajajaja https://t.co/x &#128545;"
    assert rules.clean(text) == "@usuario salvemos el parque buenoo jaja [enlace] 😡"


def test_nothing_is_left_of_nothing() -> None:
    assert rules.clean(" \u200b<br/>\n") == ""


@given(st.text(max_size=200))
def test_any_text_is_cleaned_without_error(text: str) -> None:
    found = rules.clean(text)
    assert found == found.strip()
    assert "\n" not in found
