"""What each model that counted said of itself, kept beside what it counted."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from models.operations_tables import ModelVersionRow
from pipelines.store.engine import explained, writing

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model's version, with the manifest that was read beside its weights."""

    version: str
    licence: str
    manifest: Mapping[str, Any]
    kept_at: datetime


def keep_model(engine: Engine, version: str, manifest: Mapping[str, Any]) -> None:
    """Keep what a model says of itself; one with other files under the same name is not kept.

    Scores may be measured later than the weights were made: the same files may say more.
    """
    with writing(engine) as connection:
        known = kept_model(connection, version)
        if known is not None and known.manifest == manifest:
            return
        if known is not None and known.manifest["files"] != manifest["files"]:
            _LOG.warning(
                "The model %s has other files than when it was first used: name it anew. What is "
                "kept of it is what it said then.",
                version,
            )
            return
        connection.execute(delete(ModelVersionRow).where(ModelVersionRow.version == version))
        values = {"version": version, "licence": manifest["licence"], "manifest": dict(manifest)}
        connection.execute(insert(ModelVersionRow).values(**values, kept_at=datetime.now(UTC)))


def kept_model(connection: Connection, version: str | None) -> KeptModel | None:
    """Return what is kept of a version; None where nothing is, as of what older software ran."""
    row = ModelVersionRow
    query = select(row.version, row.licence, row.manifest, row.kept_at)
    found = connection.execute(query.where(row.version == version)).one_or_none()
    return None if found is None else KeptModel(*found)


def kept_models(engine: Engine) -> list[KeptModel]:
    """Return what is kept of every version, the newest first."""
    row = ModelVersionRow
    query = select(row.version, row.licence, row.manifest, row.kept_at)
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(query.order_by(row.kept_at.desc(), row.version))
        return [KeptModel(*found) for found in rows]
