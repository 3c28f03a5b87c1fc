"""Rules and their versions."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, model_validator

from ward.web.schemas.common import TITLES, Answer, InLanguages, Line, Moment, Request, Time

Text = Line


class RuleDefinition(Request):
    """A rule as in a pack. Durations are text such as `90s`, `10m`, `1.5h`."""

    id: Text | None = Field(None, description="If given, that of the path.", examples=["spo2-below-88"])
    title: Text = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: InLanguages | None = Field(
        None, description=TITLES, examples=[{"da": "SpO2 under 88 % i 10 min"}]
    )
    priority: Literal["high", "medium", "low"]
    kind: Literal["physiological", "technical"] = "physiological"
    when: list[Text] = Field(
        min_length=1,
        max_length=16,
        description="All of these: `signal op number` (`< <= > >=`) or `signal absent`.",
        examples=[["spo2 < 88"]],
    )
    for_: Text = Field(alias="for", description="How long in breach, within `within`.", examples=["10m"])
    within: Text | None = Field(None, description="Default: `for`, so continuously.", examples=["10m"])
    gap: Text | None = Field(None, description="Unknown for up to this is bridged.", examples=["10m"])
    min_readings: int | None = Field(None, ge=1, le=1_000, strict=True, examples=[2])
    clear_when: list[Text] | None = Field(None, max_length=16, examples=[["spo2 >= 90"]])
    clear_for: Text | None = Field(None, description="Default: 2 min.", examples=["2m"])
    unless: list[Text] | None = Field(
        None, max_length=32, description="Flags of a stay that disable it.", examples=[["copd"]]
    )
    inhibits: list[Text] | None = Field(
        None,
        max_length=64,
        description="Rules it suppresses while pending.",
        examples=[["spo2-below-92"]],
    )
    evidence: Text | None = Field(None, description="Why it is as it is, for who reads it.")


READ_ONLY: Final = frozenset({"scope", "version", "by", "at"})


class RuleChange(RuleDefinition):
    """What shall be different; fields that are left out stay. A rule as it was read may be sent back whole:
    `scope`, `version`, `by` and `at` are then passed over."""

    title: Text | None = Field(None, examples=["SpO2 below 86 % for 5 min"])  # type: ignore[assignment]
    priority: Literal["high", "medium", "low"] | None = Field(None, examples=["high"])  # type: ignore[assignment]
    kind: Literal["physiological", "technical"] | None = None  # type: ignore[assignment]
    when: list[Text] | None = Field(None, min_length=1, max_length=16, examples=[["spo2 < 86"]])  # type: ignore[assignment]
    for_: Text | None = Field(None, alias="for", examples=["5m"])  # type: ignore[assignment]

    until: Time | None = Field(None, description="Of limits of one patient (`?stay=`): when they end.")
    why: Line | None = Field(None, description="For whoever reads the history.", examples=["known COPD"])

    @model_validator(mode="before")
    @classmethod
    def pass_over(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name not in READ_ONLY}


class PackRule(Answer):
    """A rule as a pack has it, with every option that is not left to its default."""

    id: str = Field(examples=["spo2-below-88"])
    title: str = Field(examples=["SpO2 below 88 % for 10 min"])
    titles: InLanguages = Field(default_factory=dict, description=TITLES)
    priority: Literal["high", "medium", "low"]
    kind: Literal["physiological", "technical"]
    when: list[str] = Field(examples=[["spo2 < 88"]])
    for_: str = Field(alias="for", examples=["10m"])
    within: str | None = Field(None, examples=["10m"])
    gap: str | None = Field(None, examples=["10m"])
    min_readings: int = 2
    clear_when: list[str] = Field(default_factory=list)
    clear_for: str = Field(examples=["2m"])
    unless: list[str] = Field(default_factory=list)
    inhibits: list[str] = Field(default_factory=list)
    evidence: str = Field("", description="Why it is as it is, as the pack says.")


class Rule(PackRule):
    """A rule in force, with where it comes from."""

    scope: str = Field(
        description="Where it is defined: `pack`, `all`, `ward:X`, `stay:Y`.", examples=["ward:6A"]
    )
    version: int = Field(description="Of the definition in that scope; 0 for the pack's own.", examples=[3])
    by: str | None = Field(None, description="Who set it; null for the pack's own.")
    at: Moment | None = None
    until: Moment | None = Field(None, description="When a patient's own limits end by themselves.")


class RuleVersion(Answer):
    """What a rule was: every change is kept, with who made it."""

    rule_id: str
    scope: str
    version: int
    definition: dict[str, object]
    by: str
    at: Moment
    retired: bool = Field(False, description="Not in force in this scope.")
    follows: bool = Field(
        False, description="The scope has none of its own any more: the next wider one is in force again."
    )
    draft: str | None = Field(None, description="By which it came.")
    proposed_by: str | None = None
    approved_by: str | None = None
    why: str | None = None
    until: Moment | None = Field(None, description="It ends by itself then.")
