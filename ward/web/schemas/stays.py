"""Stays, their devices, flags, observations, history and scores."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, StrictBool, model_validator

from ward.signals import CONSCIOUSNESS, INDEX, MEASURED, SIGNALS
from ward.web.schemas.alerts import Alert, Pending
from ward.web.schemas.common import EXAMPLE_TIME, Answer, Flag, Id, Line, Moment, Name, Request, Time

MAX_PAUSE_MIN: Final = 240


class Admission(Request):
    """A patient's monitored time on a ward begins."""

    patient_ref: Line = Field(description="The hospital's reference, not interpreted.", examples=["P-1042"])
    ward: Name = Field(examples=["6A"])
    bed: Line = Field(examples=["12"])
    devices: list[Name] = Field(default_factory=list, max_length=32, examples=[["mon-12", "patch-7"]])
    flags: list[Flag] = Field(
        default_factory=list,
        max_length=32,
        description="Words that rules and scores look at: `copd`, `bmi40`, `spo2-scale-2`, `under-16`, "
        "`pregnant`, or your own; only from who may set flags.",
        examples=[[]],
    )


class Transfer(Request):
    """The patient moves; stay, history and alerts go along."""

    ward: Name = Field(examples=["6B"])
    bed: Line = Field(examples=["3"])
    pause_minutes: int | None = Field(
        None, ge=1, le=MAX_PAUSE_MIN, strict=True, description="Away for so long while she is moved."
    )


class FlagsChange(Request):
    """The flags as they shall be from now on."""

    flags: list[Flag] = Field(max_length=32, examples=[["copd", "spo2-scale-2"]])


class DeviceChange(Request):
    """A device to attach or detach."""

    device: Name = Field(description="Its name in the topic `ward/v1/{ward}/{device}`.", examples=["mon-12"])


class DeviceTaken(DeviceChange):
    """A device to attach; that it is another stay's must have been seen."""

    from_stay: Id | None = Field(
        None,
        description="The stay that has it now, as the caller saw: it is taken from there.",
        examples=[None],
    )


class Pause(Request):
    """The patient is away. It ends by itself: at its time, or when readings return."""

    minutes: int = Field(
        ge=0, le=MAX_PAUSE_MIN, strict=True, description="From now; 0 ends a pause.", examples=[45]
    )
    reason: Line | None = Field(
        None, description="`scan`, `theatre`, `shower`, `walk`, or your own words.", examples=["scan"]
    )


def measured(name: str) -> Any:
    signal = SIGNALS[INDEX[name]]
    low, high = signal.possible
    return Field(
        None, ge=low, le=high, strict=True, allow_inf_nan=False, description=f"{signal.label}, {signal.unit}"
    )


Level = Literal["A", "C", "V", "P", "U"]
assert set(Level.__args__) == set(CONSCIOUSNESS)  # type: ignore[attr-defined]


class Observation(Request):
    """What a person saw or measured. What is absent or null was not looked at; zero is a value."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"time": "2026-11-21T12:00:00Z", "consciousness": "A", "oxygen": True, "rr": 18}]
        }
    )

    time: Time | None = Field(None, description="When it was seen; now where it is absent.")
    consciousness: Level | None = Field(
        None, description="Alert, new Confusion, responds to Voice, to Pain, Unresponsive"
    )
    oxygen: StrictBool | None = Field(None, description="On supplemental oxygen")
    hr: float | None = measured("hr")
    pr: float | None = measured("pr")
    spo2: float | None = measured("spo2")
    rr: float | None = measured("rr")
    sbp: float | None = measured("sbp")
    dbp: float | None = measured("dbp")
    map: float | None = measured("map")
    temp: float | None = measured("temp")
    pi: float | None = measured("pi")

    @model_validator(mode="after")
    def something(self) -> Observation:
        if not self.values():
            raise ValueError("at least one signal is needed besides time")
        return self

    def values(self) -> dict[str, Any]:
        return self.model_dump(exclude={"time"}, exclude_none=True)


assert set(MEASURED) <= set(Observation.model_fields)


class Observed(Answer):
    """The observation as it was taken, with the time it counts from and who entered it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stay": "01jd6qk2",
                    "time": EXAMPLE_TIME,
                    "by": "Ward 6A, night",
                    "consciousness": "A",
                    "rr": 18,
                }
            ]
        }
    )

    stay: str
    time: Moment
    by: str
    consciousness: Level | None = None
    oxygen: bool | None = None
    hr: float | None = None
    pr: float | None = None
    spo2: float | None = None
    rr: float | None = None
    sbp: float | None = None
    dbp: float | None = None
    map: float | None = None
    temp: float | None = None
    pi: float | None = None


