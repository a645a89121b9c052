"""Reruns: only what is due, killed and resumed without a trace, failures set aside, compared."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from prefect.settings import PREFECT_API_URL

from crawlers.sandbox.server import serve_town
from models.records import Classification
from nlp.manifest import SHIPPED
from tests.flows.conftest import Said
from tests.flows.test_killed import SUICIDE
from tests.flows.test_monitor import SOURCES, database, insights, table, write_municipality

Manifiesta = Callable[..., Said]

WEEK = ("--from", "2021-09-01", "--to", "2021-09-08")
FORTNIGHT = ("--from", "2021-09-01", "--to", "2021-09-15")
SAME = (
    "SELECT id, text, said_at, author, title, gone_at FROM manifestation ORDER BY id",
    "SELECT * FROM classification ORDER BY manifestation_id, text_hash, model_version",
    "SELECT * FROM language_label ORDER BY manifestation_id, text_hash",
    "SELECT manifestation_id, zone FROM place_mention ORDER BY manifestation_id, text_hash",
    "SELECT source, outcome, place, detail FROM rejection ORDER BY source, outcome, place, detail",
    "SELECT source, day, stage, state, rows, version, checksum FROM run_partition "
    "WHERE run_id = (SELECT max(id) FROM run) ORDER BY source, day, stage",
)


@dataclass(frozen=True)
class Pilot:
    """A home after one monitoring run of a week, and the town, which may be gone by now."""

    home: Path
    town: str


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Iterator[Pilot]:
    home = tmp_path_factory.mktemp("pilot") / "home"
    write_municipality(home, "prueba")
    with serve_town(port=0) as base_url:
        said = command(home, "run", "-m", "prueba", *WEEK, "--base-url", base_url, "--json")
        assert said.returncode == 0, said.stderr
        yield Pilot(home, base_url)


@pytest.fixture
def copied(pilot: Pilot, home: Path) -> Path:
    """A copy of that home, as this test's own."""
    shutil.copytree(pilot.home, home)
    return home


