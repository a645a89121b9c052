"""A lens finds whole words and phrases, whatever their case and accents."""

import pytest

from configs.schema import Lens
from nlp.lenses import Spectacles, identifier


def lens(*words: str, code: str = "covid") -> Lens:
    return Lens(code=code, es="Uno", en="One", words=words)


@pytest.mark.parametrize(
    ("words", "text", "seen"),
    [
        (["olla común"], "Hoy hay OLLA COMUN en el parque", True),
        (["olla comun"], "una olla\ncomún", True),
        (["olla común"], "ollas comunes", False),
        (["mercado"], "supermercado", False),
        (["mercado"], "¡Mercado!", True),
        (["mercadillo*"], "los mercadillos", True),
        (["mercado*"], "mercados", True),
        (["covid*"], "#covid19", True),
        (["covid*"], "COVID-19", True),
        (["ate"], "tomate", False),
        (["puesto* de venta"], "los puestos de venta", True),
        (["vaso de leche"], "vaso con leche", False),
        (["ñandú"], "un ñandu", True),
    ],
)
def test_what_a_lens_sees(words: list[str], text: str, seen: bool) -> None:
    assert Spectacles([lens(*words)]).look(text) == (["covid"] if seen else [])


def test_a_text_may_be_seen_through_several_lenses() -> None:
    lenses = [lens("mercado*", code="ambulantes"), lens("vacuna*")]
    assert Spectacles(lenses).look("Vacunas en el mercado") == ["ambulantes", "covid"]


def test_other_words_are_another_set() -> None:
    assert identifier([lens("a")]) != identifier([lens("b")]) != identifier([])
