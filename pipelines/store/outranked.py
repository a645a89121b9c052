"""The labels that count, in SQL: a person's newest where there is one, else the model's."""

from sqlalchemy import ColumnElement, Label, ScalarSelect, and_, func, select

from models.tables import ClassificationRow, CorrectionRow

_LABEL = ClassificationRow


def given(task: str) -> ScalarSelect[str | None]:
    """Return a person's newest label of a classified text: category, sentiment or intent."""
    row, label = CorrectionRow, getattr(CorrectionRow, task)
    return (
        select(label)
        .where(
            row.manifestation_id == _LABEL.manifestation_id,
            row.text_hash == _LABEL.text_hash,
            label.is_not(None),
        )
        .order_by(row.id.desc())
        .limit(1)
        .correlate(_LABEL)
        .scalar_subquery()
    )


def counting(task: str) -> Label[str]:
    """Return the label that is counted: a person's outranks the model's."""
    label: ColumnElement[str] = func.coalesce(given(task), getattr(_LABEL, task))
    return label.label(task)


def unsure() -> Label[bool]:
    """Say whether nobody is sure of the category: whom a person has read is not unsure."""
    return and_(_LABEL.abstained, given("category").is_(None)).label("abstained")
