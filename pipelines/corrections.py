"""People's labels: give them, and hand them out as gold for training and evaluation."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from pipelines.classify import reading
from pipelines.people import LONGEST_NOTE, check_person, kept_text
from pipelines.store.corrected import corrected_texts, text_hash_of
from pipelines.store.write import Correction, Store

_KNOWN = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}


def correct(
    store: Store,
    manifestation_id: str,
    labels: Mapping[str, str | None],
    reader: str,
    note: str | None = None,
) -> Correction:
    """Keep a person's labels for the present text of a manifestation.

    They outrank the model's labels and those given before; a task that is not named stays as it
    was. The next `aggregate` counts with them.

    Args:
        store: where the manifestation is.
        manifestation_id: its id.
        labels: by task: category, sentiment, intent; at least one.
        reader: code or pseudonym of the person, no name and no address.
        note: why, in a sentence; personal data in it are masked.

    Raises:
        InputError: a label, the code or the note can't be used, or there is no such text.
    """
    given = {task: label for task, label in labels.items() if label is not None}
    if not given:
        raise InputError("Say what is right: a category, a sentiment or an intent.")
    for task, label in given.items():
        if label not in _KNOWN[task]:
            known = ", ".join(_KNOWN[task])
            raise InputError(f"There is no {task} «{label}». There are: {known}.")
    check_person(reader)
    correction = Correction(
        manifestation_id=manifestation_id,
        text_hash=text_hash_of(store.engine, manifestation_id),
        reader=reader,
        corrected_at=datetime.now(UTC),
        note=kept_text(note, LONGEST_NOTE, "The note"),
        **given,
    )
    store.save_corrections([correction])
    return correction


def export_corrections(store: Store, municipality: str, path: Path) -> int:
    """Write the corrected texts as JSON lines of gold, and return how many.

    Each has `id`, `text` (as the model reads it), those of `category`, `sentiment` and `intent`
    that people gave (the newest of each), `source`, `by` and `corrected_at`. `manifiesta evaluate`
    and `manifiesta train finetune --corrections` read them. Texts since edited are left out.

    Raises:
        InputError: nothing is corrected, or the file cannot be written.
    """
    found = corrected_texts(store.engine, municipality)
    if not found:
        raise InputError(
            f"No text of {municipality} is corrected yet; `manifiesta correct` corrects one."
        )
    lines = [
        json.dumps(
            {
                "id": one.id,
                "text": reading(one.title, one.text),
                **one.labels,
                "source": one.source,
                "by": one.reader,
                "corrected_at": one.corrected_at.isoformat(),
            },
            ensure_ascii=False,
        )
        for one in found
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}. Choose another file with --out."
        ) from error
    return len(lines)
