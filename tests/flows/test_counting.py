"""What the verbs that compare runs and hand tables out answer, on one small counted database."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.records import Stage, State, Window
from nlp.places import named_by
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.store.engine import open_engine
from pipelines.store.write import Partition, Placed, Store
from tests.flows.conftest import Said
from tests.unit.certificate import certified, shares_of_rows
from tests.unit.store.builders import (
    LIMA,
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    municipality,
    said,
    save,
)

Manifiesta = Callable[..., Said]
HERE = ("-m", "villa")
FEBRUARY = Window(date(2026, 1, 29), date(2026, 3, 1), LIMA)
SQUARE = [[[-76.92, -12.05], [-76.91, -12.05], [-76.91, -12.04], [-76.92, -12.05]]]
ZONES = [
    {"code": "centro", "name": "Centro", "geometry": {"type": "Polygon", "coordinates": SQUARE}},
    {"code": "norte", "name": "Norte"},
]
VILLA = municipality(zones=ZONES, base_url="https://example.pe")


@dataclass(frozen=True)
class Runs:
    """Runs of one database: of February; of March, before and after another text came."""

    february: str
    march: str
    again: str


def read_to_the_end(store: Store, window: Window) -> str:
    run_id = begun(store, VILLA, window)
    store.set_model(run_id, MODEL)
    store.save_partitions(
        run_id,
        [
            Partition(source, day, Stage.COLLECT, State.DONE, 1)
            for source in ("diario", "foro")
            for day in window.days
        ],
    )
    return run_id


def count(store: Store, window: Window) -> str:
    run_id = read_to_the_end(store, window)
    aggregate(store, Counted(run_id, VILLA, window, MODEL, TAXONOMY), {})
    return run_id


def say(store: Store, number: int, month: int, category: str, **changes: Any) -> None:
    """Store a text of its own author, classified; every third one speaks of a zone."""
    item = said(
        number, f"Texto {number}", when=at(1 + number % 28, month=month), author=f"a-{number}"
    )
    save(store, begun(store, VILLA), item)
    mood = "negative" if number % 4 else "positive"
    store.save_classifications(TAXONOMY, [classified(item, category, mood)])
    if number % 3 == 0:
        zone = "norte" if number in {33, 60} else "centro"
        store.save_places(named_by(VILLA), [Placed(item.id, item.text_hash, zone, 0.9)])


@pytest.fixture(scope="module")
def counted(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Runs]:
    """Count a database once: its file, and its runs."""
    path = tmp_path_factory.mktemp("counted") / "manifiesta.db"
    shutil.copyfile(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    store = Store(engine)
    for number in range(40):
        say(store, number, 2, "water" if number < 10 else "transport")
    for number in range(40, 87):
        say(store, number, 3, "water" if number < 77 else "transport")
    february, march = count(store, FEBRUARY), count(store, MARCH)
    say(store, 99, 3, "health")
    again = count(store, MARCH)
    engine.dispose()
    return path, Runs(february, march, again)


@pytest.fixture
def runs(counted: tuple[Path, Runs], home: Path) -> Runs:
    """Put a copy of the database and the municipality's file where the commands look."""
    path, found = counted
    (home / "municipalities").mkdir(parents=True)
    shutil.copyfile(path, home / "manifiesta.db")
    values = VILLA.model_dump(mode="json", exclude_unset=True)
    (home / "municipalities" / "villa.yml").write_text(yaml.safe_dump(values), "utf-8")
    return found


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# --- compare and diff ------------------------------------------------------------------------


