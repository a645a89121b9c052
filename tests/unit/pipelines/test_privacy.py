"""What is masked in a text, what stays, and how names become pseudonyms."""

import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.records import manifestation_id
from pipelines.privacy import Pseudonymiser, mask, text_hash
from tests.unit.store.builders import at, extracted

# 4111… and 3782… are the test numbers that card companies publish; the others are invented.
MASKED = [
    ("987654321", "[teléfono]"),
    ("987 654 321", "[teléfono]"),
    ("987-654-321", "[teléfono]"),
    ("987.654.321", "[teléfono]"),
    ("9 8765 4321", "[teléfono]"),
    ("98765 4321", "[teléfono]"),
    ("+51 987 654 321", "[teléfono]"),
    ("+51987654321", "[teléfono]"),
    ("51987654321", "[teléfono]"),
    ("0051 987 654 321", "[teléfono]"),
    ("(01) 345-6789", "[teléfono]"),
    ("01 345 6789", "[teléfono]"),
    ("013456789", "[teléfono]"),
    ("(054) 23-4567", "[teléfono]"),
    ("064 231234", "[teléfono]"),
    ("teléfono 345-6789", "teléfono [teléfono]"),
    ("Telf.: 345 6789", "Telf.: [teléfono]"),
    ("tel 3456789", "tel [teléfono]"),
    ("fijo: 345.6789", "fijo: [teléfono]"),
    ("central telefónica 418-4700", "central telefónica [teléfono]"),
    ("llamen al 345-6789 / 345-6790", "llamen al [teléfono] / [teléfono]"),
    ("Comuníquese al 345-6789 o 718-4700.", "Comuníquese al [teléfono] o [teléfono]."),
    ("cel:987654321", "cel:[teléfono]"),
    ("wa.me/51987654321", "wa.me/[teléfono]"),
    ("Llame al 987654321, gracias", "Llame al [teléfono], gracias"),
    ("Wsp 987654321.", "Wsp [teléfono]."),
    ("987654321/912345678", "[teléfono]/[teléfono]"),
    ("987654321-912345678", "[teléfono] [teléfono]"),
    ("987654321 912345678", "[teléfono] [teléfono]"),
    ("987 654 321 o 912 345 678", "[teléfono] o [teléfono]"),
    ("DNI 45678912", "DNI [dni]"),
    ("mi dni: 45678912", "mi dni: [dni]"),
    ("DNI N° 45678912", "DNI N° [dni]"),
    ("D.N.I. 45678912", "D.N.I. [dni]"),
    ("DNI 45 678 912", "DNI [dni]"),
    ("DNI 45.678.912", "DNI [dni]"),
    ("DNI 45678912-3", "DNI [dni]"),
    ("DNI45678912", "DNI[dni]"),
    ("45678912", "[dni]"),
    ("DNI 45678912 987654321", "DNI [dni] [teléfono]"),
    ("RUC 20131378972", "RUC [ruc]"),
    ("10456789123", "[ruc]"),
    ("4111 1111 1111 1111", "[tarjeta]"),
    ("4111-1111-1111-1111", "[tarjeta]"),
    ("4111111111111111", "[tarjeta]"),
    ("378282246310005", "[tarjeta]"),
    ("juan.perez+ate@gmail.com", "[correo]"),
    ("<a_b@sub.muni-villa.gob.pe>", "<[correo]>"),
    ("Escriba a MESA@MUNI.GOB.PE.", "Escriba a [correo]."),
    ("@vecino_ate", "@usuario"),
    ("(@vecino.ate)", "(@usuario)"),
    ("hola @Vecino123, ¿qué tal?", "hola @usuario, ¿qué tal?"),
    ("@" + "a" * 80, "@usuario"),
]

