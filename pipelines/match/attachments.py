"""Attachments as plain text. Assessors never see a file: not its name, its pictures, its metadata.

The author, the company and the template that a PDF or an Office file names in its metadata, its
comments, tracked changes, headers and pictures are not read at all.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from lxml import etree

from models.errors import InputError

MAX_BYTES: Final = 20_000_000
MAX_UNPACKED: Final = 50_000_000
MAX_PAGES: Final = 300
MAX_TEXT: Final = 200_000
"""Characters."""

_WORD: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DRAWING: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_PICTURES: Final = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".svg",
    ".bmp",
    ".tif",
    ".tiff",
    ".heic",
)
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, KeyError, EOFError)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an attachment says, and the digest of the file that said it."""

    media: str
    sha256: str
    text: str


def read_attachment(path: Path) -> Attachment:
    """Read the text of a PDF, Word, PowerPoint or text file.

    Raises:
        InputError: it is refused; the message says why and what to do.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise InputError(f"{path.name}: larger than {MAX_BYTES // 1_000_000} MB; hand in less.")
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        raise InputError(
            f"{path.name}: a picture may show a logo, a face or a name; describe it in the text."
        )
    readers = {".pdf": _pdf, ".docx": _docx, ".pptx": _pptx, ".txt": _plain, ".md": _plain}
    if suffix not in readers:
        raise InputError(f"{path.name}: only .pdf, .docx, .pptx, .txt and .md can be cleaned.")
    text = readers[suffix](path).strip()
    if not text:
        raise InputError(
            f"{path.name}: it holds no text (a scan?), so it cannot be cleaned; hand the text in."
        )
    if len(text) > MAX_TEXT:
        raise InputError(f"{path.name}: more than {MAX_TEXT:,} characters; hand in less.")
    media = "text" if readers[suffix] is _plain else suffix[1:]
    return Attachment(media, sha256(data).hexdigest(), text)


def _plain(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: this is not UTF-8 text; save it as UTF-8.") from None


def _pdf(path: Path) -> str:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            raise InputError(f"{path.name}: it is protected by a password; save it without one.")
        if len(reader.pages) > MAX_PAGES:
            raise InputError(f"{path.name}: more than {MAX_PAGES} pages; hand in less.")
        return "\n".join(page.extract_text() for page in reader.pages)
    except (
        PyPdfError,
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise InputError(f"{path.name}: no PDF, or damaged; save it again.") from error


def _docx(path: Path) -> str:
    root = _parts(path, "word/document.xml")
    return "\n".join(
        "\n".join("".join(p.itertext(f"{_WORD}t")) for p in part.iter(f"{_WORD}p")) for part in root
    )


def _pptx(path: Path) -> str:
    return "\n".join(
        "\n".join("".join(p.itertext(f"{_DRAWING}t")) for p in part.iter(f"{_DRAWING}p"))
        for part in _parts(path, "ppt/slides/slide")
    )


def _parts(path: Path, beginning: str) -> Iterator[etree._Element]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        with zipfile.ZipFile(path) as archive:
            named = [info for info in archive.infolist() if info.filename.startswith(beginning)]
            if sum(info.file_size for info in named) > MAX_UNPACKED:
                raise InputError(f"{path.name}: it unpacks to too much; hand in less.")
            for info in sorted(named, key=lambda info: (len(info.filename), info.filename)):
                with archive.open(info) as packed:
                    yield etree.fromstring(packed.read(MAX_UNPACKED), parser)
    except _DAMAGED as error:
        raise InputError(f"{path.name}: no Office file, or damaged; save it again.") from error
