"""``ward token``: by what programs and walls come in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ward.cli.common import opened, plain_errors, record, say, settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="Tokens by which programs, and screens on the wall, come in. People: see `ward user`.\n\n"
    "A screen on the wall: `ward token create --role kiosk --name 'Wall 6A' --ward 6A` prints a link; opened "
    "there once, it shows the board until the token is revoked, and nobody can do anything with it.",
)
TokenId = Annotated[str, typer.Argument(help="The token's id, as `ward token list` shows it.")]


@app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="nurse, clinician, admin, integration or kiosk")],
    name: Annotated[str, typer.Option(help="Whose it is, as the log will call them.")],
    ward: Annotated[
        list[str] | None, typer.Option(help="Only this ward; may be repeated. A nurse and a kiosk need one.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="Of an integration: only this; may be repeated. read, read:alerts, read:vitals, read:rules, "
            "read:devices, events, write:observations, admit, monitor"
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Valid for so many days; by default until revoked.", min=0.001)
    ] = None,
) -> None:
    """Print a new token, once: only its hash is kept."""
    from ward.clock import wall_ms
    from ward.web.identity import create_token

    with plain_errors():
        database, now = opened(), wall_ms()
        expires = None if days is None else now + round(days * 86_400_000)
        token, secret = create_token(
            database, name=name, role=role, wards=ward, scopes=scope or None, expires=expires, now=now
        )
        said = {"name": name, "role": role, "wards": token.wards, "scopes": token.scopes}
        record(database, "token.create", f"token:{token.id}", **said)
        typer.echo(secret)
        if role == "kiosk":
            print_link(database, token.id)


@app.command("list")
def token_list() -> None:
    """Every token: id, name, role, wards, scopes, and whether it is valid. Never the secret."""
    from ward.clock import iso, wall_ms
    from ward.store.access import list_tokens

    with plain_errors(), opened().connect() as connection:
        now = wall_ms()
        for token in list_tokens(connection):
            wards = "all wards" if token.wards is None else ",".join(token.wards)
            scopes = "all scopes" if token.scopes is None else ",".join(token.scopes)
            state = "valid"
            if token.revoked is not None:
                state = f"revoked {iso(token.revoked)}"
            elif token.expires is not None:
                state = f"{'expired' if token.expires <= now else 'valid until'} {iso(token.expires)}"
            typer.echo("\t".join((token.id, token.name, token.role, wards, scopes, state)))


@app.command("revoke")
def token_revoke(token: TokenId) -> None:
    """At once; browsers and screens that came in with it are logged out."""
    from ward.clock import wall_ms
    from ward.store.access import revoke_token

    with plain_errors():
        database = opened()
        with database.begin() as tx:
            revoke_token(tx, token, wall_ms())
        record(database, "token.revoke", f"token:{token}")


@app.command("link")
def token_link(token: TokenId) -> None:
    """Print a link that logs one browser in, once, within an hour: for the screen on the wall."""
    with plain_errors():
        database = opened()
        print_link(database, token, to_screen=False)
        record(database, "token.link", f"token:{token}")


def print_link(database: Any, token: str, *, to_screen: bool = True) -> None:
    from ward.clock import wall_ms
    from ward.web.doors import address_of
    from ward.web.identity import create_link

    link = f"{address_of(settings_of())}/login?code={create_link(database, token, wall_ms())}"
    if to_screen:
        say(f"ward: open this once on the screen, within an hour: {link}")
    else:
        typer.echo(link)
