"""Which words make a cell of texts different from the others."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.terms import MIN_VOICES, Counted, log_odds, salient_terms

DAY = date(2021, 9, 1)


def said(cell: str, *texts: str, author: str | None = None, copies: bool = False) -> list[Counted]:
    """Texts of one cell, each of its own cluster unless they are copies."""
    return [
        Counted(f"{cell}-{at}-{text[:9]}", text, cell, cell if copies else text, author, DAY)
        for at, text in enumerate(texts)
    ]


def terms(*groups: list[Counted]) -> dict[str, list[str]]:
    found = salient_terms([text for group in groups for text in group])
    return {cell: [term.term for term in each] for cell, each in found.items()}


WATER = [
    f"{start} corte de agua en la {place}"
    for start in ("Otra vez", "Vecinos, hay", "Sigue el", "Anuncian")
    for place in ("cuadra", "esquina", "manzana")
]
ROADS = [
    f"Las pistas de {place} {fault}"
    for place in ("la avenida", "mi calle", "los jirones", "la loma", "abajo", "allá", "mi cuadra")
    for fault in ("tienen huecos", "siguen rotas", "dan pena", "quedaron peor")
]


def test_each_cell_has_its_own_words_and_collocations() -> None:
    found = terms(said("water", *WATER), said("transport", *ROADS))
    assert found["water"][0] == "corte de agua"
    assert found["transport"][0] == "pistas"
    assert "pistas" not in found["water"]


def test_forms_of_a_word_are_one_term_written_as_most_often() -> None:
    texts = ["Robaron un celular", "Roban celulares", "Robaron otra bodega", "Me robaron la moto"]
    found = salient_terms([*said("security", *texts), *said("transport", *ROADS)])
    term = next(t for t in found["security"] if t.term == "robaron")
    assert (term.count, term.distinct, term.n) == (4, 4, 4)


def test_copies_count_once_and_an_author_once_a_day() -> None:
    chain = said("health", *["Vacuna gratis en la posta"] * 9, copies=True)  # one text, sent on
    loud = said("health", *[f"Faltan medicinas en la farmacia {n}" for n in "abcdefgh"], author="a")
    many = said("health", *["Pastillas caras", "Sin pastillas", "No dan pastillas", "¡Pastillas!"])
    found = terms(chain, loud, many, said("transport", *ROADS))["health"]
    assert "pastillas" in found
    assert not {"vacuna", "posta", "medicinas", "farmacia"} & set(" ".join(found).split())
    loud = [
        Counted(t.id, t.text, t.cell, t.cluster, t.author, date(2021, 9, 1 + at))
        for at, t in enumerate(loud)
    ]
    found = terms(chain, loud, many, said("transport", *ROADS))["health"]
    assert "medicinas" in " ".join(found)


def test_counts_tell_texts_clusters_and_voices_apart() -> None:
    texts = [
        Counted(str(n), "No hay oxígeno", "health", f"c{n // 2}", f"a{n // 4}", DAY)
        for n in range(16)
    ]
    (term, *_) = salient_terms([*texts, *said("transport", *ROADS)])["health"]
    assert (term.term, term.count, term.distinct, term.voices, term.n) == ("oxígeno", 16, 8, 4, 16)
    assert term.example == "0"
    assert term.z > 1.96


def test_masks_handles_links_and_numbers_are_no_terms() -> None:
    texts = [
        f"Llame al [teléfono] o a [correo], @vecino_{n} dice {n}00200 https://algo.example/{n} agua"
        for n in range(12)
    ]
    found = terms(said("water", *texts), said("transport", *ROADS))["water"]
    assert "agua" in found
    forbidden = {"teléfono", "correo", "usuario", "enlace", "vecino", "https", "algo", "example"}
    assert not forbidden & {word for term in found for word in term.split()}


def test_a_word_that_is_always_in_a_collocation_is_not_told_twice() -> None:
    found = terms(said("water", *WATER), said("transport", *ROADS))["water"]
    assert [term for term in found if "agua" in term or "corte" in term] == ["corte de agua"]


def test_one_cell_alone_differs_from_nothing() -> None:
    assert terms(said("water", *WATER)) == {"water": []}
    assert salient_terms([]) == {}


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_texts_does_not_matter(random) -> None:
    texts = [*said("water", *WATER), *said("transport", *ROADS)]
    before = salient_terms(texts)
    random.shuffle(texts)
    assert salient_terms(texts) == before


@given(st.lists(st.text(max_size=60), max_size=12))
def test_whatever_people_write_is_read(wild: list[str]) -> None:
    found = salient_terms([*said("water", *wild), *said("transport", *ROADS)])
    for term in (term for each in found.values() for term in each):
        assert MIN_VOICES <= term.voices <= term.distinct <= term.count <= term.n


def test_log_odds_are_those_of_the_paper() -> None:
    here, elsewhere = np.array([30.0, 10.0, 60.0]), np.array([10.0, 40.0, 150.0])
    delta, z = log_odds(here, elsewhere)
    weight = 30  # α₀: a tenth of the 300 mentions
    prior = weight * 40 / 300
    first = np.log((30 + prior) / (100 + weight - 30 - prior))
    second = np.log((10 + prior) / (200 + weight - 10 - prior))
    assert delta[0] == pytest.approx(first - second)
    assert z[0] == pytest.approx(delta[0] / np.sqrt(1 / (30 + prior) + 1 / (10 + prior)))
    assert z[0] > 0 > z[1]
