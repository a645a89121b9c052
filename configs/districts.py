"""Peru's districts with their UBIGEO codes, from ``districts.csv``."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("districts.csv")


class District(NamedTuple):
    """A district; ``ubigeo`` is INEI's code of six digits: department, province, district."""

    ubigeo: str
    name: str
    province: str
    department: str
    aliases: tuple[str, ...]


@cache
def districts() -> tuple[District, ...]:
    """Return every district, in the order of the codes."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            District(
                row["ubigeo"],
                row["district"],
                row["province"],
                row["department"],
                tuple(filter(None, row["aliases"].split(";"))),
            )
            for row in csv.DictReader(file)
        )
