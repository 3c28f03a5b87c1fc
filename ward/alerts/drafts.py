"""The life of a draft: a change of rules that one proposes, another approves, and either puts in force.

The states and what leads from one to the next are a table; nothing here knows where drafts are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ward.errors import ConflictError, ForbiddenError

State = Literal["proposed", "approved", "rejected", "withdrawn", "applied", "returned"]
Act = Literal["approve", "reject", "withdraw", "apply", "return"]


@dataclass(frozen=True, slots=True)
class Move:
    """``unchanged``: the rules must still be as they were when the draft was made (or put in force)."""

    before: frozenset[State]
    after: State
    unchanged: bool = False


OPEN: Final[frozenset[State]] = frozenset({"proposed", "approved"})
MOVES: Final[Mapping[Act, Move]] = {
    "approve": Move(frozenset({"proposed"}), "approved", unchanged=True),
    "reject": Move(OPEN, "rejected"),
    "withdraw": Move(OPEN, "withdrawn"),
    "apply": Move(frozenset({"approved"}), "applied", unchanged=True),
    "return": Move(frozenset({"applied"}), "returned", unchanged=True),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts. ``id`` outlasts a session where she has an account; ``name`` is what people read."""

    id: str
    name: str

    def is_same(self, other: Person) -> bool:
        """One person with two sessions is one person; so is, to be careful, who goes by the same name."""
        return self.id == other.id or self.name.casefold() == other.name.casefold()


@dataclass(frozen=True, slots=True)
class Second:
    """Whether a second person must approve; ``others``: how many there are who could."""

    required: bool
    others: int


def leads_from(act: Act, second: Second) -> frozenset[State]:
    """Where nobody else need approve, what is proposed may be put in force at once."""
    move = MOVES[act]
    return move.before | {"proposed"} if act == "apply" and not second.required else move.before


def require(act: Act, state: State, author: Person, who: Person, second: Second) -> State:
    """The state after it.

    Raises ConflictError where the state does not allow it, ForbiddenError where this person may not.
    """
    if state not in leads_from(act, second):
        if (act, state) == ("apply", "proposed"):
            raise ConflictError(UNAPPROVED, state=state, code="draft-unapproved")
        raise ConflictError(f"this draft is {state}", state=state, code="draft-state")
    if act == "approve" and second.required and author.is_same(who):
        code = "draft-own" if second.others else "draft-alone"
        raise ForbiddenError(OWN if second.others else ALONE, code=code)
    if act == "withdraw" and not author.is_same(who):
        raise ForbiddenError(
            "only who proposed a draft withdraws it; others reject it", code="draft-withdraw"
        )
    return MOVES[act].after


UNAPPROVED: Final = "this draft is not approved by a second person yet"
OWN: Final = "you proposed this: a second person must approve it"
ALONE: Final = (
    f"{OWN}, and there is nobody else here who may. Add a clinician or an admin (Menu, or `ward user add`); "
    "where one person answers for the rules alone, the setting WARD_SECOND_PERSON=false says so"
)

PROVENANCE: Final = frozenset({"by", "at"})
"""What of a rule in force says who made it, and not what it is."""


def is_changed(base: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Whether a rule (as the API shows it; None: there is none) is another than it was."""
    if base is None or now is None:
        return base is not now

    def kept(rule: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in rule.items() if name not in PROVENANCE}

    return kept(base) != kept(now)
