"""What the commands share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from ward.errors import WardError

if TYPE_CHECKING:
    from ward.config import Settings


def say(text: str) -> None:
    """To standard error: standard output is for results."""
    typer.echo(text, err=True)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """What a user did wrong is told in a line, without a trace."""
    try:
        yield
    except WardError as error:
        say(f"ward: {error.detail}")
        raise typer.Exit(2) from None


def settings_of(**given: Any) -> Settings:
    from ward.config import load_settings

    return load_settings(**given)[0]
