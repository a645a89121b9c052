"""Verbs for who may open the dashboard: users add, list, disable, password, key, revoke."""

import sys
from typing import Annotated

import typer

from flows.commands.options import Json, print_json
from models.records import Role

Name = Annotated[str, typer.Argument(help="What the person signs in with; a code will do.")]
Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    users = typer.Typer(no_args_is_help=True, help="Who may open the dashboard.")
    users.command("add", epilog="Example: manifiesta users add rosa --role viewer")(add_one)
    users.command("list", epilog="Example: manifiesta users list")(list_all)
    users.command("disable", epilog="Example: manifiesta users disable rosa")(disable_one)
    users.command("password", epilog="Example: manifiesta users password rosa")(set_new_password)
    users.command("key", epilog="Example: manifiesta users key rosa")(make_one_key)
    users.command("revoke", epilog="Example: manifiesta users revoke mf_AbCdEfG")(revoke_one_key)
    app.add_typer(users, name="users")


def add_one(name: Name, role: Role = Role.VIEWER, password_stdin: Stdin = False) -> None:
    """Add a user; the password is asked for."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.accounts import add
    from pipelines.store.audit import actor

    engine = open_store(Settings.load()).engine
    add(engine, name, role.value, _password(stdin=password_stdin), actor())
    typer.echo(f"User {name} added as {role}.")


def list_all(as_json: Json = False) -> None:
    """List the users with their roles."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.store.users import list_users

    users = list_users(open_store(Settings.load()).engine)
    if as_json:
        print_json(
            [
                {"name": u.name, "role": u.role, "disabled": u.disabled, "since": u.created_at}
                for u in users
            ]
        )
        return
    for user in users:
        typer.echo(f"{user.name}\t{user.role}{' (disabled)' if user.disabled else ''}")
    if not users:
        typer.echo("No users yet: the dashboard answers this machine alone. `manifiesta users add`")


def disable_one(name: Name) -> None:
    """Shut a user out: sessions and keys end at once."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.accounts import disable
    from pipelines.store.audit import actor

    disable(open_store(Settings.load()).engine, name, actor())
    typer.echo(f"User {name} is disabled; `manifiesta users password {name}` lets them in again.")


def set_new_password(name: Name, password_stdin: Stdin = False) -> None:
    """Give a user a new password: open sessions end, and a disabled user may sign in again."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.accounts import set_password
    from pipelines.store.audit import actor

    engine = open_store(Settings.load()).engine
    set_password(engine, name, _password(stdin=password_stdin), actor())
    typer.echo(f"The password of {name} is changed.")


def make_one_key(name: Name) -> None:
    """Make a key by which a program reads the tables in a user's name; it is shown once."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.accounts import make_key
    from pipelines.store.audit import actor

    typer.echo(make_key(open_store(Settings.load()).engine, name, actor()))


def revoke_one_key(
    hint: Annotated[str, typer.Argument(help="The first ten characters of the key.")],
) -> None:
    """Let a key open nothing any more."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.store.audit import actor
    from pipelines.store.users import revoke_key

    revoke_key(open_store(Settings.load()).engine, hint[:10], actor())
    typer.echo(f"The key {hint[:10]}… opens nothing any more.")


def _password(*, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return found