class StayDevice(Answer):
    """A device of a stay, with its start and end."""

    device: str = Field(examples=["mon-12"])
    since: Moment
    until: Moment | None = None
    online: bool | None = Field(None, description="As it announced; null when it never did.")
    last_seen_at: Moment | None = None
    offset_s: float | None = Field(None, description="Its clock's measured offset, seconds.")


class Latest(Answer):
    """The newest reading of one signal."""

    value: float | str | bool | None = Field(examples=[82])
    unit: str = Field(examples=["1/min"])
    time: Moment
    state: Literal["fresh", "stale", "questionable"]
    device: str | None = Field(None, description="Null where a person entered it.", examples=["mon-12"])
    reason: str | None = Field(None, description="Why it is questionable.")
    hold_s: float = Field(description="How long a reading speaks for the patient.", examples=[90])
    trend: Literal["rising", "steady", "falling"] | None = Field(
        None, description="Against a quarter of an hour ago; null where that is not known."
    )


class Part(Answer):
    """One part of NEWS2: its points and the reading they rest on."""

    points: int = Field(examples=[2])
    value: float | str | bool | None = Field(examples=[24])
    time: Moment | None = None
    stale: bool = Field(description="Its hold has ended; the points are kept and shown as stale.")
    age_s: float | None = Field(None, description="Seconds since it was measured (only on `/score`).")


class News2(Answer):
    """NEWS2 (Royal College of Physicians 2017) with what it rests on."""

    score: int | None = Field(description="Null when no vital sign is fresh.", examples=[5])
    risk: Literal["low", "low-medium", "medium", "high"] | None = None
    partial: bool = Field(description="True when a part was never known: the score is a lower bound.")
    missing: list[str] = Field(examples=[["consciousness", "oxygen"]])
    stale: list[str] = Field(examples=[["temp"]])
    scale: Literal[1, 2] = Field(description="SpO2 scale; 2 with the flag `spo2-scale-2`.")
    parts: dict[str, Part]
    not_applicable: Literal["under-16", "pregnant"] | None = Field(
        None, description="The flag because of which there is no score: it is for adults, not in pregnancy."
    )


class Carer(Answer):
    """Who has the patient now."""

    person: str = Field(description="Her id in the ward's plan, or her name.", examples=["ada"])
    name: str = Field(examples=["Ada Berg"])
    since: Moment
    until: Moment = Field(description="It ends by itself then, with her shift.")


class CarerBefore(Answer):
    """Who had the patient last, where nobody has it now."""

    name: str = Field(examples=["Ada Berg"])
    until: Moment
    reason: str = Field(examples=["the shift is over"])


class OwnLimit(Answer):
    """A rule of this patient alone."""

    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 84 % for 10 min"])
    titles: dict[str, str] = Field(examples=[{"da": "SpO2 under 84 % i 10 min"}])
    by: str = Field(examples=["Dr Dunn"])
    until: Moment | None = Field(description="When it ends by itself.")