def command(
    home: Path,
    *words: str,
    program: tuple[str, ...] = ("from flows.cli import main; main()",),
    without: tuple[str, ...] = (),
    key: str = "a key that only the tests use",
    **more: str,
) -> "subprocess.CompletedProcess[str]":
    surroundings = (
        os.environ
        | more
        | {
            "MANIFIESTA_HOME": str(home),
            "MANIFIESTA_PSEUDONYM_KEY": "a key that only the tests use",
            "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        }
    )
    return subprocess.run(
        [sys.executable, "-c", *program, *words],
        env={name: value for name, value in surroundings.items() if name not in without},
        capture_output=True,
        text=True,
        check=False,
    )


def lines(home: Path) -> pd.DataFrame:
    """The ledger of the newest run."""
    return table(home, "SELECT * FROM run_partition WHERE run_id = (SELECT max(id) FROM run)")


def test_killed_in_every_stage_and_resumed_the_rows_are_those_of_an_undisturbed_rerun(
    pilot: Pilot, home: Path, tmp_path: Path, manifiesta: Manifiesta
) -> None:
    hurt = tmp_path / "hurt"
    for folder in (home, hurt):
        shutil.copytree(pilot.home, folder, ignore=shutil.ignore_patterns("*.db*", "reports"))
    words = ("rerun", "-m", "prueba", *WEEK, "--replay", "--base-url", pilot.town, "--json")
    assert manifiesta(*words).code == 0

    step = words
    for name, times in (
        ("stamp_partitions", 1),
        ("save_classifications", 2),
        ("save_insights", 1),
    ):
        killed = command(hurt, *step, program=(SUICIDE, name, str(times)))
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        step = ("resume", "-m", "prueba", "--json")
    resumed = command(hurt, *step)
    assert resumed.returncode == 0, resumed.stderr[-2000:]

    runs = table(hurt, "SELECT id, state FROM run")
    assert list(runs["state"]) == ["done"]  # one run, however often it was killed
    assert lines(hurt)["attempts"].max() > 1
    for rows in SAME:
        pd.testing.assert_frame_equal(table(home, rows), table(hurt, rows))
    run_id = str(table(home, "SELECT id FROM run")["id"].iloc[0])
    after = insights(hurt, str(runs["id"].iloc[0]))
    for name, expected in insights(home, run_id).items():
        pd.testing.assert_frame_equal(expected, after[name])


@pytest.mark.parametrize("step", ["save_classifications", "save_insights"])
def test_told_to_end_it_says_so_closes_its_run_and_can_be_resumed(
    step: str, copied: Path, manifiesta: Manifiesta
) -> None:
    with database(copied).begin() as connection:
        connection.exec_driver_sql("DELETE FROM classification")
    words = ("rerun", "-m", "prueba", *WEEK)
    ended = command(copied, *words, program=(SUICIDE, step, "1"), FATAL=str(int(signal.SIGTERM)))
    assert ended.returncode == 130
    assert "manifiesta: stopped. What was done so far is kept" in ended.stderr
    assert "Traceback" not in ended.stderr
    stopped = table(copied, "SELECT state, error FROM run WHERE id = (SELECT max(id) FROM run)")
    assert stopped["state"].iloc[0] == "failed"
    assert table(copied, "SELECT * FROM lease").empty
    assert "manifiesta resume -m prueba" in manifiesta("status").out
    assert manifiesta("resume", "-m", "prueba").code == 0


def test_a_longer_window_reads_only_the_days_that_nobody_read_and_compares_with_the_pilot(
    pilot: Pilot, copied: Path, manifiesta: Manifiesta
) -> None:
    words = ("rerun", "-m", "prueba", *FORTNIGHT, "--base-url", pilot.town)
    plan = manifiesta(*words, "--dry-run", "--json")
    assert json.loads(plan.out)["stages"][0]["partitions"] == 7 * len(SOURCES)
    assert len(table(copied, "SELECT id FROM run")) == 1

    answer = manifiesta(*words, "--json")

    assert answer.code == 0, answer.err
    summary = json.loads(answer.out)
    ledger = lines(copied)
    collected = ledger[ledger["stage"] == "collect"]
    assert collected["day"].min() == "2021-09-08"
    assert len(collected) == 7 * len(SOURCES)
    assert set(ledger["state"]) == {"done"}
    assert ledger["version"].notna().all()
    assert ledger.loc[ledger["rows"] > 0, "checksum"].notna().all()
    compared = summary["comparison"]
    assert (compared["window_from"], compared["window_to"]) == ("2021-09-01", "2021-09-08")
    narrower = {one["label"]: one for one in compared["precision"]}
    assert narrower["negative"]["n"] > narrower["negative"]["before_n"]
    assert narrower["negative"]["width"] < narrower["negative"]["before_width"]
    assert narrower["negative"]["width"] < narrower["negative"]["corrected_width"]
    complete = table(copied, "SELECT DISTINCT days_complete FROM insight_overview ORDER BY 1")
    assert list(complete["days_complete"]) == [7, 14]

    again = json.loads(manifiesta(*words, "--json").out)
    assert set(again["partitions"]) == {"count"}
    assert again["classified"] == 0


def test_a_replay_of_an_archive_that_has_not_changed_does_nothing_twice(
    pilot: Pilot, copied: Path, manifiesta: Manifiesta
) -> None:
    town = ("--base-url", pilot.town)
    words = ("rerun", "-m", "prueba", *WEEK, *town, "--replay", "--only", "collect", "--json")
    first = json.loads(manifiesta(*words).out)
    second = json.loads(manifiesta(*words).out)
    assert first["partitions"] == {"collect": {"done": 7 * len(SOURCES)}}
    assert second["partitions"] == {}


def test_a_recrawl_asks_the_named_sources_again_for_days_that_are_settled(
    pilot: Pilot, copied: Path, manifiesta: Manifiesta
) -> None:
    texts = "SELECT source, id, text, text_hash FROM manifestation ORDER BY source, id"
    before = table(copied, texts)
    asked, other = SOURCES[:2]
    with database(copied).begin() as connection:
        connection.exec_driver_sql("UPDATE manifestation SET text = 'otro', text_hash = 'otro'")
    words = ("rerun", "-m", "prueba", *WEEK, "--base-url", pilot.town, "--source", asked)
    settled = json.loads(manifiesta(*words, "--only", "collect", "--json").out)
    assert settled["partitions"] == {}

    answer = manifiesta(*words, "--recrawl", "--only", "collect", "--json")

    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["partitions"] == {"collect": {"done": 7}}
    assert set(lines(copied)["source"]) == {asked}
    in_week = table(copied, "SELECT id FROM manifestation WHERE said_on < '2021-09-08'")["id"]
    after = table(copied, texts)
    theirs = (after["source"] == asked) & after["id"].isin(in_week)
    assert theirs.any()
    pd.testing.assert_frame_equal(before[theirs], after[theirs])
    assert set(after.loc[after["source"] == other, "text"]) == {"otro"}


def test_another_model_classifies_the_named_sources_once_and_reads_nothing(
    copied: Path, tmp_path: Path, manifiesta: Manifiesta
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    manifest = folder / "manifest.json"
    shipped = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(shipped | {"version": "99.0.0"}))
    words = ("rerun", "-m", "prueba", *WEEK, "--model", str(folder), "--source", SOURCES[0])
    words = (*words, "--only", "classify", "--json")

    answer = manifiesta(*words)

    assert answer.code == 0, answer.err
    first = json.loads(answer.out)
    labels = table(
        copied,
        "SELECT c.*, m.source FROM classification c JOIN manifestation m "
        "ON m.id = c.manifestation_id WHERE m.said_on < '2021-09-08' ORDER BY m.id",
    )
    by_other = labels["model_version"].str.endswith("99.0.0")
    mine = labels["source"] == SOURCES[0]
    assert first["classified"] == by_other.sum() == (mine & ~by_other).sum() > 0
    assert set(labels.loc[by_other, "source"]) == {SOURCES[0]}
    assert set(lines(copied)["stage"]) == {"classify"}

    again = json.loads(manifiesta(*words).out)
    assert (again["partitions"], again["classified"]) == ({}, 0)


def test_partitions_that_fail_are_set_aside_and_a_resumed_rerun_mends_them(
    copied: Path, manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlp.classifier import Classifier

    whole = Classifier.classify
    longest = table(
        copied,
        "SELECT source, said_on, text, max(length(text)) AS size FROM manifestation "
        "WHERE said_on < '2021-09-08' GROUP BY source, said_on ORDER BY size DESC LIMIT 2",
    )
    bad, heavy = longest.iloc[0], longest.iloc[1]

    def poisoned(self: Classifier, texts: list[str]) -> list[Classification]:
        if any(bad["text"] in text for text in texts):
            raise ValueError(f"cannot read {bad['text']}")
        if any(heavy["text"] in text for text in texts):
            bytearray(1 << 60)  # more memory than any machine gives
        return whole(self, texts)

    with database(copied).begin() as connection:
        connection.exec_driver_sql("DELETE FROM classification")
    monkeypatch.setattr(Classifier, "classify", poisoned)
    words = ("rerun", "-m", "prueba", *WEEK)
    answer = manifiesta(*words)

    assert answer.code == 3
    assert bad["text"] not in answer.out + answer.err
    ledger = lines(copied)
    failed = ledger[ledger["state"] == "failed"]
    found = failed[["stage", "source", "day", "error"]].itertuples(index=False, name=None)
    assert set(found) == {
        ("classify", bad["source"], bad["said_on"], "ValueError"),
        ("classify", heavy["source"], heavy["said_on"], "MemoryError"),
    }
    assert len(table(copied, "SELECT * FROM classification")) > 0

    monkeypatch.setattr(Classifier, "classify", whole)
    mended = manifiesta("resume", "-m", "prueba")
    assert mended.code == 0, mended.out
    assert set(lines(copied)["state"]) == {"done"}
    assert "Nothing of prueba is left" in manifiesta("resume", "-m", "prueba").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--source", "nadie"), "has no source «nadie»"),
        (("--taxonomy", "1999.1"), "There is no taxonomy «1999.1»"),
        (("--replay", "--recrawl"), "choose one"),
        (("--model", "/nowhere"), "/nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_done(
    words: tuple[str, ...], told: str, copied: Path, manifiesta: Manifiesta
) -> None:
    answer = manifiesta("rerun", "-m", "prueba", *WEEK, "--dry-run", *words)
    assert answer.code in (1, 2)
    assert told in answer.err
    assert len(table(copied, "SELECT id FROM run")) == 1