def test_a_run_is_compared_with_the_window_before_it(manifiesta: Manifiesta, runs: Runs) -> None:
    spoken = manifiesta("compare", *HERE, "--run", runs.again)
    assert spoken.code == 0, spoken.err
    assert f"Run {runs.again}: 2026-03-01 to 2026-04-01 beside 2026-01-29 to 2026-03-01" in (
        spoken.out
    )
    assert "over the 2 sources that were read to the end in both" in spoken.out
    assert "category water" in spoken.out
    assert "25.0% of 40 → 77.1% of 48: +52.1 points" in spoken.out

    answer = json.loads(manifiesta("compare", *HERE, "--run", runs.again, "--json").out)
    assert (answer["run_id"], answer["baseline"]) == (runs.again, "previous")
    water = next(row for row in answer["changes"] if row["value"] == "water")
    assert (water["before_count"], water["before_n"], water["count"], water["n"]) == (
        *(10, 40, 37, 48),
    )
    assert water["difference_low"] < water["difference"] < water["difference_high"]
    assert water["q_value"] <= 0.05


def test_a_named_baseline_is_kept_under_its_name(
    manifiesta: Manifiesta, runs: Runs, tmp_path: Path
) -> None:
    chosen = ("--run", runs.march, "--baseline", runs.february)
    answer = json.loads(manifiesta("compare", *HERE, *chosen, "--json").out)
    assert (answer["run_id"], answer["baseline"]) == (runs.march, runs.february)
    out = tmp_path / "changes.csv"
    asked = ("--table", "insight_change", "--run", runs.march, "--whole", "--out", out)
    assert manifiesta("export", *HERE, *asked).code == 0
    kept = [row["baseline"] for row in table(out) if not row["lens"]]
    assert set(kept) == {"previous", runs.february}  # the former since the run counted
    assert kept.count(runs.february) == answer["compared"] > 0


@pytest.mark.parametrize("words", [("--run", "nada"), ("--baseline", "nada")])
def test_an_unknown_run_cannot_be_compared(
    manifiesta: Manifiesta, runs: Runs, words: tuple[str, ...]
) -> None:
    spoken = manifiesta("compare", *HERE, *words)
    assert spoken.code == 2
    assert "Run nada has no figures of villa" in spoken.err
    assert "Traceback" not in spoken.err


def test_a_text_that_came_is_why_two_runs_differ(manifiesta: Manifiesta, runs: Runs) -> None:
    spoken = manifiesta("diff", runs.march, runs.again)
    assert spoken.code == 0, spoken.err
    assert "Why they differ:" in spoken.out
    assert "insight_category" in spoken.out
    answer = json.loads(manifiesta("diff", runs.march, runs.again, "--limit", 200, "--json").out)
    moved = {
        row["cell"]: (row["count_a"], row["count_b"])
        for row in answer["changes"]
        if row["table"] == "insight_category"
    }
    assert moved["health"] == (0, 1)
    fewest = ("diff", runs.march, runs.again, "--limit", 1, "--json")
    assert len(json.loads(manifiesta(*fewest).out)["changes"]) == 1


def test_a_run_does_not_differ_from_itself(manifiesta: Manifiesta, runs: Runs) -> None:
    spoken = manifiesta("diff", runs.march, runs.march)
    assert spoken.code == 0
    assert "Both runs counted the same texts and labels." in spoken.out
    assert "Rows that differ: none." in spoken.out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nada", "nada"), 2, "There is no run nada"),
        (("nada",), 2, "Missing argument"),
        (("nada", "nada", "--limit", "0"), 2, "--limit"),
    ],
)
def test_bad_input_to_diff_is_explained(
    manifiesta: Manifiesta, runs: Runs, words: tuple[str, ...], code: int, says: str
) -> None:
    spoken = manifiesta("diff", *words)
    assert spoken.code == code
    assert says in spoken.err
    assert "Traceback" not in spoken.err


# --- export ----------------------------------------------------------------------------------


