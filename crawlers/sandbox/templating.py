"""The town's templates and the small words that they use."""

import re
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crawlers.sandbox.items import lines
from crawlers.sandbox.wording import opening

TEMPLATES: Final = Path(__file__).parent / "templates"
"""The folder of the templates, the style sheet and the icon."""

_MONTHS: Final = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "setiembre",
    "octubre",
    "noviembre",
    "diciembre",
)


def _day(moment: datetime) -> str:
    return f"{moment.day} de {_MONTHS[moment.month - 1]} de {moment.year}"


def _day_and_hour(moment: datetime) -> str:
    return f"{_day(moment)}, {moment:%H:%M}"


def _initial(name: str) -> str:
    letter = re.search(r"\w", name)
    return letter.group().upper() if letter else "?"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        fecha=_day,
        fecha_hora=_day_and_hour,
        inicial=_initial,
        lines=lines,
        opening=opening,
        rfc822=format_datetime,
    )
    return environment


ENVIRONMENT: Final = _environment()
"""The templates; every value that is put in is escaped."""
