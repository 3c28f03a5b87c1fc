"""Reports: what alerts were worth, and whether wards are still what they were."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ward.reports.rules import Caution as CautionKind
from ward.reports.shares import Kind
from ward.web.schemas.common import TITLES, Answer, InLanguages, Moment


class Share(Answer):
    """So many of the assessed alerts; the interval holds the true share nine times in ten."""

    count: int = Field(examples=[21])
    share: float | None = Field(None, description="Of those assessed; null: none was.", examples=[0.7])
    low: float | None = Field(None, examples=[0.55])
    high: float | None = Field(None, examples=[0.82])


class Spread(Answer):
    """Seconds."""

    count: int
    median: float = Field(examples=[42.0])
    p90: float = Field(description="Nine of ten were no longer.", examples=[180.0])


class Assessments(Answer):
    """How many alerts were assessed as what."""

    actionable: int
    not_actionable: int
    artefact: int


class Judgement(Answer):
    """What assessments can say, for who says it in her own words."""

    kind: Kind = Field(examples=["too-few"])
    low: float | None = Field(None, description="The share of actionable ones is at least this ...")
    high: float | None = Field(None, description="... and at most this; both rounded to the safe side.")


class Load(Answer):
    """How much there was, and for how many patients."""

    patient_days: float = Field(description="Monitored time with a valid signal, in days.", examples=[212.4])
    stays: int = Field(description="That were there at some time of the span.", examples=[61])
    alerts: int = Field(description="Raised in the span.", examples=[240])
    alerts_per_patient_day: float | None = Field(None, examples=[1.13])
    interruptions: int = Field(description="Times that staff were told of something new.", examples=[150])
    interruptions_per_patient_day: float | None = Field(None, examples=[0.71])
    repeats: int = Field(description="Reminders, escalations, and tellings in place of a failed one.")
    assessed: int = Field(description="Alerts that somebody assessed.", examples=[80])
    assessments: Assessments = Field(description="What was said of those that were assessed.")
    top_tenth_share: float | None = Field(
        None,
        description="Share of the alerts that the tenth of the stays with the most had.",
        examples=[0.48],
    )


class PriorityLoad(Answer):
    """The same by priority."""

    priority: Literal["high", "medium", "low"]
    alerts: int
    alerts_per_patient_day: float | None = None
    interruptions: int
    interruptions_per_patient_day: float | None = None
    time_to_acknowledge_s: Spread | None = Field(None, description="From told to taken.")


class HourLoad(Answer):
    """One hour of the day."""

    hour: int = Field(description="0 to 23, by the clocks of the zone.", examples=[3])
    alerts: int
    interruptions: int


class BedLoad(Answer):
    """One bed."""

    ward: str = Field(examples=["6A"])
    bed: str = Field(examples=["12"])
    patients: int = Field(description="Stays with an alert there.")
    alerts: int
    interruptions: int


class GroupLoad(Load):
    """One ward, or one week."""

    group: str | None = Field(None, description="The ward's name, or the week's first day.", examples=["6A"])


class RuleFigures(Answer):
    """One rule at one priority."""

    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: InLanguages = Field(default_factory=dict, description=TITLES)
    priority: Literal["high", "medium", "low"]
    kind: Literal["physiological", "technical"] | None = None
    group: str | None = Field(
        None, description="The ward's name, or the week's first day; null: all.", examples=["6A"]
    )
    alerts: int
    alerts_per_patient_day: float | None = None
    share_of_alerts: float | None = Field(None, description="Of its group's.")
    interruptions: int
    interruptions_per_patient_day: float | None = None
    share_of_interruptions: float | None = None
    repeats: int
    patients: int = Field(description="Stays that had it.")
    top_tenth_share: float | None = None
    assessed: int
    assessed_share: float | None = Field(None, description="Of its alerts.")
    assessed_patients: int = Field(description="Stays with an assessed alert of it.")
    actionable: Share
    not_actionable: Share
    artefact: Share
    verdict: str = Field(
        description="What these numbers can say, and no more.",
        examples=["too few to tell (3 of 4 actionable)"],
    )
    judgement: Judgement = Field(description="The same, in parts.")
    estimate: float | None = Field(
        None,
        description="Actionable share with what all rules have in common as a prior: to rank by, since few "
        "assessments leave a rule near the others. Null: not assessed.",
    )
    acknowledged: int = Field(description="Alerts that somebody took after they were told.")
    time_to_acknowledge_s: Spread | None = Field(None, description="Of those, from told to taken.")
    condition_delay_s: Spread | None = Field(None, description="From sustained to told of.")
    signal_delay_s: Spread | None = Field(
        None, description="From sustained to taken by the first person's channel; null in a replay."
    )
    time_in_alert_s: int = Field(description="From raised to over, summed.")
    time_in_alert_share: float | None = Field(None, description="Of the monitored time.")


class Caution(Answer):
    """What to know before believing the figures, for who says it in her own words."""

    kind: CautionKind
    since: str | None = Field(None, description="The day from which time was counted.")


class RuleReport(Load):
    """What alerts were worth by those who took them, and what they cost, rule by rule."""

    start: Moment
    end: Moment
    zone: str = Field(description="By whose clocks days and hours are.", examples=["Europe/Copenhagen"])
    notes: list[str] = Field(
        description="What to know before believing the figures.",
        examples=[["Fewer than half of the alerts were assessed."]],
    )
    cautions: list[Caution] = Field(description="The same, in parts.")
    priorities: list[PriorityLoad]
    hours: list[HourLoad] = Field(description="All 24.")
    beds: list[BedLoad] = Field(description="Those with an alert; those that interrupted most first.")
    groups: list[GroupLoad] = Field(description="Empty unless grouped.")
    rules: list[RuleFigures] = Field(description="By group; those that interrupted most first.")


class Reference(Answer):
    """The days with which a ward's others are compared."""

    start: Moment
    end: Moment
    by: str | None = Field(None, description="Who chose them; null: the ward's first.", examples=["Dr Lind"])
    patients: float | None = Field(
        None, description="How many patients' stays they are worth; null while nothing is compared."
    )


