"""Note through which lenses each text of a window is seen."""

from collections.abc import Sequence

import pandas as pd

from configs.schema import Lens, Municipality
from models.records import Window
from nlp.lenses import Spectacles
from pipelines.classify import reading
from pipelines.store.read import unseen
from pipelines.store.write import Store

_BATCH = 512


def look_at_window(
    store: Store, municipality: Municipality, lenses: Sequence[Lens], window: Window
) -> int:
    """Look through the lenses at the window's texts where it was not done; return at how many."""
    if not lenses:
        return 0
    spectacles = Spectacles(lenses)
    done = 0
    todo = unseen(store.engine, municipality.code, window, spectacles.identifier)
    for batch in todo.pages(_BATCH):
        seen = {
            (item.manifestation_id, item.text_hash): spectacles.look(reading(item.title, item.text))
            for item in batch
        }
        store.save_lenses(spectacles.identifier, seen)
        done += len(batch)
    return done


def seen_through(said: pd.DataFrame, lens: Lens) -> pd.DataFrame:
    """Return the texts that a lens shows.

    Args:
        said: with the columns category and lenses (codes with spaces between them).
        lens: the lens.
    """
    shown = said["lenses"].map(lambda codes: lens.code in codes.split()).astype(bool)
    if lens.categories:
        shown &= said["category"].isin(lens.categories)
    return said[shown]
