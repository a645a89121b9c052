"""Passwords and keys: how they are made, kept and checked.

Passwords are hashed with Argon2id at the library's parameters (RFC 9106, low-memory profile).
"""

import re
import secrets
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine

from models.access_tables import ROLES
from models.errors import InputError
from pipelines.store.users import User, add_key, add_user, change_user, find_user, user_of_key

SHORTEST = 12
_LONGEST = 200
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,59}$")
_ELSEWHERE = "oidc "
_PROVIDER = "oidc"
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_hex(16))  # so that an unknown name takes as long as a known


def add(engine: Engine, name: str, role: str, password: str, actor: str) -> None:
    """Add a user.

    Raises:
        InputError: name, role or password will not do, or the name is taken.
    """
    if not _NAME.match(name):
        raise InputError("A user's name has up to 60 letters, digits and . _ @ - and no spaces.")
    if role not in ROLES:
        raise InputError(f"There is no role «{role}». There are: {', '.join(ROLES)}.")
    add_user(engine, name, role, _hashed(password), actor)


def set_password(engine: Engine, name: str, password: str, actor: str) -> None:
    """Change a password; all sessions of the user end."""
    change_user(
        engine,
        name,
        {"password_hash": _hashed(password), "disabled": False},
        "password changed",
        actor,
    )


def disable(engine: Engine, name: str, actor: str) -> None:
    """Shut a user out; all sessions and keys of the user end."""
    change_user(engine, name, {"disabled": True}, "user disabled", actor)


def let_in(engine: Engine, name: str, role: str, identity: str) -> User:
    """Return the user of an identity that a provider vouches for, as its groups make them now.

    The first time the user is added. Where the hash of a password stands for others stands the
    identity, which is no password's hash: nobody signs in here by it.

    Args:
        engine: the database.
        name: what the provider calls the person.
        role: what the person may do by the provider's groups.
        identity: issuer and subject, which never pass to another person.

    Raises:
        InputError: the name will not do, is another's, or was disabled here.
    """
    if not _NAME.match(name):
        raise InputError(f"«{name[:80]}» is no name of a user: see `manifiesta users add --help`.")
    mark = f"{_ELSEWHERE}{identity}"
    user = find_user(engine, name)
    if user is None:
        add_user(engine, name, role, mark, _PROVIDER)
    elif user.password_hash != mark:
        raise InputError(f"The name {name} is another user's here.")
    elif user.disabled:
        raise InputError(f"The user {name} is disabled here.")
    elif user.role != role:
        change_user(engine, name, {"role": role}, f"role changed to {role}", _PROVIDER)
    found = find_user(engine, name)
    if found is None:
        raise InputError(f"The user {name} was removed meanwhile.")
    return found


def authenticate(engine: Engine, name: str, password: str) -> User | None:
    """Return the user whose name and password these are; a wrong name takes no less time."""
    user = find_user(engine, name) if _NAME.match(name) else None
    known = _NOBODY if user is None else user.password_hash
    try:
        _HASHER.verify(known, password[:_LONGEST])
    except (VerificationError, InvalidHashError):
        return None
    return None if user is None or user.disabled else user


def make_key(engine: Engine, name: str, actor: str) -> str:
    """Make a key of a user and return it: it is not shown again.

    Raises:
        InputError: there is no such user, or the user is disabled.
    """
    user = find_user(engine, name)
    if user is None or user.disabled:
        raise InputError(f"There is no active user {name}. `manifiesta users list` shows them.")
    key = f"mf_{secrets.token_urlsafe(32)}"
    add_key(engine, name, _digest(key), key[:10], actor)
    return key


def owner_of(engine: Engine, key: str) -> User | None:
    """Return whose key it is, while it opens anything."""
    return user_of_key(engine, _digest(key))


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= _LONGEST:
        raise InputError(f"A password has {SHORTEST} to {_LONGEST} characters.")
    return _HASHER.hash(password)
