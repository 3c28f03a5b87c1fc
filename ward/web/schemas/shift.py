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

    stay: str
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
    name: str
    since: Moment
    until: Moment


class Assignments(Answer):
    """Who has whom on a ward."""

    ward: str
    at: Moment
    shifts: list[Shift]
    items: list[Held] = Field(description="Every present patient, by bed.")
    people: list[Colleague] = Field(description="Those on duty first.")


class Taken(Answer):
    """The patients as they are now."""

    items: list[Stay]