class Finding(Answer):
    """One comparison. It differs where both `chance` and `size` are 1 or more."""

    what: str = Field(description="A signal, news2, risk, alerts or interruptions.", examples=["spo2"])
    aspect: Literal["value", "known", "load"] = Field(
        description="Its values; the share of the time in which it was known; a number per patient-day."
    )
    days: int = Field(description="How many days of now are compared.", examples=[7])
    reference: float = Field(description="Mean, share or number.", examples=[95.9])
    now: float = Field(examples=[93.8])
    chance: float = Field(
        description="How far beyond what chance makes of as many patients: 1 is its limit.", examples=[1.7]
    )
    size: float = Field(description="1: from here on it matters.", examples=[6.2])
    psi: float | None = Field(None, description="Population stability index, of values.", examples=[0.62])
    differs: bool
    lasting: bool = Field(description="It has on each of three days.")
    words: str = Field(examples=["SpO2 is on average 93.8 %, in the reference 95.9 %"])


class WardDrift(Answer):
    """One ward against its reference."""

    ward: str
    state: Literal["collecting", "compared", "quiet"] = Field(
        description="collecting: there are not enough days yet. quiet: nothing was watched lately."
    )
    reference: Reference | None = None
    until: Moment | None = Field(None, description="The end of the last day that was compared.")
    patients: float | None = Field(None, description="How many patients' stays the last week is worth.")
    differs: list[str] = Field(
        description="What differs, and has for days, in words.",
        examples=[["SpO2 is on average 93.8 %, in the reference 95.9 %"]],
    )
    findings: list[Finding] = Field(description="Every comparison, by window.")


class Drift(Answer):
    """The wards that you see."""

    items: list[WardDrift]