class Stay(Answer):
    """A stay as it is now; one that has ended has no signals, score or pending alerts."""

    id: str = Field(examples=["01jd6q"])
    ward: str = Field(examples=["6A"])
    bed: str = Field(examples=["12"])
    patient_ref: str | None = Field(
        description="Null for a token that may list stays and not read them.", examples=["P-1042"]
    )
    admitted_at: Moment
    discharged_at: Moment | None = None
    flags: list[str]
    paused_until: Moment | None = None
    paused_reason: str | None = Field(None, description="Why the patient is away.", examples=["scan"])
    paused_by: str | None = None
    devices: list[StayDevice]
    signals: dict[str, Latest] = Field(description="Newest reading by signal; no key means never measured.")
    news2: News2 | None = None
    risk: float | None = Field(
        None, description="0..1; null without enough data. Its interval and reasons are on `/score`."
    )
    alerts: list[Alert] = Field(description="Those that are not closed.")
    pending: list[Pending]
    priority: Literal["high", "medium", "low"] | None = Field(
        None, description="The highest of the open alerts that are not shelved."
    )
    limits: list[OwnLimit] = Field(default_factory=list, description="Rules that are this patient's own.")
    carer: Carer | None = Field(None, description="Who has the patient; null: nobody.")
    carer_before: CarerBefore | None = Field(None, description="Within the last 24 h, where nobody has it.")
    time: Moment = Field(description="The moment this shows.")


class Seen(Answer):
    """What is to be said of one signal: `rose` or `fell` from `before` to `value` in `hours`; `steady` at it,
    or `stands` there (its past is not known), `away` from what is `typical`; `unmeasured` since `hours`."""

    signal: str = Field(examples=["rr"])
    course: Literal["rose", "fell", "steady", "stands", "unmeasured"]
    value: float = Field(examples=[24])
    before: float | None = Field(None, examples=[16])
    hours: int | None = Field(None, examples=[4])
    away: Literal["high", "low"] | None = None
    typical: float | None = None


class Contribution(Answer):
    """What a group of signals adds to the risk, against a typical patient's."""

    group: str = Field(examples=["breathing"])
    log_odds: float = Field(description="Above 0: for a higher risk.", examples=[0.8])
    words: str = Field(examples=["RR rose from 16 to 24 in 4 h"])
    seen: Seen | None = Field(None, description="The same, to be said in another language.")


class Risk(Answer):
    """The deterioration score: a model's estimate, how sure it is, and why."""

    state: Literal["known", "not-enough-data", "no-model", "not-applicable"]
    value: float | None = Field(None, description="0..1; null unless `state` is `known`.", examples=[0.18])
    low: float | None = Field(None, description="The interval's lower end.", examples=[0.11])
    high: float | None = Field(None, description="The interval's upper end.", examples=[0.29])
    above: int | None = Field(
        None, description="% of the hours the model was learned from that had a lower risk.", examples=[93]
    )
    computed_at: Moment | None = Field(None, description="The whole five minutes that it is of.")
    age_s: float | None = Field(None, description="Seconds since then.")
    model: str | None = Field(None, description="Which model says so.")
    missing: list[str] = Field(
        default_factory=list,
        description="Signals it looks for that are not measured now.",
        examples=[["temp"]],
    )
    contributions: list[Contribution] = Field(
        default_factory=list, description="The weightiest first; one entry a group of signals that is known."
    )


class ScoreView(Answer):
    """How ill the patient looks, and what that rests on."""

    stay: str
    time: Moment
    news2: News2 | None = None
    risk: Risk


class Doubted(Answer):
    """Bins of questionable and invalid readings."""

    time: list[Moment]
    min: list[float]
    max: list[float]
    count: list[int]


class Trace(Answer):
    """Columns of equal length: raw readings, or, with `resolution`, one row per bin with data."""

    time: list[Moment] = Field(description="Of the reading, or where the bin begins.")
    value: list[float] | None = None
    quality: list[Literal["valid", "questionable", "invalid"]] | None = None
    reason: list[str] | None = Field(None, description="Why it is not valid, else empty.")
    device: list[str | None] | None = Field(None, description="Null where a person entered it.")
    min: list[float] | None = None
    median: list[float] | None = None
    max: list[float] | None = None
    count: list[int] | None = Field(None, description="Valid readings in the bin.")
    doubted: Doubted | None = Field(None, description="With `resolution`: readings that did not count.")


class Vitals(Answer):
    """Readings of a span, as columns by signal."""

    stay: str
    start: Moment
    end: Moment
    resolution_s: float | None = None
    complete: bool = Field(True, description="False: readings of the last ten seconds may be missing.")
    signals: dict[str, Trace]
