"""Users of the dashboard and keys of programs; what is done to them is written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from models.access_tables import ApiKeyRow, UserRow
from models.errors import InputError
from models.tables import AuditRow
from pipelines.store.engine import explained, writing


@dataclass(frozen=True, slots=True)
class User:
    """A user as stored; ``epoch`` is what a session must have been opened in."""

    name: str
    role: str
    password_hash: str
    epoch: int
    disabled: bool
    created_at: datetime


_FIELDS = (
    UserRow.name,
    UserRow.role,
    UserRow.password_hash,
    UserRow.epoch,
    UserRow.disabled,
    UserRow.created_at,
)


def has_users(engine: Engine) -> bool:
    """Say whether anybody was ever added, disabled ones included."""
    with explained(engine), engine.connect() as connection:
        return bool(connection.execute(select(func.count()).select_from(UserRow)).scalar_one())


def list_users(engine: Engine) -> list[User]:
    """Return all users by name."""
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(select(*_FIELDS).order_by(UserRow.name))
        return [User(*row) for row in rows]


def find_user(engine: Engine, name: str) -> User | None:
    """Return a user, disabled or not."""
    with explained(engine), engine.connect() as connection:
        row = connection.execute(select(*_FIELDS).where(UserRow.name == name)).one_or_none()
    return None if row is None else User(*row)


def user_of_key(engine: Engine, digest: str) -> User | None:
    """Return whose key it is, while neither the key is revoked nor the user disabled."""
    query = (
        select(*_FIELDS)
        .join(ApiKeyRow, ApiKeyRow.user == UserRow.name)
        .where(
            ApiKeyRow.digest == digest,
            ApiKeyRow.revoked_at.is_(None),
            UserRow.disabled.is_(False),
        )
    )
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else User(*row)


def add_user(engine: Engine, name: str, role: str, password_hash: str, actor: str) -> None:
    """Add a user.

    Raises:
        InputError: there is one of that name.
    """
    with writing(engine) as connection:
        if connection.execute(select(UserRow.name).where(UserRow.name == name)).one_or_none():
            raise InputError(
                f"There is a user {name} already; `manifiesta users password` changes the password."
            )
        connection.execute(
            insert(UserRow).values(
                name=name,
                role=role,
                password_hash=password_hash,
                epoch=1,
                disabled=False,
                created_at=datetime.now(UTC),
            )
        )
        _note(connection, actor, "user added", {"user": name, "role": role})


def change_user(
    engine: Engine, name: str, changes: Mapping[str, Any], action: str, actor: str
) -> None:
    """Change a user's row and end the sessions that were opened before.

    Raises:
        InputError: there is no such user.
    """
    with writing(engine) as connection:
        done = connection.execute(
            update(UserRow).where(UserRow.name == name).values(epoch=UserRow.epoch + 1, **changes)
        )
        if not done.rowcount:
            raise InputError(f"There is no user {name}. `manifiesta users list` shows them.")
        _note(connection, actor, action, {"user": name})


def add_key(engine: Engine, name: str, digest: str, hint: str, actor: str) -> None:
    """Keep a new key of a user."""
    with writing(engine) as connection:
        connection.execute(
            insert(ApiKeyRow).values(
                digest=digest, hint=hint, user=name, created_at=datetime.now(UTC)
            )
        )
        _note(connection, actor, "key added", {"user": name, "key": hint})


def revoke_key(engine: Engine, hint: str, actor: str) -> None:
    """Let a key open nothing from now on.

    Raises:
        InputError: there is no such key in use.
    """
    with writing(engine) as connection:
        done = connection.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.hint == hint, ApiKeyRow.revoked_at.is_(None))
            .values(revoked_at=datetime.now(UTC))
        )
        if not done.rowcount:
            raise InputError(f"There is no key in use that begins with {hint}.")
        _note(connection, actor, "key revoked", {"key": hint})


def note(engine: Engine, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    """Write down what somebody did or tried."""
    with writing(engine) as connection:
        _note(connection, actor, action, detail)


def _note(connection: Connection, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    connection.execute(
        insert(AuditRow).values(
            at=datetime.now(UTC), actor=actor, action=action, municipality="", detail=dict(detail)
        )
    )
