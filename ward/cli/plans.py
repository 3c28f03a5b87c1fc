"""``ward plan``: who is told of an alert, when and through what."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from ward.cli.common import opened, plain_errors, say, settings_of

if TYPE_CHECKING:
    import httpx

    from ward.alerts.plan import Plan
    from ward.scoring.rules import Kind, Priority

app = typer.Typer(
    no_args_is_help=True,
    help="Care plans: who is told of an alert first, who next if nobody takes it, through which channel, on "
    "which shift.\n\n"
    "Write one as a TOML file (docs/escalation.md has a whole example), look at it with `check`, give it "
    "to a ward with `put`.",
)
File = Annotated[Path, typer.Argument(help="The plan, a TOML file.")]


@app.command()
def check(
    file: File,
    at: Annotated[
        str | None, typer.Option(help="Show the ways of alerts at this time, 2026-12-24T03:00:00+01:00.")
    ] = None,
    days: Annotated[int, typer.Option(help="Look so far ahead for holes in the roster.", min=1, max=366)] = 7,
    strict: Annotated[
        bool, typer.Option("--strict", help="Holes and remarks are errors (status 1).")
    ] = False,
) -> None:
    """Read a plan as the service would, show how alerts would travel, and warn of holes in the roster.

    A plan that cannot be used is refused whole (status 2), with every place and what is allowed there.
    Nothing is changed.
    """
    from ward.alerts.plan_file import load_plan
    from ward.alerts.preview import holes, remarks, samples
    from ward.clock import wall_ms
    from ward.notify.config import Parts, load_channels
    from ward.signals import HOUR

    with plain_errors():
        plan, _ = load_plan(file)
        now = wall_ms() if at is None else _moment(at)
        configured = settings_of().channels_file
        channels = load_channels(configured, Parts()) if configured else None
    for kind, priority, rule in samples(plan):
        _show_way(plan, kind, priority, rule, now)
    found = [hole.text(plan) for hole in holes(plan, now, now + days * 24 * HOUR)]
    found += remarks(plan, channels)
    for line in found:
        say(f"ward: {line}")
    typer.echo(f"{file}: may be used" + (f"; remarks: {len(found)}" if found else ""))
    if strict and found:
        raise typer.Exit(1)


def _show_way(plan: Plan, kind: Kind, priority: Priority, rule: str, at: int) -> None:
    from ward.alerts.preview import journey
    from ward.zones import clock_text

    typer.echo(f"{kind} {priority}" + (f" ({rule})" if rule else "") + f", {clock_text(plan.zone, at)}:")
    for step in journey(plan, kind, priority, rule, at):
        people = ", ".join(f"{one.name} ({one.channel})" for one in step.to)
        what = "reminder" if step.level is None else f"level {step.level}"
        holes = "; nobody on duty at level " + ", ".join(map(str, step.missed)) if step.missed else ""
        typer.echo(f"  {clock_text(plan.zone, step.at)}  {what:9} {people}{holes}")


@app.command()
def show(
    ward: Annotated[str, typer.Argument(help="Whose plan.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON instead of TOML.")] = False,
) -> None:
    """Print the plan that a ward goes by, as a file that can be changed and put back.

    Read from the database of the settings; the service need not run.
    """
    from ward.alerts.plan_text import plan_to_fields, to_toml
    from ward.live.plans import load_plans
    from ward.store.plans import plan_history

    with plain_errors():
        database = opened()
        plans, faults = load_plans(database, settings_of().plan_file)
        with database.connect() as connection:
            newest = next(iter(plan_history(connection, ward)), None)
        database.dispose()
    for fault in faults.values():
        say(f"ward: {fault}")
    own = newest is not None and newest.definition is not None and ward in plans.by_ward
    fields = plan_to_fields(plans.of(ward))
    if as_json:
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return
    whose = f"version {newest.version}, by {newest.by}" if own and newest else "the default plan"
    typer.echo(f"# ward {ward}: {whose}")
    typer.echo(to_toml(fields), nl=False)


@app.command()
def put(
    ward: Annotated[str, typer.Argument(help="Whose plan it becomes.")],
    file: File,
    url: Annotated[
        str | None, typer.Option(help="The running service; by default this machine's, by the settings.")
    ] = None,
) -> None:
    """Give a ward its plan. It applies at once; every version is kept, with who made it.

    Asks the running service, with the token in WARD_TOKEN (`ward token create --role admin --name NAME`).
    A change that somebody made meanwhile is not overwritten: then look at it, and put again.
    """
    from ward.alerts.plan_file import load_plan

    with plain_errors():
        _, fields = load_plan(file)
        version, doubts = _put(url, ward, fields)
    for doubt in doubts:
        say(f"ward: {doubt}")
    say(f"ward: ward {ward} goes by version {version} of its plan")


def _put(url: str | None, ward: str, fields: dict[str, Any]) -> tuple[int, list[str]]:
    """The version that it is now, and the service's remarks. Raises WardError with what the service says."""
    import httpx

    from ward.errors import InvalidError, UnavailableError

    token = os.environ.get("WARD_TOKEN")
    if not token:
        raise InvalidError("WARD_TOKEN is not set; it holds the token of who may change plans")
    settings = settings_of()
    base = (url or f"http://{settings.http_host}:{settings.http_port}").rstrip("/")
    path = f"{base}/api/v1/wards/{quote(ward, safe='')}/plan"
    try:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30.0) as client:
            seen = _answer(client.get(path))
            tag = {"If-Match": seen.headers["etag"]}
            made = _answer(client.put(path, json=fields, headers=tag)).json()
            return int(made["version"]), [str(remark) for remark in made.get("remarks", ())]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError(f"{base} does not answer: {error}") from None


def _answer(response: httpx.Response) -> httpx.Response:
    from ward.errors import InvalidError

    if response.is_success:
        return response
    try:
        problem = response.json()
        detail = problem["detail"]
    except (ValueError, KeyError, TypeError):
        detail = "this is not a ward service"
    raise InvalidError(f"refused ({response.status_code}): {detail}")


def _moment(text: str) -> int:
    from datetime import datetime

    from ward.errors import InvalidError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidError(
            f"--at {text}: a time with an offset is allowed, such as 2026-12-24T03:00:00+01:00"
        )
    return round(moment.timestamp() * 1000)
