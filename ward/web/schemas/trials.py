"""Trials: other rules over stored history, in figures; suggestions."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from ward.web.schemas.common import Answer, Duration, Id, Line, Moment, Name, Request, Time
from ward.web.schemas.rules import RuleChange

DAY_MS: Final = 86_400_000
LONGEST_WINDOW: Final = 7 * DAY_MS


def _within_a_week(ms: int) -> int:
    if ms > LONGEST_WINDOW:
        raise ValueError("at most 7d is allowed")
    return ms


Window = Annotated[Duration, AfterValidator(_within_a_week)]


def _of_a_hold(ms: int) -> int:
    if not 2_000 <= ms <= DAY_MS:
        raise ValueError("2s to 24h is allowed")
    return ms


Hold = Annotated[Duration, AfterValidator(_of_a_hold)]

Number = Annotated[float, Field(allow_inf_nan=False)]
Interval = Annotated[
    list[float] | None,
    Field(description="95 % interval; null where too little is known to give one.", examples=[[0.42, 0.79]]),
]


class CandidateRule(RuleChange):
    """A rule to try: of one in force only what shall be different, of a new one all that a rule needs."""

    id: Line = Field(examples=["spo2-below-88"])


class TrialGrid(Request):
    """One rule at every threshold for every duration."""

    rule: Line = Field(description="In force, or one of `rules`.", examples=["spo2-below-88"])
    signal: Line | None = Field(
        None, description="Whose number varies, where the rule compares several.", examples=["spo2"]
    )
    thresholds: list[Number] = Field(
        default_factory=list,
        max_length=400,
        description="Default: 13 steps around the present one.",
        examples=[[84, 85, 86, 87, 88, 89, 90]],
    )
    for_: list[Line] = Field(
        alias="for",
        default_factory=list,
        max_length=400,
        description="Default: 1, 2, 5, 10, 15, 20, 30 and 60 min.",
        examples=[["1m", "5m", "10m", "20m"]],
    )


class TrialEvent(Request):
    """Something that staff should have heard of before."""

    stay: Line = Field(examples=["01jd6qk2"])
    time: Time


class TrialWish(Request):
    """Suggest a setting: at most so many in a patient-day."""

    per_day: float = Field(gt=0, le=10_000, allow_inf_nan=False, examples=[3])
    of: Literal["alerts", "interruptions"] = Field(
        "alerts", description="Alerts of the rules that are tried; interruptions by all rules."
    )
    miss_cost: float = Field(
        5,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="What a missed true alert weighs in false ones (PhysioNet/CinC 2015: 5).",
    )


class TrialRequest(Request):
    """What to try, over what. Nothing is raised, changed or told to anybody."""

    rules: list[CandidateRule] = Field(
        default_factory=list, max_length=64, description="In place of those in force, or beside them."
    )
    grid: TrialGrid | None = None
    holds: dict[Literal["hr", "pr", "spo2", "rr", "sbp", "dbp", "map", "temp", "pi"], Hold] = Field(
        default_factory=dict,
        description="How long a reading of a signal speaks for the patient, as if its devices declared it; "
        "2 s to 24 h. To be tried only: it is put in force where devices declare their intervals.",
        examples=[{"spo2": "3m"}],
    )
    recording: Id | None = Field(
        None,
        description="Over this recording (`GET /recordings`), all of it, in place of what is stored; `scope` "
        "says by whose rules.",
    )
    labels: str | None = Field(
        None,
        max_length=500_000,
        description="With `recording`: events as CSV, `stay,time` above, times as the recording has them.",
        examples=["stay,time\nbidmc_01,240\n"],
    )
    start: Time | None = Field(None, description="Needed unless a recording is tried.")
    end: Time | None = Field(None, description="Needed unless a recording is tried.")
    ward: Name | None = Field(None, description="Only stays of this ward.")
    stays: list[Line] | None = Field(None, max_length=1_000, description="Only these stays.")
    scope: Line | None = Field(
        None,
        pattern=r"^(all|ward:.+|stay:.+)$",
        description="As if changed in this scope: stays with a narrower rule of their own keep it, as they "
        "would. Default: in place of whatever is in force for each stay.",
        examples=["all"],
    )
    events: list[TrialEvent] | None = Field(
        None,
        max_length=10_000,
        description="Labels; without any, sustained severe events stand in. One whose window lies outside "
        "the time tried is passed over.",
    )
    window: Window = Field(
        12 * 3_600_000,
        description="An alert raised so long before an event was about it.",
        examples=["12h"],
    )
    after: Window = Field(
        12 * 3_600_000,
        description="Alerts raised so long after an event count neither way.",
        examples=["12h"],
    )
    suggest: TrialWish | None = None
    listed: bool = Field(
        True, description="False: without `raised`, `now`, `only_candidate`, `only_now`, which may be long."
    )

    @model_validator(mode="after")
    def something(self) -> TrialRequest:
        if not self.rules and self.grid is None and not self.holds:
            raise ValueError("nothing to try: `rules`, `grid`, `holds` or several are needed")
        if self.recording is None and (self.start is None or self.end is None):
            raise ValueError("`start` and `end` are needed, or a `recording`")
        if self.recording is not None and (
            self.stays or self.events or (self.scope or "").startswith("stay:")
        ):
            raise ValueError("a recording has no stays of this ward: leave out `stays` and `events`")
        if self.labels is not None and self.recording is None:
            raise ValueError("`labels` are of a `recording`; of stays give `events`")
        return self


class TrialRaised(Answer):
    """One alert as it would have been."""

    stay: str
    rule: str
    raised_at: Moment
    cleared_at: Moment | None = None
    priority: Literal["high", "medium", "low"]


class TrialHistory(Answer):
    """What there is to try rules on."""

    start: Moment | None = Field(None, description="Of the oldest reading; null: there is none.")
    end: Moment | None = None
    now: Moment
    readings: int
    stays: int


class TrialQuantiles(Answer):
    """Of many durations, in seconds."""

    median: float
    p90: float
    most: float


class TrialDistribution(Answer):
    """Alerts in a patient-day, stay by stay: of those with an hour of monitored time or more."""

    stays: int
    without: int = Field(description="Stays without any.")
    median: float | None = None
    p90: float | None = None
    most: float | None = None
    top_tenth_share: float | None = Field(
        None, description="What share of all alerts the tenth of stays with the most has."
    )


class TrialSetting(Answer):
    """What one set of rules came to. Unless said otherwise, of the rules that are tried."""

    label: str = Field(examples=["spo2 < 86 for 5m"])
    threshold: float | None = Field(None, examples=[86])
    for_: int | None = Field(None, alias="for", description="s", examples=[300])
    definitions: list[dict[str, object]] = Field(
        description="The rules tried, as a change (`PUT /rules/{id}`) takes them; in stays with rules of "
        "their own, the same fields of those differ."
    )
    alerts: int
    alerts_per_day: float = Field(description="Per patient-day; see `denominator`.")
    alerts_per_day_interval: Interval = None
    all_alerts_per_day: float = Field(description="Of the whole set of rules, before inhibition.")
    interruptions: int | None = Field(
        None,
        description="How often staff would be called by the whole set: episodes × priority, with flags and "
        "inhibition, if each alert is acknowledged within 5 min. Null where it was not worked out.",
    )
    interruptions_per_day: float | None = None
    interruptions_per_day_interval: Interval = None
    distribution: TrialDistribution
    alert_hours_per_day: float = Field(description="Hours in alert per patient-day.")
    gained: int = Field(description="Alerts that share no time with one of the same rule in force.")
    lost: int = Field(description="Alerts in force that share no time with one of these.")
    delay_s: TrialQuantiles | None = Field(
        None, description="How much later than in force the alerts kept were raised; negative: earlier."
    )
    caught: int = Field(description="Events with an alert.")
    recall: float | None = None
    recall_interval: Interval = None
    true: int = Field(description="Alerts at an event.")
    false: int
    precision: float | None = None
    precision_interval: Interval = None
    lead_s: TrialQuantiles | None = Field(
        None, description="How long before the event (severe ones: before they were sustained)."
    )
    cost_per_day: float = Field(description="(miss_cost × missed events + false alerts) per patient-day.")
    on_front: bool = Field(description="With `suggest`: no other setting has less load and as much recall.")


class TrialRule(Answer):
    """One of the rules that are tried, in force and as a candidate."""

    rule: str
    title: str
    priority: Literal["high", "medium", "low"]
    now: int
    candidate: int
    gained: int
    lost: int


class TrialDay(Answer):
    """Alerts raised on one day, by the ward's clock, by the rules that are tried."""

    day: Moment = Field(description="When it begins.")
    date: str | None = Field(default=None, examples=["2026-11-21"])
    now: int
    candidate: int


