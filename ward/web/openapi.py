"""The OpenAPI description: who may call what, every problem, and an example of every body."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from ward import __version__
from ward.web.access import CAPABILITIES, COOKIE, api_routes, guards
from ward.web.describe import problem_answer
from ward.web.schemas.common import EXAMPLE_TIME, Problem

Json = dict[str, Any]

REF: Final = "#/components/schemas/"
DESCRIPTION: Final = f"""An open alarm system for hospital wards.

Times are RFC 3339, such as `{EXAMPLE_TIME}`; answers use UTC with milliseconds. Lists have `items` and \
`next`, the `cursor` of the following page or null. Errors are problem details (RFC 9457) with a stable \
`type`. Within v1, fields may be added and none changes its meaning.

Send `Authorization: Bearer ward_…`, or log a browser in with `POST /api/v1/session` and send \
`X-Ward-Request: 1` with each change. Changes may carry an `Idempotency-Key`."""

EXAMPLES: Final = {
    "id": "0b6c1a52-6d0b-5c0e-9d5c-3f0b8f3e7a11",
    "rule_id": "spo2-below-88",
    "rule": "spo2-below-88",
    "stay": "01jd6qk2",
    "ward": "6A",
    "bed": "12",
    "device": "mon-12",
    "by": "Ward 6A, night",
    "name": "Ward 6A, night",
    "kind": "raised",
    "scope": "ward:6A",
    "reason": "spike",
    "detail": "readings.hx: no such signal",
    "payload": '{"readings": {"hx": 82}}',
    "message": "Input should be less than or equal to 60",
    "flags": "copd",
    "unless": "copd",
    "inhibits": "spo2-below-92",
    "clear_when": "spo2 >= 90",
    "evidence": "Table T3 of the trial",
    "titles": "SpO2 under 88 % i 10 min",
}
"""Where a text has no example of its own: a name means the same everywhere."""

SHOWN: Final = frozenset({"stay", "ward", "bed", "time", "value", "quality", "device", "since"})
"""Which of the fields that may be null are not null in examples, though they have none of their own."""

TAGS: Final = (
    ("stays", "Admissions: one patient's monitored time on a ward, with bed, devices and flags."),
    ("observations", "What a person saw or measured."),
    ("history", "Stored readings and scores."),
    ("alerts", "What was raised, what is pending, and what is done about it."),
    ("notices", "How alerts reach people: channels, test alerts, and how long it took."),
    ("rules", "Thresholds: in force where, every version, trials over history."),
    ("recordings", "Files that rules can be tried over."),
    ("sounds", "Which of a ward's screens makes the sounds."),
    ("packs", "Sets of rules: those that come with ward, what is in force, whether one is valid."),
    ("drafts", "Changes of rules that one person proposes and another approves."),
    ("plans", "Care plans: who is told of an alert, when, through what; who is on duty."),
    ("shift", "Who has which patient; the handover of a shift; the downtime sheet."),
    ("reports", "What alerts were worth by those who took them, and whether wards still are what they were."),
    ("wards", "Wards with their beds, and devices before they are attached."),
    ("devices", "What is out there, what is nobody's, what was refused."),
    ("events", "The stream that keeps a dashboard live."),
    ("access", "Logging in, and tokens."),
    ("audit", "Who saw and did what."),
    ("protection", "All that is kept of one patient: to be given to her, or erased."),
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
            servers=[{"url": app.state.root}] if app.state.root else None,
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
            if "requestBody" in operation:  # what is no text at all
                operation["responses"].setdefault("400", problem_answer(400))
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


def sample(schema: Json, schemas: Json, name: str = "") -> Any:
    """An example that fits a schema: its own where it has one, else that of its name, else of its parts."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].removeprefix(REF)], schemas, name)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if name in EXAMPLES and schema.get("type") == "string":
        return EXAMPLES[name]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        first = schema["anyOf"][0]
        return sample(first, schemas, name) if name in SHOWN or "$ref" in first else None
    return _of_type(schema, schemas, name)


def _of_type(schema: Json, schemas: Json, name: str) -> Any:
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {key: sample(part, schemas, key) for key, part in schema["properties"].items()}
        case "object":
            values = schema.get("additionalProperties")
            key = schema.get("propertyNames", {}).get("enum", ["hr"])[0]
            return {key: sample(values, schemas, name)} if isinstance(values, dict) else {}
        case "array":
            return [sample(schema["items"], schemas, name)] if schema.get("items") else []
        case "string":
            return EXAMPLE_TIME if schema.get("format") == "date-time" else "text"
        case "integer" | "number":
            return schema.get("minimum", schema.get("default", 1))
        case "boolean":
            return schema.get("default", True)
    return None
