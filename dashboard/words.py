"""The dashboard's words: Spanish in the templates, English from gettext catalogues.

The Spanish sentence is the message itself. `locale/en/<page>.po` holds its English, one file a
page, so that pages can be written side by side. What the schema says of its columns is English;
`locale/es/diccionario.po` holds its Spanish. They are read at the first use, not compiled.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the translations into a language."""
    found: dict[str, str] = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            found |= {
                str(message.id): str(message.string)
                for message in read_po(file)
                if message.id and message.string
            }
    return MappingProxyType(found)


def translator(language: str) -> Callable[..., str]:
    """Return ``_``: the message in a language, its ``{values}`` filled in."""
    words = catalogue(language)

    def translate(message: str, /, **values: object) -> str:
        text = words.get(message, message)
        return text.format(**values) if values else text

    return translate


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a message that is translated later."""
    return message
