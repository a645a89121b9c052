"""The archive keeps raw responses for a stated time, and no longer."""

from datetime import UTC, date, datetime
from pathlib import Path

from crawlers.archive import Archive, Response
from models.records import Capture
from models.tables import CaptureRow, ManifestationRow
from pipelines.retention import forget_old_captures
from pipelines.store.write import Store
from tests.unit.store.builders import begun, municipality, rows, said

VILLA = municipality(collection={"archive_days": 30})


def archived(root: Path, source: str, year: int, month: int) -> Capture:
    moment = datetime(year, month, 5, tzinfo=UTC)
    response = Response("https://a.pe/", 200, (), b"hola", moment)
    return Archive(root, "villa", source).add(response)


def test_old_months_go_with_their_captures(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    old, older, kept = (
        archived(root, "diario", 2026, 1),
        archived(root, "foro", 2025, 12),
        archived(root, "diario", 2026, 2),
    )
    run_id = begun(store, VILLA)
    items = [said(1, capture_id=old.id), said(2, capture_id=kept.id)]
    store.save_collected(run_id, VILLA, "diario", items, captures=[old, older, kept])
    (root / "villa" / "diario" / "notas.txt").write_text("no es un mes")

    gone = forget_old_captures(store, root, VILLA, date(2026, 3, 3))

    assert gone == ["villa/diario/2026-01.warc.gz", "villa/foro/2025-12.warc.gz"]
    assert [row["id"] for row in rows(store.engine, CaptureRow)] == [kept.id]
    pointers = {r["external_id"]: r["capture_id"] for r in rows(store.engine, ManifestationRow)}
    assert pointers == {"1": None, "2": kept.id}
    left = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    assert left == [
        "villa/diario/2026-02.warc.gz",
        "villa/diario/2026-02.warc.gz.end",
        "villa/diario/notas.txt",
    ]
    assert {p.stat().st_mode & 0o777 for p in root.rglob("2026*")} == {0o600}


def test_a_month_is_kept_until_its_last_day_is_old(store: Store, tmp_path: Path) -> None:
    archived(tmp_path, "diario", 2026, 1)
    assert forget_old_captures(store, tmp_path, VILLA, date(2026, 3, 2)) == []
    assert forget_old_captures(store, tmp_path, VILLA, date(2026, 3, 3)) != []
    assert forget_old_captures(store, tmp_path / "absent", VILLA, date(2026, 3, 3)) == []
