"""Files that a municipality imports: a register in CSV and a survey in Excel."""

import csv
import io
import re
import zipfile
from datetime import datetime
from typing import Final

from crawlers.sandbox.answers import Call, Page
from crawlers.sandbox.items import Item
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE

COLUMNS: Final = ("codigo", "fecha", "vecino", "mensaje", "nota")
"""The header of both files; «nota» says that a row is simulated."""

_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CLOCK: Final = re.compile(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<")
_ZIP_EPOCH: Final = (2021, 10, 1, 0, 0, 0)


class Csv(Base):
    """The register of a call centre."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer with the file."""
        del call
        if rest != self.site.entry:
            return None
        return Page(as_csv(self.items), "text/csv; charset=utf-8")


class Xlsx(Base):
    """The open answers of a survey."""

    _file: bytes = b""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer with the file, which is written when it is first asked for."""
        del call
        if rest != self.site.entry:
            return None
        self._file = self._file or as_xlsx(self.items)
        return Page(self._file, _EXCEL)


def as_csv(items: list[Item]) -> bytes:
    """Return items as a CSV file of this country: a BOM, days before months."""
    file = io.StringIO(newline="")
    rows = csv.writer(file, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for item in reversed(items):
        when = f"{item.said_at:%d/%m/%Y %H:%M:%S}"
        rows.writerow((item.key, when, item.text.author, item.words, NOTICE))
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def as_xlsx(items: list[Item]) -> bytes:
    """Return items as an Excel file, the same bytes every time."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = datetime(*_ZIP_EPOCH)  # noqa: DTZ001
    sheet = book.create_sheet("Respuestas")
    sheet.append(COLUMNS)
    for item in reversed(items):
        when = item.said_at.replace(tzinfo=None, microsecond=0)
        sheet.append((item.key, when, item.text.author, item.words, NOTICE))
    file = io.BytesIO()
    book.save(file)
    return _without_clock(file.getvalue())


def _without_clock(data: bytes) -> bytes:
    """Return a zip file whose members all bear the same date."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.infolist():
            about = zipfile.ZipInfo(member.filename, _ZIP_EPOCH)
            about.compress_type = zipfile.ZIP_DEFLATED
            body = old.read(member)
            if member.filename == "docProps/core.xml":
                body = _CLOCK.sub(b">2021-10-01T00:00:00Z<", body)
            new.writestr(about, body)
    return file.getvalue()
