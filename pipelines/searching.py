"""Make the stored texts ready to be searched, by their words and by their labels."""

from sqlalchemy import Engine

from configs.schema import Municipality, Taxonomy, lenses_of
from models.records import Window
from models.tables import RunRow
from nlp.lenses import identifier
from nlp.stems import stems_of
from pipelines.classify import reading
from pipelines.report.data import Run
from pipelines.store.counted import gazetteer_of
from pipelines.store.facets import Basis, keep_facets
from pipelines.store.search import is_searchable, unsearchable
from pipelines.store.searchable import Searchable, forget_edited, save_searchable

_BATCH = 2_000


def index_texts(engine: Engine, municipality: str) -> int:
    """Index the municipality's texts that are new or were edited since; return how many."""
    if is_searchable(engine, municipality):
        return 0
    forget_edited(engine, municipality)
    done = 0
    for batch in unsearchable(engine, municipality).pages(_BATCH):
        save_searchable(
            engine,
            [
                Searchable(
                    item.manifestation_id,
                    item.text_hash,
                    " ".join(stems_of(reading(item.title, item.text))),
                )
                for item in batch
            ],
        )
        done += len(batch)
    return done


def index_labels(engine: Engine, basis: Basis) -> int:
    """Let indexed texts be listed by their labels; return how many were new or have changed."""
    return keep_facets(engine, basis)


def basis_of(
    engine: Engine, run: Run | RunRow, municipality: Municipality, taxonomy: Taxonomy
) -> Basis:
    """Return by what a run counted, with the lenses as they are configured now."""
    return Basis(
        municipality=municipality.code,
        window=Window(run.window_from, run.window_to, municipality.zone),
        model_version=run.model_version or "",
        taxonomy_version=run.taxonomy_version,
        gazetteer=gazetteer_of(engine, run.id),
        lenses=identifier(lenses_of(municipality, taxonomy)),
    )
