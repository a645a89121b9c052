"""Who may open the dashboard, and which programs may read its tables."""

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.records import Role
from models.tables import Base

ROLES: Final = tuple(role.value for role in Role)
"""Each may do what those before it may: look, export and compare, correct labels, manage."""


class UserRow(Base):
    """Somebody who signs in to the dashboard."""

    __tablename__ = "dashboard_user"
    __table_args__ = {"comment": "Somebody who signs in to the dashboard."}

    name: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment="What the person signs in with; a code will do."
    )
    role: Mapped[str] = mapped_column(
        String(20), comment="viewer, analyst, reviewer or admin; each may do what the former may."
    )
    password_hash: Mapped[str] = mapped_column(Text, comment="Argon2id hash of the password.")
    epoch: Mapped[int] = mapped_column(
        comment="Raised when the password changes or the user is disabled: older sessions end."
    )
    disabled: Mapped[bool] = mapped_column(comment="True where the user may no longer sign in.")
    created_at: Mapped[datetime] = mapped_column(comment="When the user was added.")


class ApiKeyRow(Base):
    """By what a program reads the tables in somebody's name."""

    __tablename__ = "api_key"
    __table_args__ = {"comment": "By what a program reads the tables in somebody's name."}

    digest: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of the key; the key itself is not kept."
    )
    hint: Mapped[str] = mapped_column(
        String(12), unique=True, comment="How the key begins, to tell it from others."
    )
    user: Mapped[str] = mapped_column(
        ForeignKey("dashboard_user.name", ondelete="CASCADE"), comment="Whose key it is."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When it was made.")
    revoked_at: Mapped[datetime | None] = mapped_column(comment="Since when it opens nothing.")
