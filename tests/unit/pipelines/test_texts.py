"""Files of texts: one line out for each good line in, and the target whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest

import pipelines.texts
from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from pipelines.texts import BadLine, Line, classify_file, read_lines
from tests.unit.pipelines.fakes import WordClassifier, quiet


def line(identity: Any = 1, text: Any = "Falta agua", **others: Any) -> bytes:
    return json.dumps({"id": identity, "text": text} | others, ensure_ascii=False).encode()


def write(folder: Path, *lines: bytes) -> Path:
    path = folder / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def run(source: Path, **breaks: Any) -> tuple[tuple[int, int], list[dict[str, Any]], list[BadLine]]:
    target, bad = source.with_name("out.jsonl"), []
    counts = classify_file(source, target, WordClassifier(**breaks), bad.append, quiet)
    written = [json.loads(text) for text in target.read_text("utf-8").splitlines()]
    return counts, written, bad


def test_a_line_says_all_that_programs_rely_on(tmp_path: Path) -> None:
    _, (answer,), _ = run(write(tmp_path, line("a-1")))
    assert list(answer) == [
        *("id", "category", "categories", "sentiment", "sentiments", "intent", "intents"),
        *("confidence", "abstained", "model_version"),
    ]
    assert (answer["id"], answer["category"], answer["sentiment"]) == ("a-1", "water", "negative")
    assert set(answer["categories"]) == set(CATEGORIES)
    assert set(answer["sentiments"]) == set(SENTIMENTS)
    assert set(answer["intents"]) == set(INTENTS)
    assert answer["confidence"] == answer["categories"]["water"]


def test_lines_come_out_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.texts, "_BATCH", 4)
    lines = [line(n, "Falta agua" if n % 3 else "Bonito parque") for n in range(11)]
    counts, written, bad = run(write(tmp_path, *lines))
    assert (counts, bad) == ((11, 0), [])
    assert [(one["id"], one["category"]) for one in written] == [
        (n, "water" if n % 3 else "environment") for n in range(11)
    ]


@pytest.mark.parametrize("identity", ["x", 7, None, 1.5, True, ["a", 1], {"a": "ñ"}, ""])
def test_an_id_of_any_kind_comes_back(tmp_path: Path, identity: Any) -> None:
    _, (answer,), _ = run(write(tmp_path, line(identity)))
    assert answer["id"] == identity


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"{", "is no JSON object in UTF-8"),
        (b"Falta agua", "is no JSON object in UTF-8"),
        (b'{"id": 1, "text": "pista \xe1"}', "is no JSON object in UTF-8"),
        (b"[" * 100_000, "is no JSON object in UTF-8"),
        (b'["a"]', "is a list, not an object"),
        (b'"a"', "is a str, not an object"),
        (b"null", "is a NoneType, not an object"),
        (b'{"id": 1}', "has no «text»"),
        (b'{"id": 1, "text": null}', "has no «text»"),
        (b'{"id": 1, "text": 5}', "has a «text» that is no text"),
        (b'{"text": "Falta agua"}', "has no «id»"),
        (line(category="agua"), "has the category «agua»; use one of transport,"),
        (line(sentiment=["negative"]), "has the sentiment «['negative']»"),
        (rb'{"id": 1, "text": "\ud83d"}', "has half a character"),
        (rb'{"id": "\ud83d", "text": "Falta agua"}', "has half a character"),
    ],
)
def test_a_bad_line_is_reported_by_its_number_and_the_rest_goes_on(
    tmp_path: Path, bad: bytes, problem: str
) -> None:
    counts, written, reported = run(write(tmp_path, line(1), b"", bad, line(2)))
    assert counts == (2, 1)
    assert [one["id"] for one in written] == [1, 2]
    assert [one.number for one in reported] == [3]
    assert problem in reported[0].problem


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    counts, written, bad = run(write(tmp_path, b"", line(1), b"  \t", b"\r", line(2), b""))
    assert (counts, len(written), bad) == ((2, 0), 2, [])


def test_windows_line_ends_and_a_mark_at_the_start_are_no_trouble(tmp_path: Path) -> None:
    counts, written, _ = run(write(tmp_path, b"\xef\xbb\xbf" + line(1) + b"\r", line(2, "ñandú")))
    assert counts == (2, 0)
    assert [one["id"] for one in written] == [1, 2]


def test_a_very_long_line_is_a_line(tmp_path: Path) -> None:
    counts, written, _ = run(write(tmp_path, line(1, "agua " * 400_000), line(2)))
    assert counts == (2, 0)
    assert [one["category"] for one in written] == ["water", "water"]


def test_a_file_of_bad_lines_gives_an_empty_target(tmp_path: Path) -> None:
    counts, written, reported = run(write(tmp_path, b"{", b"}"))
    assert (counts, written) == ((0, 2), [])
    assert [one.number for one in reported] == [1, 2]


def test_a_classifier_that_breaks_leaves_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.texts, "_BATCH", 2)
    source = write(tmp_path, *(line(n) for n in range(5)))
    with pytest.raises(MemoryError):
        run(source, batches_until_it_breaks=1)
    assert [path.name for path in tmp_path.glob("*.*")] == ["in.jsonl"]


def test_a_classifier_that_breaks_leaves_the_earlier_target(tmp_path: Path) -> None:
    source = write(tmp_path, line(1))
    run(source)
    before = (tmp_path / "out.jsonl").read_bytes()
    with pytest.raises(MemoryError):
        run(source, batches_until_it_breaks=0)
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["in.jsonl", "out.jsonl"]


def test_an_empty_file_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"in\.jsonl is empty"):
        run(write(tmp_path, b""))
    assert [path.name for path in tmp_path.glob("*.*")] == ["in.jsonl"]


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(read_lines(tmp_path / "no.jsonl"))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        list(read_lines(tmp_path / "folder.jsonl"))


def test_gold_lines_need_no_id_and_keep_their_labels(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"text": "Falta agua", "category": "water", "intent": null}')
    assert list(read_lines(path, with_id=False)) == [
        Line(None, "Falta agua", {"category": "water"})
    ]
