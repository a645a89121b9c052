"""The archive: what goes in comes out, whatever happened to the file in between."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawlers.archive import Archive, Response, read_capture
from models.errors import InputError
from models.records import Capture

NOW = datetime(2025, 5, 31, 23, 59, 59, tzinfo=UTC)


def response(body: bytes, *headers: tuple[str, str]) -> Response:
    return Response("http://ejemplo.pe/ñ?a=1", 200, headers, body, NOW)


def warc_file(root: Path) -> Path:
    return root / "ate" / "radio" / "2025-05.warc.gz"


def bodies(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [record.content_stream().read() for record in ArchiveIterator(file)]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path, "ate", "radio")
    texts = [b"hola", b"", os.urandom(300_000), "año\0\r\n\r\n".encode()]

    captures = [archive.add(response(text, ("Content-Type", "text/html"))) for text in texts]

    assert [read_capture(capture, tmp_path) for capture in captures] == texts
    assert bodies(warc_file(tmp_path)) == texts
    assert captures[0].warc_file == "ate/radio/2025-05.warc.gz"
    assert captures[0].content_type == "text/html"
    assert captures[2].size == 300_000


def test_a_compressed_body_comes_out_unpacked_and_bounded(tmp_path: Path) -> None:
    archive = Archive(tmp_path, "ate", "radio")
    bomb = gzip.compress(b"\0" * 5_000_000)

    capture = archive.add(response(bomb, ("Content-Encoding", "gzip")))

    assert capture.size == len(bomb)
    assert len(read_capture(capture, tmp_path)) == 5_000_000
    with pytest.raises(InputError, match="more than 1,000 bytes"):
        read_capture(capture, tmp_path, max_bytes=1_000)


def test_the_rest_of_a_killed_writer_is_cut_off(tmp_path: Path) -> None:
    archive = Archive(tmp_path, "ate", "radio")
    first = archive.add(response(b"uno"))
    path = warc_file(tmp_path)
    with path.open("ab") as file:
        file.write(gzip.compress(os.urandom(200_000))[:90_000])

    second = archive.add(response(b"dos"))

    assert bodies(path) == [b"uno", b"dos"]
    assert [read_capture(c, tmp_path) for c in (first, second)] == [b"uno", b"dos"]


@pytest.mark.parametrize("ledger", [None, "x", "99999999"])
def test_whole_records_survive_a_lost_ledger(tmp_path: Path, ledger: str | None) -> None:
    archive = Archive(tmp_path, "ate", "radio")
    archive.add(response(b"uno"))
    archive.add(response(b"dos"))
    end = warc_file(tmp_path).with_name("2025-05.warc.gz.end")
    end.unlink() if ledger is None else end.write_text(ledger)

    archive.add(response(b"tres"))

    assert bodies(warc_file(tmp_path)) == [b"uno", b"dos", b"tres"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path, "ate", "radio")
    archive.add(response(b"uno"))
    before = warc_file(tmp_path).read_bytes()
    write = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        write(file, bytes(data[:10]), offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        archive.add(response(b"dos"))

    assert warc_file(tmp_path).read_bytes() == before


def _write_many(root: Path, name: str) -> None:
    archive = Archive(root, "ate", "radio")
    for number in range(20):
        archive.add(response(f"{name}{number}".encode() * 500))


def test_two_writers_take_turns(tmp_path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    expected = {f"{name}{number}".encode() * 500 for name in "ab" for number in range(20)}
    found = bodies(warc_file(tmp_path))
    assert len(found) == 40
    assert set(found) == expected


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: replace(c, warc_offset=7),
        lambda c: replace(c, warc_offset=10**9),
        lambda c: replace(c, warc_file="ate/radio/1999-01.warc.gz"),
        lambda c: replace(c, sha256="0" * 64),
    ],
)
def test_a_capture_that_is_not_there(tmp_path: Path, spoil: Callable[[Capture], Capture]) -> None:
    capture = Archive(tmp_path, "ate", "radio").add(response(b"texto de un vecino"))

    with pytest.raises(InputError, match="archived response") as caught:
        read_capture(spoil(capture), tmp_path)

    assert "vecino" not in str(caught.value)
