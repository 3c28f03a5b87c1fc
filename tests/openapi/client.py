"""``make client``: the dashboard's types of the API, from its description.

Only what a type can say is kept of it: paths, parameters, bodies, answers that are a success. The file names
the description that it was made of, so that a test can see without Node whether it is up to date.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.web.fake import FakeService
from ward.store.database import migrate, open_database
from ward.web.app import create_app

Json = dict[str, Any]

UI: Final = Path(__file__).parents[2] / "ward/web/ui"
TYPES: Final = UI / "src/lib/api-types.ts"
BASE: Final = "/api/v1/"
REF: Final = "#/components/schemas/"
METHODS: Final = ("get", "put", "post", "patch", "delete")
TYPING: Final = ("type", "enum", "const", "required", "format", "$ref")
"""What of a schema decides about a type, besides the schemas within it."""
EMPTY: Final = re.compile(
    r"^ +\w+\?: never;\n|^ +headers: \{\n +\[name: string\]: unknown;\n +\};\n|^ +parameters: \{\n +\};\n",
    re.M,
)
"""What the tool says of what there is not: a third of its lines."""
HEAD: Final = "/** What the API takes and gives. Made by `make client` of its description {}, as {}. */\n"


def described() -> Json:
    """The description of the API, without a service behind it."""
    with tempfile.TemporaryDirectory(prefix="ward-client-") as folder:
        engine = open_database(f"sqlite:///{folder}/ward.db")
        migrate(engine)
        made: Json = create_app(FakeService(engine)).openapi()
        engine.dispose()
    return made


def typed(description: Json) -> Json:
    """What the types need of it. Paths lose their base, as the dashboard knows it."""
    paths = {
        path.removeprefix(BASE): {m: _operation(one[m]) for m in METHODS if m in one}
        for path, one in description["paths"].items()
        if path.startswith(BASE)
    }
    schemas = {name: _schema(one) for name, one in description["components"]["schemas"].items()}
    wanted: set[str] = set()
    new = set(_references(paths))
    while new:
        wanted |= new
        new = {name for one in new for name in _references(schemas[one])} - wanted
    return {
        "openapi": description["openapi"],
        "info": {"title": "ward", "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": {name: schemas[name] for name in sorted(wanted)}},
    }


def _operation(operation: Json) -> Json:
    kept: Json = {
        "parameters": [
            {
                "name": one["name"],
                "in": one["in"],
                "required": one.get("required", False),
                "schema": _schema(one["schema"]),
            }
            for one in operation.get("parameters", ())
            if one["in"] in ("path", "query")
        ],
        "responses": {
            status: {"description": "", **_content(one)}
            for status, one in operation["responses"].items()
            if status.startswith("2")
        },
    }
    if "requestBody" in operation:
        kept["requestBody"] = {
            "required": operation["requestBody"].get("required", False),
            **_content(operation["requestBody"]),
        }
    return kept


def _content(holder: Json) -> Json:
    found = holder.get("content", {}).get("application/json")
    return {"content": {"application/json": {"schema": _schema(found["schema"])}}} if found else {}


def _schema(schema: Json) -> Json:
    kept: Json = {name: schema[name] for name in TYPING if name in schema}
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if name in schema:
            kept[name] = [_schema(one) for one in schema[name]]
    if "properties" in schema:
        kept["properties"] = {name: _schema(one) for name, one in schema["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in schema:
            kept[name] = _schema(schema[name]) if isinstance(schema[name], dict) else schema[name]
    return kept


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            yield ref.removeprefix(REF)
        for one in node.values():
            yield from _references(one)
    elif isinstance(node, list):
        for one in node:
            yield from _references(one)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of(wanted: Json) -> str:
    return digest(json.dumps(wanted, sort_keys=True))


def generate(wanted: Json) -> str:
    """The file, by openapi-typescript."""
    path = os.pathsep.join((str(UI / "node_modules/.bin"), os.environ.get("PATH", "")))
    tool = shutil.which("openapi-typescript", path=path)
    if tool is None:
        sys.exit(f"ward: openapi-typescript is missing: `npm ci` in {UI}")
    with tempfile.TemporaryDirectory(prefix="ward-client-") as folder:
        source = Path(folder) / "openapi.json"
        source.write_text(json.dumps(wanted))
        asked = [tool, str(source), "--output", f"{folder}/types.ts"]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
        made = (Path(folder) / "types.ts").read_text()
    body = EMPTY.sub("", made[made.index("export interface paths") :])
    return HEAD.format(digest_of(wanted), digest(body)) + "\n" + body


if __name__ == "__main__":
    TYPES.write_text(generate(typed(described())))
    print(f"ward: wrote {TYPES.relative_to(Path.cwd())}")
