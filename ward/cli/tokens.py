"""``ward token``: by what programs come in."""

from __future__ import annotations

from typing import Annotated

import typer

from ward.cli.common import by_hand, plain_errors, settings_of

app = typer.Typer(no_args_is_help=True, help="Tokens by which people and programs come in.")


@app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="nurse, clinician, admin or integration")],
    name: Annotated[str, typer.Option(help="Whose it is, as the log will call them.")],
    ward: Annotated[
        list[str] | None, typer.Option(help="Only this ward; may be repeated. A nurse needs one.")
    ] = None,
    days: Annotated[
        float | None, typer.Option(help="Valid for so many days; by default until revoked.", min=0.001)
    ] = None,
) -> None:
    """Print a new token, once: only its hash is kept."""
    from ward.clock import wall_ms
    from ward.config import prepare_data_dir
    from ward.store.audit import append
    from ward.store.database import migrate, open_database
    from ward.web.identity import create_token

    with plain_errors():
        settings = settings_of()
        if settings.database_url is None:
            prepare_data_dir(settings.data_dir)
        database = open_database(settings.database)
        migrate(database)
        now = wall_ms()
        expires = None if days is None else now + round(days * 86_400_000)
        token, secret = create_token(database, name=name, role=role, wards=ward, expires=expires, now=now)
        said = {"name": name, "role": role, "wards": token.wards}
        with database.begin() as tx:
            append(tx, [by_hand("token.create", object=f"token:{token.id}", detail=said)])
        typer.echo(secret)
