"""Who ran, exported, corrected, purged and backed up what is on record, in a chain."""

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.settings import Settings
from flows.house import open_store
from pipelines.store.audit import events, verify
from tests.flows.conftest import Said
from tests.flows.test_monitor import table, write_municipality

Manifiesta = Callable[..., Said]

SAID = """id,fecha,texto
1,2021-09-02,La pista de Huaycán está rota
2,2021-09-03,Otra vez sin agua en Santa Clara
3,2021-09-04,Gracias por limpiar el parque
"""


@pytest.mark.usefixtures("prefect_server")
def test_what_was_done_is_on_record_with_who_did_it(
    home: Path, tmp_path: Path, manifiesta: Manifiesta, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_municipality(home, "prueba")
    file = tmp_path / "quejas.csv"
    file.write_text(SAID)
    place, window = ("-m", "prueba"), ("--from", "2021-09-01", "--to", "2021-09-08")
    monkeypatch.setenv("LOGNAME", "ana")

    def done(*words: str | Path) -> None:
        answer = manifiesta(*words)
        assert answer.code == 0, answer.err

    done("import", file, *place, "--source", "quejas")
    done("aggregate", *place, *window)
    done("export", *place, "--table", "insight_category", "--out", tmp_path / "t.csv")
    spoken = table(home, "SELECT id FROM manifestation ORDER BY external_id")["id"]
    done("correct", spoken[0], "--category", "transport", "--by", "r-07")
    monkeypatch.setenv("LOGNAME", "luis")
    done("export", *place, "--corrections", "--out", tmp_path / "gold.jsonl")
    done("demands", "export", *place, "--out", tmp_path / "requests.json")
    done("purge", *place, "--id", spoken[1], "--yes")
    done("rerun", *place, *window, "--only", "classify")
    done("backup", tmp_path / "copia.tar")
    monkeypatch.setenv("MANIFIESTA_HOME", str(tmp_path / "other"))
    done("restore", tmp_path / "copia.tar")

    engine = open_store(Settings.load()).engine
    assert [(one.action, one.actor) for one in events(engine)] == [
        ("import", "ana"),
        ("aggregate", "ana"),
        ("export", "ana"),
        ("correct", "r-07"),
        ("export", "luis"),
        ("export", "luis"),
        ("purge", "luis"),
        ("rerun", "luis"),
        ("backup", "luis"),
        ("restore", "luis"),
    ]
    assert verify(engine).whole
    told = " ".join(str(one.detail) for one in events(engine))
    assert "pista" not in told
    engine.dispose()
