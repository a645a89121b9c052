"""The report as PDF."""

import re
import shutil
from pathlib import Path

import pytest

from models.errors import ManifiestaError
from pipelines.report.paper import print_pdf


@pytest.mark.skipif(shutil.which("chromium") is None, reason="apt-get install chromium")
def test_a_page_is_printed_beside_itself(tmp_path: Path) -> None:
    page = tmp_path / "informe.html"
    page.write_text("<h1>Informe</h1>", "utf-8")

    printed = print_pdf(page)

    assert printed == tmp_path / "informe.pdf"
    assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) == 1


def test_without_chromium_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ManifiestaError, match="apt-get install chromium"):
        print_pdf(tmp_path / "informe.html")
