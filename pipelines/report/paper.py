"""Print a page of ours to PDF with a headless Chromium, which finds no other host to ask."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from models.errors import ManifiestaError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 180


def print_pdf(page: Path) -> Path:
    """Print an HTML file beside itself, as A4 by its own style, and return the PDF's path.

    Raises:
        ManifiestaError: there is no Chromium, or it did not print.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise ManifiestaError(
            "There is no Chromium to print with: apt-get install chromium. The page itself is "
            f"at {page}; a browser's own «print to PDF» gives the same."
        )
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(prefix="manifiesta-pdf-") as folder:
        draft = Path(folder) / "page.pdf"
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={draft}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium refuses root otherwise
            page.absolute().as_uri(),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - a program of the system and our own file
                command, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ManifiestaError(f"Chromium did not print {page} within {_SECONDS} s.") from None
        if done.returncode or not draft.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise ManifiestaError(f"Chromium did not print {page}: {' '.join(said[-2:])}")
        shutil.copyfile(draft, target)
    return target