class TrialPatient(Answer):
    """One stay: alerts by the rules that are tried."""

    stay: str
    ward: str
    bed: str
    hours: float = Field(description="Monitored.")
    now: int
    candidate: int
    gained: int
    lost: int


class TrialChange(Answer):
    """An alert that would be new, would not be any more, or would come at another time."""

    stay: str
    rule: str
    title: str
    priority: Literal["high", "medium", "low"]
    breach_since: Moment
    raised_at: Moment = Field(description="Of one that moves: in force.")
    cleared_at: Moment | None = None
    delay_s: float | None = Field(None, description="Of one that moves: how much later; negative: earlier.")


class TrialChanged(Answer):
    """How many there are; `items` has all of them, up to 1,000, beyond that every n-th."""

    count: int
    items: list[TrialChange]


class TrialChanges(Answer):
    """What the candidate changes. `gained` and `lost` share no time with an alert of the same rule on the
    other side."""

    gained: TrialChanged
    lost: TrialChanged
    moved: TrialChanged


class TrialEvents(Answer):
    """The events that recall is measured by."""

    kind: Literal["labelled", "severe"]
    count: int
    stays: int
    meaning: str = Field(
        description="What recall is the share of, and what it is not.",
        examples=["labelled events with an alert before them"],
    )


class TrialHeldOut(Answer):
    """The choice made on one half of the stays, judged on the other; both ways added up."""

    per_day: float
    caught: int
    events: int
    recall: float | None = None


