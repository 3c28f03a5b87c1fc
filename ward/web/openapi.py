"""The OpenAPI description: who may call what, every problem, and an example of every body."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from ward import __version__
from ward.web.access import CAPABILITIES, COOKIE, api_routes, guards
from ward.web.schemas.common import EXAMPLE_TIME, Problem

Json = dict[str, Any]

REF: Final = "#/components/schemas/"
DESCRIPTION: Final = f"""An open alarm system for hospital wards.

Times are RFC 3339, such as `{EXAMPLE_TIME}`; answers use UTC with milliseconds. Lists have `items` and \
`next`, the `cursor` of the following page or null. Errors are problem details (RFC 9457) with a stable \
`type`. Within v1, fields may be added and none changes its meaning.

Send `Authorization: Bearer ward_…`, or log a browser in with `POST /api/v1/session` and send \
`X-Ward-Request: 1` with each change. Changes may carry an `Idempotency-Key`."""

TAGS: Final = (
    ("stays", "Admissions: one patient's monitored time on a ward, with bed, devices and flags."),
    ("observations", "What a person saw or measured."),
    ("history", "Stored readings and scores."),
    ("alerts", "What was raised, what is pending, and what is done about it."),
    ("rules", "Thresholds: in force where, every version, trials over history."),
    ("devices", "What is out there, what is nobody's, what was refused."),
    ("events", "The stream that keeps a dashboard live."),
    ("access", "Logging in, and tokens."),
    ("operations", "For who runs the service."),
)


def operation_id(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'ward'}-{route.name.rstrip('_').replace('_', '-')}"


def describe(app: FastAPI) -> Json:
    """The description of ``app``, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title="ward",
            version=__version__,
            description=DESCRIPTION,
            routes=app.routes,
            tags=[{"name": name, "description": text} for name, text in TAGS],
        )
        schemas = schema["components"]["schemas"]
        _, problems = models_json_schema([(Problem, "serialization")], ref_template=REF + "{model}")
        schemas.update(problems["$defs"])
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "`ward token create`"},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": COOKIE,
                "description": "`POST /api/v1/session`",
            },
        }
        _say_who(app, schema)
        for operation in operations(schema):
            for body in bodies(operation):
                if "schema" in body and "example" not in body:
                    body["example"] = sample(body["schema"], schemas)
        app.openapi_schema = schema
    return app.openapi_schema


def operations(schema: Json) -> list[Json]:
    return [operation for path in schema["paths"].values() for operation in path.values()]


def bodies(operation: Json) -> list[Json]:
    """The JSON bodies of an operation: the request's and each answer's."""
    holders = [operation.get("requestBody", {}), *operation["responses"].values()]
    return [
        holder["content"]["application/json"]
        for holder in holders
        if "application/json" in holder.get("content", {})
    ]


def _say_who(app: FastAPI, schema: Json) -> None:
    for route in api_routes(app):
        needed = guards(route)
        for method in route.methods or ():
            operation = schema["paths"].get(route.path, {}).get(method.lower())
            if operation is None:
                continue
            operation["security"] = [{"token": []}, {"session": []}] if needed else []
            roles = sorted(frozenset.intersection(*(CAPABILITIES[name] for name in needed))) if needed else []
            operation["x-roles"] = roles
            who = f"Roles: {', '.join(roles)}." if needed else "Needs no credentials."
            operation["description"] = f"{operation['description']}\n\n{who}"


def sample(schema: Json, schemas: Json, depth: int = 0) -> Any:
    """An example that fits a schema: its own first example where it has one, else made of its parts."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].removeprefix(REF)], schemas, depth + 1)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        return (
            None
            if depth > 8 or ("default" in schema and not _has_example(options[0]))
            else sample(options[0], schemas, depth)
        )
    return _of_type(schema, schemas, depth)


def _has_example(schema: Json) -> bool:
    return bool(schema.get("examples"))


def _of_type(schema: Json, schemas: Json, depth: int) -> Any:
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: sample(part, schemas, depth + 1) for name, part in schema["properties"].items()}
        case "object":
            values = schema.get("additionalProperties")
            return {"hr": sample(values, schemas, depth + 1)} if isinstance(values, dict) else {}
        case "array":
            return [sample(schema["items"], schemas, depth + 1)] if schema.get("items") else []
        case "string":
            return EXAMPLE_TIME if schema.get("format") == "date-time" else "…"
        case "integer":
            return schema.get("minimum", schema.get("default", 1))
        case "number":
            return schema.get("minimum", schema.get("default", 1.0))
        case "boolean":
            return schema.get("default", True)
    return None
