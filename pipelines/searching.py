"""Make the stored texts ready to be searched."""

from sqlalchemy import Engine

from nlp.stems import stems_of
from pipelines.classify import reading
from pipelines.store.search import is_searchable, unsearchable
from pipelines.store.searchable import Searchable, save_searchable

_BATCH = 2_000


def index_texts(engine: Engine, municipality: str) -> int:
    """Index the municipality's texts that are new or were edited since; return how many."""
    if is_searchable(engine, municipality):
        return 0
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
