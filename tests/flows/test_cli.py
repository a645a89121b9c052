"""The command line as a person and as a program meet it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli import app
from tests.flows.conftest import Said

Manifiesta = Callable[..., Said]
ROOT = Path(__file__).parents[2]


def verbs() -> list[tuple[str, ...]]:
    """Every command line that ends in a verb."""
    found: list[tuple[str, ...]] = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found += [(name, each) for each in below] if below else [(name,)]
    return found


def lines(path: Path, *objects: object) -> Path:
    path.write_text("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects))
    return path


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_has_help_with_an_example(manifiesta: Manifiesta, verb: tuple[str, ...]) -> None:
    said = manifiesta(*verb, "--help")
    assert said.code == 0
    assert f"Example: manifiesta {' '.join(verb)}" in " ".join(said.out.split()) or (
        "Example: MANIFIESTA_HOME" in said.out and verb == ("init",)
    )


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_every_verb_is_described_in_the_docs(verb: tuple[str, ...]) -> None:
    assert f"`manifiesta {' '.join(verb)}`" in (ROOT / "docs" / "commands.md").read_text()


def test_help_does_not_load_the_heavy_packages() -> None:
    code = (
        "import sys; sys.argv = ['manifiesta', '--help']\n"
        "from flows.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'prefect', 'spacy', 'scrapy', 'pandas', 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "sandbox" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("no-such-verb",), "No such command"),
        (("run",), "--municipality"),
        (("run", "-m", "atlantis"), "atlantis"),
        (("run", "-m", "sandbox", "--from", "2021-13-01"), "2021-13-01"),
        (("aggregate", "-m", "sandbox", "--from", "2021-09-02", "--to", "2021-09-01"), "is empty"),
        (("export", "-m", "sandbox", "--table", "insight_nothing"), "insight_category"),
        (("import", "missing.csv", "-m", "sandbox", "--source", "x"), "missing.csv"),
        (
            ("train", "finetune", "--data", ".", "--encoder", ".", "--out", "x", "--recipe", "y"),
            "y",
        ),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(
    manifiesta: Manifiesta, words: tuple[str, ...], says: str
) -> None:
    said = manifiesta(*words)
    assert said.code == 2
    assert says in said.err
    assert "Traceback" not in said.err


def test_an_unreadable_configuration_names_file_line_and_remedy(
    manifiesta: Manifiesta, tmp_path: Path
) -> None:
    shipped = (ROOT / "configs" / "municipalities" / "sandbox.yml").read_text()
    wrong = tmp_path / "sandbox.yml"
    wrong.write_text(shipped.replace("time_zone:", "timezone:"))
    said = manifiesta("validate", wrong)
    line = next(i for i, text in enumerate(shipped.splitlines(), 1) if "time_zone" in text)
    assert said.code == 2
    assert f"sandbox.yml:{line}: " in said.out
    assert "time_zone" in said.out


def test_the_shipped_configuration_is_valid(manifiesta: Manifiesta) -> None:
    assert manifiesta("validate").code == 0


def test_init_makes_a_private_home_and_doctor_finds_it_sound(
    manifiesta: Manifiesta, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MANIFIESTA_PSEUDONYM_KEY", raising=False)
    assert manifiesta("init").code == 0
    assert (home / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    assert (home / "archive").stat().st_mode & 0o777 == 0o700
    said = manifiesta("doctor", "--json")
    found = {finding["subject"]: finding for finding in json.loads(said.out)}
    assert said.code == 0
    assert "revision" in found["Database"]["found"]
    assert found["Model"]["found"].startswith("manifiesta-")


def test_doctor_says_what_is_broken(
    manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANIFIESTA_DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/none")
    said = manifiesta("doctor")
    assert said.code == 1
    assert "✗ Database" in said.out
    assert "does not answer" in said.out
    assert "secret" not in said.out + said.err


def test_a_short_key_of_pseudonyms_is_refused(
    manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANIFIESTA_PSEUDONYM_KEY", "short")
    said = manifiesta("status")
    assert said.code == 2
    assert "MANIFIESTA_PSEUDONYM_KEY" in said.err
    assert "short" not in said.err.replace("MANIFIESTA", "")


def test_status_before_anything_ran_says_how_to_begin(manifiesta: Manifiesta) -> None:
    said = manifiesta("status")
    assert said.code == 0
    assert "manifiesta sandbox run" in said.out


def test_classify_keeps_the_order_and_reports_bad_lines(
    manifiesta: Manifiesta, tmp_path: Path
) -> None:
    source = lines(
        tmp_path / "in.jsonl",
        {"id": "b", "text": "Se llevan la basura cada dos semanas, qué asco"},
        {"id": "a", "text": "Gracias a los bomberos de Vitarte, unos héroes"},
        {"id": 3},
        {"id": 4, "text": ""},
    )
    target = tmp_path / "out.jsonl"
    said = manifiesta("classify", source, target)
    answers = [json.loads(line) for line in target.read_text().splitlines()]
    assert said.code == 3
    assert f"{source}:3: has no «text»" in said.err
    assert [answer["id"] for answer in answers] == ["b", "a", 4]
    assert answers[0]["category"] == "waste"
    assert answers[0]["sentiment"] == "negative"
    assert answers[2]["abstained"] is True
    for answer in answers:
        assert answer["category"] == max(answer["categories"], key=answer["categories"].get)
        assert sum(answer["sentiments"].values()) == pytest.approx(1)
        assert set(answer) == {
            *("id", "category", "categories", "sentiment", "sentiments", "intent", "intents"),
            *("confidence", "abstained", "model_version"),
        }


def test_evaluate_prints_every_score_of_the_contract(
    manifiesta: Manifiesta, tmp_path: Path
) -> None:
    gold = lines(
        tmp_path / "gold.jsonl",
        {"text": "No hay agua desde el lunes en Pariachi", "category": "water"},
        {"text": "Gracias por el parque nuevo, quedó lindo", "sentiment": "positive"},
        {"text": "¿A qué hora atiende la posta?", "category": "health", "intent": "question"},
    )
    said = manifiesta("evaluate", gold, "--json")
    report = json.loads(said.out)
    assert said.code == 0
    assert {task: score["n"] for task, score in report["tasks"].items()} == {
        "category": 2,
        "sentiment": 1,
        "intent": 1,
    }
    for score in report["tasks"].values():
        assert {"macro_f1", "accuracy", "ece", "labels", "share_error"} <= set(score)
    assert manifiesta("evaluate", gold).code == 0


def test_evaluate_says_what_got_worse_and_on_which_texts(
    manifiesta: Manifiesta, tmp_path: Path
) -> None:
    rows = [
        {"id": 1, "text": "No hay agua desde el lunes en Pariachi", "category": "water"},
        {"id": 2, "text": "Gracias por el parque nuevo, quedó lindo", "category": "environment"},
    ]
    gold = lines(tmp_path / "gold.jsonl", *({**row, "country": "PE"} for row in rows))
    answers = tmp_path / "earlier.jsonl"
    assert manifiesta("classify", gold, answers).code == 0
    earlier = [json.loads(line) for line in answers.read_text().splitlines()]
    earlier[0]["categories"] |= {"other": 2.0}
    lines(answers, *reversed(earlier))
    said = json.loads(manifiesta("evaluate", gold, "--against", answers, "--json").out)
    assert said["against"] == earlier[0]["model_version"]
    change = said["changes"]["category"]
    assert (change["won"], change["lost"]) == (1, 0)
    assert [(flip["id"], flip["before"], flip["text"]) for flip in change["flips"]] == [
        (1, "other", rows[0]["text"])
    ]
    assert said["slices"]["country"]["PE"]["category"]["n"] == 2
    shown = manifiesta("evaluate", gold, "--against", answers)
    assert "Worse by more than chance: nothing." in shown.out
    lines(answers, earlier[0])
    refused = manifiesta("evaluate", gold, "--against", answers)
    assert refused.code == 2
    assert "holds no answer to 1 texts: 2" in refused.err


def test_drift_is_asked_of_the_store_and_not_of_a_file(manifiesta: Manifiesta) -> None:
    assert manifiesta("evaluate").code == 2
    assert "--drift compares two windows" in manifiesta("evaluate", "--drift").err
    said = manifiesta("evaluate", "--drift", "-m", "ate")
    assert said.code == 2
    assert "No run of ate has classified anything yet" in said.err


def test_a_visit_shows_the_town_as_on_that_day(manifiesta: Manifiesta, tmp_path: Path) -> None:
    def told(*words: str) -> dict[str, str]:
        file = tmp_path / "truth.jsonl"
        assert manifiesta("sandbox", "truth", file, "--scale", "0.1", *words).code == 0
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        return {row["external_id"]: row["text"] for row in rows}

    whole, early = told(), told("--visit", "2021-09-10")
    later = told("--visit", "2021-12-01")
    assert 0 < len(early) < len(later) < len(whole)
    assert early.keys() | later.keys() <= whole.keys()
    assert any(later[name] != text for name, text in whole.items() if name in later)


def test_imported_records_are_classified_counted_and_exported(
    manifiesta: Manifiesta, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "quejas.csv"
    file.write_text(
        "fecha;comentario;autor\n"
        "2021-09-03 10:00;La pista de Huaycán está llena de huecos;Rosa\n"
        "2021-09-04 11:30;Gracias al serenazgo por la rapidez;Luis\n"
        "sin fecha;Nadie contesta el teléfono;Ana\n"
    )
    said = manifiesta("import", file, "-m", "sandbox", "--source", "quejas", "--json")
    outcome = json.loads(said.out)
    assert said.code == 3
    assert outcome["rows"] == 3
    assert outcome["saved"]["new"] == 2
    assert outcome["rejections"] == {"bad_date": 1}

    counted = manifiesta("aggregate", "-m", "sandbox", "--json")
    assert counted.code == 0, counted.err
    assert json.loads(counted.out)["in_window"] == 2
    assert Path(json.loads(counted.out)["report"]).exists()

    out = tmp_path / "categorias.csv"
    exported = manifiesta("export", "-m", "sandbox", "--table", "insight_category", "--out", out)
    assert exported.code == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfrun_id,")
    assert manifiesta("report", "-m", "sandbox").code == 0
    assert "quejas" in manifiesta("status").out or "import" in manifiesta("status").out


def test_a_damaged_database_is_explained(manifiesta: Manifiesta, home: Path) -> None:
    home.mkdir()
    (home / "manifiesta.db").write_bytes(b"this is no database at all, but a note" * 50)
    said = manifiesta("status")
    assert said.code == 1
    assert "is not a database file" in said.err
    assert "Traceback" not in said.err
