"""``ward channel``: the ways by which people are told."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from ward.cli.common import opened, plain_errors, record, say, settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="The ways by which people are told: webhooks, MQTT, mail, SMS …\n\n"
    "They are in the file that WARD_CHANNELS_FILE names; the dashboard is always there.",
)
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read the channels file as the service would, and list what is in it, without its secrets.

    What is wrong is told with its place, and ends with status 2. Nothing is sent.
    """
    from ward.notify.config import Parts, load_channels

    with plain_errors():
        channels = load_channels(settings_of().channels_file, Parts())
    rows = [
        {
            "name": each.name,
            "kind": each.kind,
            "detail": each.detail,
            "give_up_s": None if each.give_up is None else each.give_up / 1000,
            "test_to": each.test_to is not None,
        }
        for each in channels.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        give_up = "what the plan says" if row["give_up_s"] is None else f"{row['give_up_s']:g} s"
        typer.echo(f"{row['name']:20} {row['kind']:10} detail {row['detail']:5} gives up after {give_up}")


@app.command("test")
def send_test(
    ward: Annotated[str, typer.Option(help="Whose plan says who is told.")],
    channel: Annotated[str | None, typer.Option(help="Only through this one; by default all.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the result.", min=0, max=600)] = 60,
    as_json: AsJson = False,
) -> None:
    """Send a test alert to everybody whom the ward's plan may tell now, and say what became of it.

    The running service sends it, the way that alerts go. Ends with status 1 if any did not get through.
    """
    from ward.clock import wall_ms
    from ward.errors import NotFoundError
    from ward.live.plans import load_plans
    from ward.notify.config import Parts, load_channels
    from ward.notify.rehearsal import by_hand
    from ward.notify.views import test_view
    from ward.store.care import enqueue_deliveries
    from ward.store.deliveries import by_keys

    with plain_errors():
        settings = settings_of()
        channels = load_channels(settings.channels_file, Parts())
        if channel is not None and channel not in channels:
            raise NotFoundError(f"no channel {channel}; there are: {', '.join(channels)}")
        database = opened()
        plan = load_plans(database, settings.plan_file)[0].of(ward)
        now = wall_ms()
        made = by_hand(ward, plan, channels if channel is None else {channel}, now, now)
        with database.begin() as tx:
            enqueue_deliveries(tx, made)
        record(database, "channel.test", f"ward:{ward}", channel=channel)
    keys, end = [each.key for each in made], time.monotonic() + wait
    while True:
        with database.connect() as connection:
            tests = by_keys(connection, keys)
        if all(each.state != "waiting" for each in tests) or time.monotonic() >= end:
            break
        time.sleep(0.2)
    database.dispose()
    if as_json:
        typer.echo(json.dumps([test_view(each) for each in tests], indent=2))
    for each in () if as_json else tests:
        took = "" if each.sent is None else f"after {(each.sent - each.created) / 1000:.1f} s"
        typer.echo(f"{each.channel:20} {each.person:20} {each.state:8} {took}{each.error or ''}")
    if any(not each.attempts for each in tests):
        say("ward: nobody has tried to send it: is the service running?")
    if any(each.state != "sent" for each in tests):
        raise typer.Exit(1)
