"""What the record of a closed selection says beside its ranking, to be said in any language."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Note = Mapping[str, Any]
"""A note as it is stored: its ``key`` in `NOTED`, and the values of that message."""

NOTED = MappingProxyType(
    {
        "single": "Hubo un solo postulante: el proceso no pudo ser ciego. Motivo: {reason}",
        "tie by criteria": "Empate en el último lugar entre {last} y {out}: se resolvió por los "
        "criterios, en el orden necesidad, experiencia, novedad.",
        "tie by lot": "Empate en el último lugar entre {last} y {out}: se resolvió por sorteo con "
        "las claves de todos los evaluadores.",
        "void": "Ninguna propuesta alcanzó el puntaje mínimo de {threshold:g}: desierta.",
    }
)


def message_of(note: Note | str) -> tuple[str, Mapping[str, Any]]:
    """Return the Spanish message of a note and its values; an earlier version kept sentences."""
    if isinstance(note, str):
        return "{sentence}", {"sentence": note}
    return NOTED[note["key"]], {name: value for name, value in note.items() if name != "key"}


def told(note: Note | str) -> str:
    """Say a note in Spanish."""
    message, values = message_of(note)
    return message.format(**values)
