"""Care plans: who is told of an alert, when and through what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ward.web.schemas.common import PRINTABLE, Answer, Line, Moment, Request, Time

PlanId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Address = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Priority = Literal["high", "medium", "low"]
Kind = Literal["physiological", "technical"]


class PlanQuiet(Request):
    """Alerts of these priorities wait until it ends; a high one never does."""

    from_: Clock = Field(alias="from", examples=["22:00"])
    to: Clock = Field(examples=["06:00"])
    priority: list[Literal["medium", "low"]] | None = Field(None, description="Default: low.", min_length=1)


class PlanPerson(Request):
    """Somebody who can be told."""

    id: PlanId = Field(examples=["ada"])
    name: Line | None = Field(None, examples=["Ada Berg"])
    address: dict[PlanId, Address | None] | None = Field(
        None,
        description="By channel. Null for who may not change plans: there is one, and it is not shown.",
        examples=[{"pager": "4711"}],
    )


class PlanTeam(Request):
    """Whoever of them is on duty; all of them where no roster names the team."""

    id: PlanId = Field(examples=["nurses"])
    name: Line | None = Field(None, examples=["Nurses on the floor"])
    people: list[PlanId] = Field(min_length=1, max_length=2_000, examples=[["ada", "ben"]])


class PlanShift(Request):
    """An end that is not later than the beginning is on the next day."""

    id: PlanId = Field(examples=["night"])
    name: Line | None = Field(None, examples=["Night"])
    from_: Clock = Field(alias="from", examples=["22:30"])
    to: Clock = Field(examples=["06:30"])
    days: list[Day] | None = Field(None, description="On which it begins; default: all.", min_length=1)


class PlanRoster(Request):
    """A date goes before days of the week before always. No people: nobody, on purpose."""

    team: PlanId = Field(examples=["nurses"])
    shift: PlanId = Field(examples=["night"])
    people: list[PlanId] = Field(max_length=2_000, examples=[["ada"]])
    date: str | None = Field(
        None,
        description="The day on which the shift begins.",
        examples=["2026-12-24"],
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    )
    days: list[Day] | None = Field(None, min_length=1, examples=[["sat", "sun"]])


class PlanLevel(Request):
    """Who is told when nobody has taken the alert for so long."""

    after: Line | None = Field(
        None, description="How long nobody has taken the alert; not for the first.", examples=["2m"]
    )
    tell: list[PlanId] = Field(
        min_length=1, description="Teams, persons or `everybody`.", examples=[["nurses"]]
    )
    channels: list[PlanId] | None = Field(
        None, min_length=1, description="Default: dashboard.", examples=[["dashboard", "pager"]]
    )


class PlanRoute(Request):
    """The first that fits an alert is its way."""

    kind: Kind | None = Field(None, description="Default: physiological.")
    priority: list[Priority] | None = Field(None, description="Default: every priority.", min_length=1)
    rules: list[PlanId] | None = Field(None, description="Default: every rule.", examples=[["device-lost"]])
    level: list[PlanLevel] = Field(min_length=1, max_length=10)
    remind: Line | None = Field(
        None, description="How often while nobody has taken it, or `never`.", examples=["10m"]
    )
    remind_at_most: int | None = Field(None, ge=0, le=1_000, strict=True, examples=[12])


class PlanFields(Request):
    """A care plan, with the fields of its TOML form."""

    timezone: Line = Field(description="Of the ward's clock.", examples=["Europe/Zurich"])
    give_up: Line | None = Field(
        None, description="A delivery not through after so long has failed.", examples=["90s"]
    )
    test_each_shift: bool | None = Field(
        None, strict=True, description="A test alert through every channel as each shift begins."
    )
    quiet: PlanQuiet | None = None
    person: list[PlanPerson] | None = Field(None, max_length=2_000)
    team: list[PlanTeam] | None = Field(None, max_length=2_000)
    shift: list[PlanShift] | None = Field(None, max_length=2_000)
    roster: list[PlanRoster] | None = Field(None, max_length=2_000)
    route: list[PlanRoute] | None = Field(None, max_length=2_000)


class Plan(Answer):
    """The plan that a ward goes by."""

    ward: str = Field(examples=["6A"])
    source: Literal["ward", "default"] = Field(description="Its own, or the one of every ward without.")
    version: int = Field(description="Of the ward's own; 0: it never had one.", examples=[3])
    by: str | None = None
    at: Moment | None = None
    definition: PlanFields
    text: str | None = Field(None, description="The same as TOML, for who may change it.")
    remarks: list[str] = Field(
        default=[],
        description="In answer to a change: what is allowed and perhaps not meant, as `/plan/check` says it.",
        examples=[["channel fax: not configured; there are: dashboard, phone"]],
    )


class PlanVersion(Answer):
    """One version: every change is kept, with who made it."""

    ward: str
    version: int
    by: str
    at: Moment
    definition: PlanFields | None = Field(None, description="Null: by the default plan again.")


class Told(Answer):
    """A person and the channel that tells her."""

    person: str = Field(examples=["ada"])
    name: str = Field(examples=["Ada Berg"])
    channel: str = Field(examples=["pager"])


class Step(Answer):
    """Who is told then, if nobody has taken the alert."""

    at: Moment
    after_s: float = Field(description="Since the alert.", examples=[120])
    level: int | None = Field(None, description="From 0; null: a reminder.", examples=[1])
    tell: list[Told]
    nobody_on_duty: list[int] = Field(description="Levels passed over at once.", examples=[[]])


class Preview(Answer):
    """How an alert would travel."""

    ward: str
    at: Moment
    kind: Kind
    priority: Priority
    steps: list[Step]


class Running(Answer):
    """A shift that runs."""

    id: str = Field(examples=["night"])
    name: str = Field(examples=["Night"])
    since: Moment
    until: Moment


class Present(Answer):
    """A person on duty."""

    id: str = Field(examples=["ada"])
    name: str = Field(examples=["Ada Berg"])


class TeamOnDuty(Answer):
    """A team and who of it is there."""

    id: str = Field(examples=["nurses"])
    name: str = Field(examples=["Nurses on the floor"])
    people: list[Present] = Field(description="Empty: nobody is on duty.")


class Duty(Answer):
    """Who is on duty."""

    ward: str
    at: Moment
    shifts: list[Running]
    teams: list[TeamOnDuty]


class Gap(Answer):
    """Nobody of a team is on duty."""

    team: str = Field(examples=["nurses"])
    since: Moment
    until: Moment
    text: str = Field(
        description="In the ward's own time.",
        examples=["Nurses: nobody is on duty from 2026-11-24 14:30 to 2026-11-24 22:30"],
    )


class Checked(Answer):
    """A plan that may be used, with what is perhaps not meant."""

    holes: list[Gap] = Field(description="In the coming seven days.")
    remarks: list[str] = Field(examples=[["route 2: never taken, a route before it fits all of its alerts"]])


class PlanText(Request):
    """A plan as people write it, and an alert to send along it."""

    text: Annotated[str, StringConstraints(max_length=200_000)] = Field(
        description="TOML.", examples=['timezone = "Europe/Zurich"\n']
    )
    priority: Priority = Field("high", description="Of the alert.")
    kind: Kind = Field("physiological", description="Of the alert.")
    at: Time | None = Field(None, description="When it is raised; default: now.")


class PlanRead(Checked):
    """What a text says, ready for `PUT`, and how that alert would travel."""

    definition: PlanFields
    steps: list[Step]