def test_small_cells_stay_in_the_house_unless_whole_is_asked_for(
    manifiesta: Manifiesta, runs: Runs, tmp_path: Path
) -> None:
    outward, whole = tmp_path / "outward.csv", tmp_path / "whole.csv"
    asked = ("export", *HERE, "--run", runs.again, "--table", "insight_category", "--out")
    spoken = manifiesta(*asked, outward)
    assert spoken.code == 0, spoken.err
    assert "have figures hidden: fewer than 5 authors" in spoken.out
    inside = manifiesta(*asked, whole, "--whole")
    assert "hidden" not in inside.out
    hidden, shown = (
        {row["category"]: (row["count"], row["suppressed"]) for row in table(path)}
        for path in (outward, whole)
    )
    assert hidden["health"] == ("", "small")
    assert shown["health"] == ("1", "")
    assert len(hidden) == len(shown)
    assert whole.read_bytes().startswith(b"\xef\xbb\xbf")


def test_zones_are_written_as_geojson(manifiesta: Manifiesta, runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "zones.geojson"
    asked = ("--table", "insight_place", "--format", "geojson", "--out", out)
    spoken = manifiesta("export", *HERE, *asked, "--run", runs.february)
    assert spoken.code == 0, spoken.err
    drawn = json.loads(out.read_text("utf-8"))
    assert drawn["type"] == "FeatureCollection"
    zones = {one["properties"]["zone"]: one for one in drawn["features"]}
    assert zones["centro"]["geometry"] == {"type": "Polygon", "coordinates": SQUARE}
    assert zones["centro"]["properties"]["name"] == "Centro"
    assert zones["centro"]["properties"]["n"] == 40
    assert zones["norte"]["geometry"] is None
    assert zones["norte"]["properties"]["count"] is None  # one text: a small cell
    whole = tmp_path / "whole.geojson"
    assert (
        manifiesta("export", *HERE, *asked[:-1], whole, "--run", runs.february, "--whole").code == 0
    )
    inside = json.loads(whole.read_text("utf-8"))["features"]
    assert all(one["properties"]["count"] is not None for one in inside)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "Name what to export"),
        (("--table", "insight_nothing"), 2, "insight_nothing"),
        (("--table", "insight_category", "--format", "doc"), 2, "doc"),
        (("--table", "insight_category", "--format", "geojson"), 2, "Only insight_place"),
        (("--table", "insight_category", "--run", "nada"), 2, "Run nada has no figures of villa"),
    ],
)
def test_bad_input_to_export_is_explained_and_writes_nothing(
    manifiesta: Manifiesta,
    runs: Runs,
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    out = tmp_path / "out" / "file"
    spoken = manifiesta("export", *HERE, *words, "--out", out)
    assert spoken.code == code, spoken.err
    assert says in spoken.err
    assert "Traceback" not in spoken.err
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_explained(
    manifiesta: Manifiesta, runs: Runs, tmp_path: Path
) -> None:
    for form, name in (("csv", "insight_category"), ("geojson", "insight_place")):
        asked = ("--table", name, "--format", form, "--out", tmp_path)
        spoken = manifiesta("export", *HERE, *asked)
        assert spoken.code == 2
        assert "cannot be written" in spoken.err


# --- every share of an export can be of its denominator --------------------------------------


SHARED = (
    *("insight_overview", "insight_category", "insight_intent", "insight_day"),
    *("insight_source", "insight_place", "insight_series", "insight_change"),
)


def test_every_exported_share_passes_the_certificate(
    manifiesta: Manifiesta, runs: Runs, tmp_path: Path
) -> None:
    assert manifiesta("compare", *HERE, "--run", runs.again).code == 0
    chosen = ("--run", runs.again)
    for name in SHARED:
        for words in ((), ("--whole",)):
            out = tmp_path / "shares.csv"
            done = manifiesta("export", *HERE, *chosen, "--table", name, "--out", out, *words)
            assert done.code == 0, done.err
            found = shares_of_rows(table(out))
            assert found, name
            assert [pair for pair in found if not certified(*pair)] == [], name


def test_the_certificate_would_catch_a_share_of_another_n() -> None:
    assert certified("77.08%", 48)
    assert not certified("77.08%", 47)
