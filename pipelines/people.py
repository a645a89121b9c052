"""What the people who work with the store write into it: their codes, notes and replies."""

import re
import unicodedata

from models.errors import InputError
from pipelines.privacy import mask

LONGEST_NOTE = 500
"""Characters of a note or a reason."""

_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def check_person(code: str) -> str:
    """Return the code of a person, if it is one.

    Raises:
        InputError: it could be a name or an address.
    """
    if not _PERSON.fullmatch(code):
        raise InputError(
            f"«{code}» is no code of a person: up to 40 letters, digits, dots and dashes, "
            "such as E-07; names and addresses are not kept."
        )
    return code


def kept_text(text: str | None, longest: int, what: str) -> str | None:
    """Return a text as it is kept: plain, its personal data masked; None where it is empty.

    Lines stay; control, direction and other invisible characters go.

    Raises:
        InputError: it has more than ``longest`` characters.
    """
    plain = _visible(text or "").strip()
    if len(plain) > longest:
        raise InputError(f"{what} has {len(plain):,} characters; {longest:,} are kept.")
    return mask(plain) if plain else None


def _visible(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(
        "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
        for line in lines
    )
