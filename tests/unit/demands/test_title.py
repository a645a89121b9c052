"""What a demand is called: a sentence of the text that is most like the others."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.demands.title import LONGEST, title_of

ASKED = "Pongan a los choferes un chaleco con número grande. Nadie sabe quién cobró."


def test_the_most_central_text_is_cited_and_of_its_copies_the_well_written_one() -> None:
    texts = [
        ASKED.upper(),
        f"Por si no leyeron: {ASKED}",
        ASKED,
        ASKED.lower(),
        ASKED.replace("ú", "u"),
        "Salgo en la foto con el balde amarillo, sacamos basura con la espalda rota.",
    ]

    assert title_of(texts) == "Pongan a los choferes un chaleco con número grande."


def test_a_sentence_that_says_too_little_takes_the_next_along() -> None:
    assert title_of(["TRECE. Señora, trece noches en una silla. Y nada."]) == (
        "TRECE. Señora, trece noches en una silla."
    )


def test_without_texts_there_is_no_title() -> None:
    assert title_of([]) == ""


def test_what_has_no_words_is_still_shown() -> None:
    assert title_of(["🙏🙏", "??"]) in ("🙏🙏", "??")


def test_direction_marks_and_endless_words_do_no_harm() -> None:
    assert len(title_of(["\u202e" + "M" * 1_000_000])) <= LONGEST
    assert "\u202e" not in title_of(["\u202ehola vecino"])


@given(st.lists(st.text(max_size=80), max_size=6), st.randoms())
def test_the_order_of_the_texts_does_not_matter(texts: list[str], chance) -> None:
    shuffled = list(texts)
    chance.shuffle(shuffled)
    assert title_of(shuffled) == title_of(texts)
    assert len(title_of(texts)) <= LONGEST
