"""Invented neighbours: names for those who share what others wrote, and their handles."""

import re
import unicodedata
from random import Random
from typing import Final

_FIRST: Final = (
    *("Adela", "Alcides", "Alfonsina", "Américo", "Anaís", "Aquiles", "Beatriz", "Benjamín"),
    *("Briyit", "Catalina", "Cirila", "Cristhian", "Dalila", "Deysi", "Eber", "Edelmira", "Efraín"),
    *("Eleuterio", "Esmeralda", "Eusebio", "Fabiola", "Fiorella", "Florencio", "Gianella"),
    *("Grimaldo", "Haydeé", "Heber", "Ilse", "Isaías", "Jackeline", "Jaime", "Jhoselyn", "Kiara"),
    *(
        "Leoncio",
        "Lidia",
        "Luciano",
        "Magaly",
        "Maicol",
        "Marilú",
        "Maximiliana",
        "Milton",
        "Nelida",
    ),
    *("Nicanor", "Ofelia", "Orlando", "Paulina", "Pedro", "Raquel", "Reynaldo", "Roxana", "Rubí"),
    *("Saúl", "Sheyla", "Silverio", "Soledad", "Teófilo", "Ursula", "Vilma", "Wilder", "Yessenia"),
)
_LAST: Final = (
    *("Alarcón", "Apaza", "Arce", "Ayala", "Bautista", "Calderón", "Canchari", "Ccori", "Chávez"),
    *("Condori", "Cusi", "De la Cruz", "Escobar", "Espinoza", "Flores", "Gamarra", "Guevara"),
    *(
        "Huamán",
        "Huanca",
        "Inga",
        "Jurado",
        "Lapa",
        "León",
        "Llanos",
        "Loayza",
        "Machaca",
        "Medina",
    ),
    *("Meza", "Montes", "Nina", "Ochoa", "Ojeda", "Paredes", "Poma", "Porras", "Quispe", "Ramos"),
    *("Rojas", "Romero", "Salazar", "Sánchez", "Sulca", "Tapia", "Tello", "Ticse", "Torres"),
    *("Ugarte", "Valverde", "Vargas", "Vega", "Vílchez", "Yauri", "Zárate", "Zevallos"),
)


def neighbour(chance: Random) -> str:
    """Draw the name of an invented neighbour."""
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    form = chance.random()
    if form < 0.25:
        return f"{handle(first)}_{chance.randrange(60, 99)}"
    return f"{first} {last[0]}." if form < 0.45 else f"{first} {last}"


def handle(name: str) -> str:
    """Return a name as platforms write it after an at sign.

    >>> handle("Haydeé Ñ. (la de la esquina)")
    'haydee_n_la_de_la_esquina'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "_".join(re.findall(r"[a-z0-9]+", plain))[:30] or "vecino"