class TrialSuggestion(Answer):
    """Of the settings that no other beats (less load and as much recall), the one that hears most within the
    wanted load. Never applied by itself."""

    wanted_per_day: float
    of: Literal["alerts", "interruptions"]
    miss_cost: float
    chosen: TrialSetting | None = Field(
        None, description="Null: no setting keeps to that load, or there was no event."
    )
    cheapest: TrialSetting | None = Field(
        None, description="Of the same, the one with the least cost; it may be another, with fewer alerts."
    )
    front: list[str] = Field(description="Labels, by rising load.", examples=[["spo2 < 88 for 10m"]])
    held_out: TrialHeldOut | None = None
    notes: list[str] = Field(
        description="What a reader must know before believing it.", examples=[["Few events."]]
    )


class TrialAnswer(Answer):
    """What would have been raised, and how that differs from the rules in force."""

    id: str | None = Field(
        None, description="Of a trial of `rules` in a `scope`: a draft can rest on it (`POST /drafts`)."
    )
    relative: bool = Field(
        False, description="Of a recording that counts seconds: times in the answer count from 1970."
    )
    stays: int
    patient_days: float
    denominator: str = Field(description="What a patient-day is here.", examples=["time with a valid signal"])
    readings: int
    rules: list[str] = Field(description="The rules that are tried.", examples=[["spo2-below-88"]])
    events: TrialEvents
    in_force: TrialSetting
    settings: list[TrialSetting] = Field(description="The one candidate, or each cell of the grid.")
    suggestion: TrialSuggestion | None = None
    by_rule: list[TrialRule] = Field(default_factory=list, description="These four are not told of a grid.")
    by_day: list[TrialDay] = Field(default_factory=list)
    patients: list[TrialPatient] = Field(default_factory=list)
    changes: TrialChanges | None = None
    raised: list[TrialRaised] = Field(
        default_factory=list, description="By the candidate, all rules. Not told of a grid."
    )
    now: list[TrialRaised] = Field(
        default_factory=list, description="By the rules in force, over the same readings."
    )
    only_candidate: list[TrialRaised] = Field(default_factory=list, description="In `raised`, not in `now`.")
    only_now: list[TrialRaised] = Field(default_factory=list, description="In `now`, not in `raised`.")
