"""Find texts by thread, by id and by certainty, and those not yet indexed, without reading all

Revision: 0018, after 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_manifestation_municipality_id_text_hash": (
        "manifestation",
        ["municipality", "id", "text_hash"],
    ),
    "ix_manifestation_thread_id": ("manifestation", ["thread_id"]),
    "ix_classification_by_certainty": (
        "classification",
        ["model_version", "taxonomy_version", "abstained", "confidence", "manifestation_id"],
    ),
    "ix_search_text_manifestation_id_text_hash": ("search_text", ["manifestation_id", "text_hash"]),
}


def upgrade() -> None:
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
