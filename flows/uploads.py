"""Bring the records of a file into the store, as `manifiesta import` does."""

from collections.abc import Mapping
from pathlib import Path

from configs.load import load_taxonomy
from configs.schema import Format, Municipality
from configs.settings import Settings
from flows.house import SOFTWARE_VERSION, open_store, pseudonymiser_of, window_of
from flows.progress import progress_bar, reporter
from models.records import Window
from pipelines.importing import Imported, import_file, upload_source
from pipelines.store.write import RunStart


def bring_in(
    settings: Settings,
    place: Municipality,
    name: str,
    file: Path,
    columns: Mapping[str, str],
    form: Format | None = None,
    covers: Window | None = None,
    *,
    show_progress: bool,
) -> Imported:
    """Import a file as records of the source ``name``, under a run of its own.

    Args:
        settings: where the store and its secret are.
        place: the municipality that the records belong to.
        name: the source; a new one is remembered.
        file: a .csv, .jsonl or .xlsx file, or a .zip of them.
        columns: columns that are given by hand, by what they hold.
        form: the tool that exported the file, if it was named.
        covers: days that the file is known to hold all of.
        show_progress: show a progress bar on a terminal.
    """
    store = open_store(settings)
    source = upload_source(store, place, name, file, columns, form)
    window = covers or window_of(place, None, None)
    start = RunStart("import", window, load_taxonomy().version, SOFTWARE_VERSION)
    secrets = pseudonymiser_of(settings, place)
    with progress_bar(shown=show_progress) as bars:
        progress = reporter(bars, f"Importing {file.name}")
        return import_file(store, place, secrets, source, file, start, progress, covers)
