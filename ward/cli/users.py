"""``ward user``: people who log in."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from ward.cli.common import opened, plain_errors, record, say

app = typer.Typer(
    no_args_is_help=True,
    help="People who log in with a user name.\n\n"
    "There is none at first: `ward user add me --role admin` makes one. A password is asked for, or read "
    "from standard input; it is never an argument, which others on this machine could see.",
)
Login = Annotated[str, typer.Argument(help="The user name; its case does not matter.")]
Role = Annotated[str, typer.Option(help="nurse, clinician or admin")]
Wards = Annotated[
    list[str] | None, typer.Option("--ward", help="Only this ward; may be repeated. A nurse needs one.")
]


@app.command("add")
def user_add(
    login: Login,
    role: Role,
    name: Annotated[str, typer.Option(help="As colleagues know her; by default the user name.")] = "",
    ward: Wards = None,
    code: Annotated[
        bool, typer.Option("--code", help="Print a one-time code instead, with which she sets her password.")
    ] = False,
) -> None:
    """Make a user. Her password is asked for, or read from standard input."""
    from ward.clock import wall_ms
    from ward.web import people
    from ward.web.passwords import Passwords, require_good

    with plain_errors():
        people.require_wards(role, ward)
        password = None if code else ask_password(login, name)
        if password is not None:
            require_good(password, login, name)
        hashed = None if password is None else Passwords().hash_now(password)
        database = opened()
        user = people.create_user(
            database, login=login, name=name, role=role, wards=ward, now=wall_ms(), hashed=hashed
        )
        record(database, "user.add", f"user:{user.id}", login=user.login, role=role, wards=user.wards)
        if code:
            print_code(database, user.id)
        say(f"ward: {user.login} may log in as {role}" + (" with the code above" if code else ""))


@app.command("list")
def user_list() -> None:
    """Every user: name, role, wards, and whether she may log in."""
    from ward.clock import iso
    from ward.store import people

    with plain_errors(), opened().connect() as connection:
        cursor = None
        while True:
            page = people.list_users(connection, cursor=cursor, limit=500)
            for user in page.items:
                wards = "all wards" if user.wards is None else ",".join(user.wards)
                state = (
                    f"disabled {iso(user.disabled)}"
                    if user.disabled
                    else "hospital's log-in"
                    if user.issuer
                    else "may log in"
                    if user.password
                    else "has no password yet"
                )
                typer.echo("\t".join((user.login, user.name, user.role, wards, state)))
            if (cursor := page.next) is None:
                return


@app.command("set")
def user_set(
    login: Login,
    role: Annotated[str | None, typer.Option(help="nurse, clinician or admin")] = None,
    name: Annotated[str | None, typer.Option(help="As colleagues know her.")] = None,
    ward: Wards = None,
    all_wards: Annotated[bool, typer.Option("--all-wards", help="Every ward (not for a nurse).")] = False,
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a new password, or read it from standard input.")
    ] = False,
) -> None:
    """Change what a user may, at once, also where she is logged in; or her password."""
    from ward.clock import wall_ms
    from ward.web import people
    from ward.web.passwords import Passwords, require_good

    with plain_errors():
        database = opened()
        user = find(database, login)
        changes: dict[str, Any] = {"role": role, "name": name, "wards": ward or None}
        changes = {key: value for key, value in changes.items() if value is not None}
        if all_wards:
            changes["wards"] = None
        if changes:
            people.change_user(database, user.id, wall_ms(), **changes)
        if password:
            given = ask_password(user.login, user.name)
            require_good(given, user.login, user.name)
            people.set_password(database, user.id, Passwords().hash_now(given), wall_ms())
            changes["password"] = "set"  # noqa: S105 - a word for the trail
        record(database, "user.set", f"user:{user.id}", **changes)


@app.command("reset")
def user_reset(login: Login) -> None:
    """Take her password away, log her out everywhere, and print a one-time code to set a new one."""
    with plain_errors():
        database = opened()
        user = find(database, login)
        print_code(database, user.id)
        record(database, "user.reset", f"user:{user.id}")


@app.command("disable")
def user_disable(
    login: Login, undo: Annotated[bool, typer.Option("--undo", help="Let her in again.")] = False
) -> None:
    """Shut her out, at once and everywhere."""
    from ward.clock import wall_ms
    from ward.web import people

    with plain_errors():
        database = opened()
        user = find(database, login)
        people.change_user(database, user.id, wall_ms(), disabled=not undo)
        record(database, "user.enable" if undo else "user.disable", f"user:{user.id}")


def find(database: Any, login: str) -> Any:
    """Raises NotFoundError."""
    from ward.errors import NotFoundError
    from ward.store import people
    from ward.web.identity import login_key

    with database.connect() as connection:
        user = people.find_user(connection, login_key(login))
    if user is None:
        raise NotFoundError(f"there is no user {login!r}; `ward user list` lists them")
    return user


def print_code(database: Any, id: str) -> None:
    from ward.cli.common import settings_of
    from ward.clock import iso, wall_ms
    from ward.web import people
    from ward.web.doors import address_of

    _, secret, expires = people.reset_password(database, id, wall_ms())
    typer.echo(secret)
    say(f"ward: works once, until {iso(expires)}: {address_of(settings_of())}/#/password/{secret}")


def ask_password(login: str, name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt(f"Password for {name or login}", hide_input=True, confirmation_prompt=True))
