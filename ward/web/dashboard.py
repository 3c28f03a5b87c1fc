"""The dashboard's files, built by Vite into the package. They hold no data and need no credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response

from ward.web import docs

FOLDER: Final = Path(__file__).parent / "ui_dist"

MISSING: Final = """
The dashboard is not part of this installation: its files are built when the package is.

In a source tree, `pip install -e .` or `make setup` builds them (Node is found or fetched by pip); then \
start the service again. The API works without it.
"""


def paths(folder: Path) -> list[str]:
    """What may be read without credentials: exactly the files that are there."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return ["/", *(f"/{file}" for file in sorted(files))]


def install(app: FastAPI, folder: Path) -> None:
    if (folder / "index.html").is_file():
        app.frontend("/", directory=folder, fallback=None)
        return

    @app.get("/", include_in_schema=False)
    async def missing() -> Response:
        return HTMLResponse(docs.page("ward", docs.text(MISSING)))
