"""Two windows of the store are compared by what one model answered in them."""

from datetime import date

import pytest

from models.errors import InputError
from models.records import Window
from pipelines.drift import preceding, window_drift
from pipelines.store.write import Store
from tests.unit.store.builders import (
    LIMA,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    said,
    save,
)

VILLA = municipality()
EARLY = Window(date(2026, 3, 1), date(2026, 3, 11), LIMA)
LATE = Window(date(2026, 3, 11), date(2026, 3, 21), LIMA)


def test_the_window_before_is_as_long_and_ends_where_the_later_starts() -> None:
    assert preceding(LATE) == EARLY


def test_a_change_of_what_is_said_is_told_from_what_stays(store: Store) -> None:
    items = [said(n, f"Texto {n}", when=at(1 + n // 12)) for n in range(240)]
    foreign = said(999, "Waste", when=at(2))
    run_id = begun(store)
    store.set_model(run_id, MODEL)
    save(store, run_id, *items, foreign)
    labels = [
        ("transport" if n < 120 or n % 2 else "waste", ("negative", "neutral")[n % 2])
        for n in range(240)
    ]
    store.save_classifications(
        TAXONOMY,
        [classified(item, *given) for item, given in zip(items, labels, strict=True)]
        + [classified(foreign)],
    )
    store.save_languages("test", {(foreign.id, foreign.text_hash): "en"})
    found = window_drift(store, VILLA, EARLY, LATE)
    assert (found.model_version, found.n_before, found.n_after) == (MODEL, 120, 120)
    assert [name for name, one in found.measures.items() if one.drifted] == ["category"]
    assert found.measures["category"].after[0] == 0.5
    assert found.measures["sentiment"].distance == 0


def test_without_any_classification_it_says_what_to_do(store: Store) -> None:
    begun(store)
    with pytest.raises(InputError, match="No run of villa has classified"):
        window_drift(store, VILLA, EARLY, LATE)
