"""Nothing that was planted in a text or an attachment reaches an assessor."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from models.errors import InputError
from pipelines.match.attachments import read_attachment
from pipelines.match.redact import Names, names_of, redact

NAMES = Names(
    own=names_of("Daoura Insights", ["Daourabot"], "https://www.daoura.io"),
    others=("Datasketch", "Cívica Digital"),
    people=("Rosalía Quispe Mamani",),
)


@pytest.mark.parametrize(
    ("planted", "leak"),
    [
        ("Somos Daoura Insights y ayudamos", "daoura"),
        ("somos daoura", "daoura"),
        ("DAOURA INSIGHTS", "daoura"),
        ("los daourianos y la comunidad Daourita", "daour"),
        ("las Daouras", "daour"),
        ("el SúperDaoura y #DaouraPerú", "daour"),
        ("Da\u200bou\u200dra", "ou"),
        ("D\u00adaoura", "aoura"),
        ("Dаourа con letras de otro alfabeto", "аour"),
        ("Dαουrα con letras griegas", "α"),
        ("𝐃𝐚𝐨𝐮𝐫𝐚 y 𝔇𝔞𝔬𝔲𝔯𝔞", "𝐚"),
        ("Ｄａｏｕｒａ", "ａ"),
        ("ⓓⓐⓞⓤⓡⓐ", "ⓓ"),
        ("D4oura y Da0ur4", "4"),
        ("D a o u r a", "u r"),
        ("D.a.o.u.r.a / D-a-o-u-r-a / D_a_o_u_r_a", "u.r"),
        ("Däôúrà", "ô"),
        ("D&#97;our&#97;", "#97"),
        ("daourainsights", "insights"),
        ("Daourabot responde", "bot"),
        ("competimos con Datasketch", "datasketch"),
        ("y con CIVICA DIGITAL", "civica"),
        ("DI fue finalista", "di fue"),
        ("la señora Rosalia Quispe", "quispe"),
        ("QUISPE MAMANI, R.", "mamani"),
        ("Ing. Pedro Gómez Ugarte dirige", "gómez"),
        ("nuestro CEO, Kurt Weidmann", "weidmann"),
        ("María del Carmen Rojas", "rojas"),
        ("firma J. Valdivia", "valdivia"),
        ("escriba a ventas@empresa.com", "ventas"),
        ("ventas (arroba) empresa (punto) com", "empresa"),
        ("ventas arroba empresa punto com", "empresa"),
        ("ventas＠empresa.com", "empresa"),
        ("https://empresa.com/demo", "demo"),
        ("hxxps://empresa.xyz", "empresa"),
        ("www.empresa.zone/x", "empresa"),
        ("empresa[.]com.br/caso", "empresa"),
        ("véanos en empresa.pe", "empresa"),
        ("linkedin.com/in/alguien", "alguien"),
        ("síganos: @empresa_oficial", "empresa"),
        ("llame al 987 654 321", "654"),
        ("+55 11 91234-5678", "91234"),
        ("somos de Brasil", "brasil"),
        ("somos de BRAZIL", "brazil"),
        ("empresa mexicana", "mexican"),
        ("un equipo argentino", "argentin"),
        ("con sede en Bogotá", "bogot"),
        ("en Estados Unidos", "estados"),
        ("🇧🇷 presente", "🇧"),
        ("la Municipalidad de Rosario", "rosario"),
        ("Alcaldía de Envigado", "envigado"),
    ],
)
def test_a_planted_leak_is_removed(planted: str, leak: str) -> None:
    done = redact(f"Medimos la basura. {planted}. Todos los días.", NAMES)
    assert leak.lower() not in done.text.lower().replace("[", "").replace("]", ""), done.text
    assert sum(done.removed.values()) >= 1
    assert done.text.startswith("Medimos la basura.")
    assert done.text.endswith("Todos los días.")


@pytest.mark.parametrize(
    "text",
    [
        "Nuestra solución ordena las rutas de los camiones con datos de sensores.",
        "En 30 días bajaron los reclamos de 40 % a 25 %, sobre 1,200 manifestaciones.",
        "Los insights de la ciudad ayudan al área de limpieza. Es una red inteligente.",
        "El director del proyecto y la gerencia deciden juntos; no se guardan nombres.",
        "Fin. Es decir, se mide el tiempo.",
    ],
)
def test_what_gives_nobody_away_stays(text: str) -> None:
    kept = redact(text, NAMES)
    assert kept.text == text
    assert kept.removed == {}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["Daoura", "hola@daoura.io", "daoura.io", "Brasil"]))
def test_redacting_twice_is_redacting_once(text: str, planted: str) -> None:
    once = redact(f"{text} {planted}", NAMES)
    assert planted not in once.text
    assert redact(once.text, NAMES).text == once.text


def test_long_hostile_texts_are_done_soon() -> None:
    for text in ("-" * 50_000, "a." * 25_000, "a" * 50_000, "A. " * 15_000, "@" * 50_000):
        assert len(redact(text, NAMES).text) <= len(text)  # quadratic rules would take hours


# --- attachments -----------------------------------------------------------------------------

SECRET = "Daoura"


def docx(path: Path, body: str) -> Path:
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f"<w:document {w}><w:body><w:p><w:r><w:t>{body}</w:t></w:r>"
            f"<w:del><w:r><w:delText>{SECRET} borrado</w:delText></w:r></w:del></w:p></w:body>"
            "</w:document>",
        )
        archive.writestr("word/comments.xml", f"<w:c {w}><w:t>{SECRET} opina</w:t></w:c>")
        archive.writestr("word/header1.xml", f"<w:h {w}><w:t>{SECRET} S.A.C.</w:t></w:h>")
        archive.writestr("docProps/core.xml", f"<c><creator>{SECRET}</creator></c>")
        archive.writestr("docProps/app.xml", f"<a><Company>{SECRET}</Company></a>")
        archive.writestr("word/media/logo.png", SECRET)
    return path


def pptx(path: Path, body: str) -> Path:
    a = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    with zipfile.ZipFile(path, "w") as archive:
        for number, text in ((10, "después"), (2, body)):
            archive.writestr(
                f"ppt/slides/slide{number}.xml",
                f"<s {a}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></s>",
            )
        archive.writestr("ppt/notesSlides/notesSlide1.xml", f"<s {a}><a:t>{SECRET}</a:t></s>")
        archive.writestr("docProps/core.xml", f"<c><creator>{SECRET}</creator></c>")
    return path


def pdf(path: Path, body: str, password: str | None = None) -> Path:
    writer = PdfWriter()
    page = writer.add_blank_page(width=400, height=400)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 20 200 Td ({body}) Tj ET".encode("latin-1"))
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Author": SECRET, "/Creator": SECRET, "/Title": SECRET})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(path)
    return path


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    note = chunk(b"tEXt", b"Author\0" + SECRET.encode())
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + note
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("make", "media"), [(docx, "docx"), (pptx, "pptx"), (pdf, "pdf")])
def test_only_the_text_of_an_attachment_is_read_and_it_is_redacted(
    tmp_path: Path, make, media: str
) -> None:
    path = make(tmp_path / f"{SECRET} propuesta.{media}", "Rutas de Daoura en Chile")
    assert SECRET.encode() in path.read_bytes() or media == "pdf"
    read = read_attachment(path)
    shown = redact(read.text, NAMES).text
    assert read.media == media
    assert SECRET.lower() not in shown.lower()
    assert "Rutas de [nombre] en [país]" in shown
    assert "después" in shown if media == "pptx" else True


def test_slides_come_in_their_order(tmp_path: Path) -> None:
    assert read_attachment(pptx(tmp_path / "a.pptx", "antes")).text == "antes\ndespués"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("logo.png", png(), "may show a logo"),
        ("foto.JPG", b"\xff\xd8", "may show a logo"),
        ("video.mp4", b"x", "can be cleaned"),
        ("roto.pdf", b"%PDF-1.4 roto", "no PDF, or damaged"),
        ("roto.docx", b"PK\x03\x04", "no Office file"),
        ("vacio.txt", b"  ", "holds no text"),
        ("latin.txt", "ñ".encode("latin-1"), "not UTF-8"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_attachment(path)


def test_a_scan_and_a_protected_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a scan"):
        read_attachment(pdf(tmp_path / "scan.pdf", ""))
    with pytest.raises(InputError, match="password"):
        read_attachment(pdf(tmp_path / "clave.pdf", "Rutas", password="x"))


def test_an_entity_in_an_office_file_is_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<!DOCTYPE d [<!ENTITY e SYSTEM "file://{secret}">]>'
            '<w:d xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            "<w:p><w:t>uno &e; dos</w:t></w:p></w:d>",
        )
    path = tmp_path / "x.docx"
    path.write_bytes(buffer.getvalue())
    assert "secret" not in read_attachment(path).text
