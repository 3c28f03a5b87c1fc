"""Drafts: changes of rules that one person proposes and another approves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from ward.web.schemas.common import Answer, Id, Line, Moment, Note, Request
from ward.web.schemas.trials import CandidateRule

State = Literal["proposed", "approved", "rejected", "withdrawn", "applied", "returned"]
Act = Literal["comment", "approve", "reject", "withdraw", "apply", "return"]
Scope = Annotated[str, StringConstraints(pattern=r"^(all|ward:.{1,128}|stay:.{1,128})$")]


class DraftRule(CandidateRule):
    """What shall be different of a rule in force, or a new one."""

    retired: Literal[True] | None = Field(None, description="It shall not be in force any more.")


class NewDraft(Request):
    """What shall change, for whom, and why. It rests on a `trial`, or names `rules` that nobody tried."""

    title: Line = Field(examples=["SpO2 below 86 % instead of 88 %"])
    why: Note | None = Field(None, examples=["A third of the alerts were assessed as not actionable."])
    scope: Scope = Field(examples=["ward:6A"])
    trial: Id | None = Field(
        None,
        description="`id` of a trial of yours, of `rules` in this very scope. Its rules are the draft's, and "
        "its figures are kept with it (nothing of any patient).",
    )
    rules: list[DraftRule] | None = Field(
        None, min_length=1, max_length=64, description="Of a rule in force only what shall be different."
    )
    seen: dict[Line, Line] | None = Field(
        None,
        max_length=64,
        description="With `rules`: the `ETag` that reading each rule in this scope gave.",
        examples=[{"spo2-below-88": '"3f0c9a"'}],
    )

    @model_validator(mode="after")
    def one_of_both(self) -> NewDraft:
        if (self.trial is None) == (self.rules is None):
            raise ValueError("either `trial` or `rules` is needed, and not both")
        return self


class DraftWord(Request):
    """What to say with it."""

    text: Note | None = Field(None, examples=["Agreed in Tuesday's meeting."])


class DraftComment(Request):
    """Something to say about a draft."""

    text: Annotated[Note, StringConstraints(min_length=1, strip_whitespace=True)] = Field(
        examples=["Have you looked at the night of the 12th?"]
    )


class DraftChange(Answer):
    """One rule of a draft. Rules are as `GET /rules/{id}` shows them."""

    rule: str
    base: dict[str, Any] | None = Field(None, description="In force when it was made; null: a new rule.")
    change: dict[str, Any] = Field(description="What shall be different.")
    after: dict[str, Any] | None = Field(None, description="The rule as it will be; null: gone.")


class DraftConflict(Answer):
    """A rule that is not any more what the draft was made from (or what it put in force)."""

    rule: str
    now: dict[str, Any] | None = Field(None, description="In force now; null: there is none.")


class DraftLine(Answer):
    """Who did what with it, when and why."""

    at: Moment
    by: str
    kind: Literal["propose", "comment", "approve", "reject", "withdraw", "apply", "return"]
    text: str | None = None


class SecondPerson(Answer):
    """Whether somebody else must approve, and whether there is anybody who could."""

    required: bool
    others: int = Field(description="People and tokens, beside the author, who may approve.")


class DraftShort(Answer):
    """A draft in a list."""

    id: str
    title: str = Field(examples=["SpO2 below 86 % instead of 88 %"])
    why: str | None = None
    scope: str
    state: State
    by: str = Field(description="Who proposed it.")
    at: Moment
    approved_by: str | None = None
    approved_at: Moment | None = None
    changes: list[DraftChange]


class Draft(DraftShort):
    """A draft with all that a second person needs to decide."""

    trial: dict[str, Any] | None = Field(
        None, description="The figures it rests on, as of `POST /rules/trial`; null: it was not tried."
    )
    conflicts: list[DraftConflict] = Field(
        description="Not empty: it can be neither approved nor put in force (or taken back)."
    )
    second_person: SecondPerson
    may: list[Act] = Field(description="What you may do with it now.")
    log: list[DraftLine] = Field(description="The earliest first.")