KEPT = [
    "5,796 manifestaciones",
    "5796",
    "35.24 %",
    "-5",
    "3.14159265",
    "2,5 millones",
    "1 234 567 habitantes",
    "10 000 000 de soles",
    "S/ 12345678",
    "S/12345678",
    "S/. 12345678",
    "S/ 987654321",
    "S/ 900.000.000",
    "S/ 1,500,000",
    "S/ 1.500.000,00",
    "12345678 soles",
    "12345678 de soles",
    "costó 12345678 nuevos soles",
    "987654321 dólares",
    "la central 3456789 soles",
    "la obra 345-6789",
    "expediente 3456789",
    "ABC-123",
    "placa ABC-123",
    "US$ 12000000",
    "US$12000000",
    "$ 25,000,000",
    "2026-03-01",
    "2026-03-01 14:30",
    "01/03/2026",
    "01-03-2026",
    "01.03.2026",
    "del 12 al 15 de marzo de 2026",
    "2021-2024",
    "2023 2024 2025",
    "de 14:30 a 16:30",
    "10:00-12:00 15:00-18:00",
    "Ley 29733",
    "Ordenanza 123-2024-MDA",
    "Reclamo 2024-0012345",
    "Av. Nicolás Ayllón 5818",
    "Jr. 28 de Julio 123-456",
    "Mz. B Lt. 12, UCV 123, zona G",
    "Carretera Central km 7.5",
    "ubigeo 150103",
    "-12.0432, -76.9234",
    "ganamos 3-2, 1-0 y 4-1",
    "llame al 105 o a la Línea 100",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(("text", "_expected"), MASKED)
def test_it_is_masked_inside_a_sentence_too(text: str, _expected: str) -> None:
    masked = mask(f"Vecinos, anoten: {text} y avisen")
    assert masked.startswith("Vecinos, anoten: ")
    assert masked.endswith(" y avisen")
    assert text not in masked


PLATES = [
    ("ABC-123", "[placa]"),
    ("A1B-234", "[placa]"),
    ("el bus W2K-945, ruta 4506", "el bus [placa], ruta 4506"),
    ("mototaxi 1234-5A", "mototaxi [placa]"),
    ("NG-1234", "[placa]"),
    ("NG-12345", "[placa]"),
    ("placa ABC 123", "placa [placa]"),
    ("placa: abc-123", "placa: [placa]"),
    ("placa N° A1B234", "placa N° [placa]"),
    ("PLACA DE RODAJE", "PLACA DE RODAJE"),
    ("placa de rodaje b2k945", "placa de rodaje [placa]"),
    ("placas 4567-AB y ABC-124", "placas [placa] y [placa]"),
]

NO_PLATES = [
    "UCV-123",
    "UCV 123",
    "COVID-19",
    "CP-2024",
    "Ordenanza 123-2024-MDA",
    "Oficio 1234-GM",
    "RPC-12",
    "la placa que 123 vecinos pidieron",
    "ruta IO-81",
]


@pytest.mark.parametrize(("text", "expected"), PLATES)
def test_plates_are_masked_where_it_is_asked_for(text: str, expected: str) -> None:
    assert mask(text, plates=True) == expected
    assert mask(text) == text


@pytest.mark.parametrize("text", NO_PLATES)
def test_what_only_looks_like_a_plate_stays(text: str) -> None:
    assert mask(text, plates=True) == text


def test_a_municipality_that_masks_plates() -> None:
    record = extracted(1, "Se pasó la roja ABC-123", title="Combi A1B-234")
    masked = Pseudonymiser("villa", b"a secret of sixteen", mask_plates=True).storable(record)
    assert (masked.title, masked.text) == ("Combi [placa]", "Se pasó la roja [placa]")
    assert VILLA.storable(record).text == record.text


PIECES = st.sampled_from(
    [
        *[text for text, _ in (*MASKED, *PLATES)],
        *KEPT,
        "@",
        ".",
        "-",
        " ",
        "DNI ",
        "S/ ",
        "[dni]",
        "ñ",
        "9",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=8).map("".join))


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_masking_never_fails_and_twice_is_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once
    without = mask(text, plates=True)
    assert mask(without, plates=True) == without


ADDRESS = st.from_regex(
    r"[a-z0-9][a-z0-9._+-]{0,20}@[a-z0-9-]{1,20}(\.[a-z]{2,5}){1,2}", fullmatch=True
)


@given(TEXTS, ADDRESS, TEXTS)
@settings(max_examples=100, deadline=None)
def test_no_address_survives(before: str, address: str, after: str) -> None:
    masked = mask(f"{before} {address} {after}")
    assert re.search(r"[\w.+-]+@[\w-]+\.[\w.]*\w", masked) is None


# --- pseudonyms ------------------------------------------------------------------------------

VILLA = Pseudonymiser("villa", b"a secret of sixteen")


def test_a_pseudonym_is_stable_and_says_nothing_of_the_name() -> None:
    pseudonym = VILLA.author("diario", "Rosa Quispe")
    assert re.fullmatch("a-[0-9a-f]{16}", pseudonym)
    assert Pseudonymiser("villa", b"a secret of sixteen").author("diario", "Rosa Quispe") == (
        pseudonym
    )


@pytest.mark.parametrize("name", ["rosa quispe", "ROSA  QUISPE", "\tRosa\nQuispe "])
def test_case_and_spacing_do_not_make_another_author(name: str) -> None:
    assert VILLA.author("diario", name) == VILLA.author("diario", "Rosa Quispe")


def test_name_source_municipality_and_key_each_make_another_author() -> None:
    secret = b"a secret of sixteen"
    pseudonyms = {
        Pseudonymiser("villa", secret).author("diario", "Rosa"),
        Pseudonymiser("villa", secret).author("diario", "Rosalía"),
        Pseudonymiser("villa", secret).author("foro", "Rosa"),
        Pseudonymiser("ate", secret).author("diario", "Rosa"),
        Pseudonymiser("villa", b"another secret of ours").author("diario", "Rosa"),
    }
    assert len(pseudonyms) == 5


def test_a_record_is_masked_and_named_by_its_identity() -> None:
    record = extracted(
        7,
        "Soy Rosa, llámenme al 987654321",
        title="De rosa@example.pe",
        author="Rosa Quispe",
        parent_external_id="3",
        thread_external_id="1",
        when=at(31, 23, 30),
    )
    stored = VILLA.storable(record)
    assert stored.text == "Soy Rosa, llámenme al [teléfono]"
    assert stored.title == "De [correo]"
    assert stored.text_hash == text_hash("De [correo]", "Soy Rosa, llámenme al [teléfono]")
    assert stored.author == VILLA.author("diario", "Rosa Quispe")
    assert stored.id == manifestation_id("villa", "diario", "7")
    assert stored.parent_id == manifestation_id("villa", "diario", "3")
    assert stored.thread_id == manifestation_id("villa", "diario", "1")
    assert stored.said_at == at(31, 23, 30)
    assert stored.said_at.utcoffset() == timedelta(0)


def test_who_signs_with_nothing_has_no_pseudonym() -> None:
    stored = VILLA.storable(extracted(1))
    assert (stored.author, stored.parent_id, stored.thread_id) == (None, None, None)


# --- the hash of a text ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (None, "Falta agua en Huaycán"),
        (None, "FALTA  AGUA\nen Huaycan"),
        (None, "¡¡Falta agua, en Huaycán!!"),
        (None, "Falta agua en Huayca\u0301n"),
        ("Falta agua", "en Huaycán."),
        ("", "«Falta agua» en Huaycán 😡"),
    ],
)
def test_a_copy_has_the_same_hash(title: str | None, text: str) -> None:
    assert text_hash(title, text) == text_hash(None, "Falta agua en Huaycán")


@pytest.mark.parametrize(
    "texts",
    [
        ("Falta agua", "Falta luz", "Faltaagua"),
        ("👏", "👏👏", "😡", "👏🏽", "!!", "?"),
        ("10 soles", "100 soles", "1 00 soles"),
    ],
)
def test_different_texts_have_different_hashes(texts: tuple[str, ...]) -> None:
    assert len({text_hash(None, text) for text in texts}) == len(texts)


@pytest.mark.parametrize("word", ["a", "1", "a1", ".", "@a", "1-"])
def test_a_text_of_a_million_letters_without_a_space_is_masked_too(word: str) -> None:
    """In one pass: an address looked for at every letter would take hours."""
    wall = word * (1_000_000 // len(word))
    assert mask(f"{wall} ana@correo.pe").endswith(" [correo]")
