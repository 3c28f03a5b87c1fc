"""Who has which patient."""

from __future__ import annotations

from pydantic import Field

from ward.web.schemas.common import Answer, Id, Line, Moment, Request
from ward.web.schemas.stays import Carer, CarerBefore, Stay


class Take(Request):
    """Patients for somebody."""

    stays: list[Id] = Field(
        min_length=1, max_length=100, description="All of this ward.", examples=[["01jd6qk2"]]
    )
    person: Line | None = Field(
        None, description="One of `people`; default: yourself.", examples=[None, "ada"]
    )


class GiveUp(Request):
    """Patients whom nobody is to have."""

    stays: list[Id] = Field(
        min_length=1, max_length=100, description="All of this ward.", examples=[["01jd6qk2"]]
    )


class Held(Answer):
    """A patient and who has her."""

    stay: str = Field(examples=["01jd6qk2"])
    bed: str = Field(examples=["12"])
    carer: Carer | None = Field(description="Null: nobody has this patient.")
    carer_before: CarerBefore | None


class Colleague(Answer):
    """Somebody who can have patients of the ward."""

    person: str = Field(description="Her id in the ward's plan, or her name.", examples=["ada"])
    name: str = Field(examples=["Ada Berg"])
    on_duty: bool | None = Field(description="By the plan's roster; null where that does not name her.")


class Shift(Answer):
    """One that runs now."""

    id: str = Field(examples=["early"])
    name: str = Field(examples=["Day"])
    since: Moment
    until: Moment


class Assignments(Answer):
    """Who has whom on a ward."""

    ward: str = Field(examples=["6A"])
    at: Moment
    shifts: list[Shift]
    items: list[Held] = Field(description="Every present patient, by bed.")
    people: list[Colleague] = Field(description="Those on duty first.")


class Taken(Answer):
    """The patients as they are now."""

    items: list[Stay]


class Spell(Answer):
    """Somebody had the patient."""

    name: str = Field(examples=["Ada Berg"])
    since: Moment
    until: Moment


class ScoreThen(Answer):
    """NEWS2 at an instant."""

    score: int | None
    risk: str | None = Field(examples=["medium"])
    partial: bool
    not_applicable: str | None = Field(examples=["under-16"])


class Scores(Answer):
    """At the begin of the shift and at its end, or now."""

    then: ScoreThen | None
    now: ScoreThen | None


class HandedAlert(Answer):
    """An alert in a handover."""

    id: str = Field(examples=["0b6c1a52"])
    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: dict[str, str] = Field(examples=[{"da": "SpO2 under 88 % i 10 min"}])
    priority: str = Field(examples=["high"])
    kind: str = Field(examples=["physiological"])
    state: str = Field(examples=["active"])
    raised_at: Moment | None
    over_at: Moment | None
    by: str | None = Field(examples=["Ada Berg"])
    assessment: str | None = Field(examples=["actionable"])
    shelved_until: Moment | None
    note: str | None = Field(examples=["on oxygen now"])


class HandedChange(Answer):
    """What happened to a patient beside alerts."""

    at: Moment
    kind: str = Field(examples=["flags"])
    by: str | None = Field(examples=["Ada Berg"])
    detail: dict[str, object]


class HandedLimit(Answer):
    """A rule of this patient that is not the ward's."""

    rule: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: dict[str, str] = Field(examples=[{"da": "SpO2 under 88 % i 10 min"}])
    when: list[str]
    for_: str = Field(alias="for", examples=["10m"])
    usual: str | None = Field(description="What the ward's rule of this id says.")
    usual_titles: dict[str, str] = Field(examples=[{"da": "SpO2 under 88 % i 10 min"}])
    by: str | None = Field(examples=["Ada Berg"])
    at: Moment | None
    until: Moment | None = Field(description="When it ends by itself; null: never.")


class HandedPatient(Answer):
    """One patient in a handover."""

    stay: str = Field(examples=["01jd6qk2"])
    bed: str = Field(examples=["12"])
    patient_ref: str = Field(examples=["P-1042"])
    flags: list[str]
    admitted_at: Moment
    discharged_at: Moment | None
    carer: Carer | None
    paused_until: Moment | None
    paused_reason: str | None = Field(examples=["scan"])
    paused_by: str | None = Field(examples=["Ada Berg"])
    had: list[Spell] = Field(description="In the shift; in gaps nobody had the patient.")
    news2: Scores
    open: list[HandedAlert] = Field(description="What needs somebody most first.")
    over: list[HandedAlert] = Field(description="Raised in the shift and over by its end.")
    raised: dict[str, int] = Field(description="`high medium low technical`.")
    changes: list[HandedChange]
    limits: list[HandedLimit]


class Handover(Answer):
    """A shift of a ward."""

    ward: str = Field(examples=["6A"])
    shift: str | None = Field(examples=["Day"])
    start: Moment
    end: Moment
    made_at: Moment
    nobody: list[str] = Field(description="Beds of patients whom nobody has now.")
    patients: list[HandedPatient]
