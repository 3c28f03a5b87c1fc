"""The life of an alert as one table (vocabulary of ISA-18.2): state x input -> state.

Inputs that the engine and the clock give:

- ``sustain``   the breach is sustained and nothing but an inhibition keeps it from being told
- ``clear``     the breach is over
- ``expire``    the shelf's time is up
- ``outrank``   an alert of higher priority came up in the same episode, or the rule's own rose
- ``end``       the stay ended, a flag disabled the rule, the rule is gone

- ``lapse``     nobody confirmed in time what was handed over to her

and those of a person: ``acknowledge``, ``hand-over``, ``shelve``, ``unshelve``, ``undo`` (her own last act,
what it set is as it was before).

The first row whose state, input and guard fit is taken. Where none fits, the input changes nothing
(engine, clock) or is refused (person). What is ``closed`` stays over, a new breach is a new alert; only who
took it by mistake may take that back. A breach that is not sustained has no alert; it starts here as
``pending``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ward.alerts.model import State

Input = Literal[
    "sustain", "clear", "expire", "outrank", "lapse", "end",
    "acknowledge", "hand-over", "shelve", "unshelve", "undo",
]  # fmt: skip
Guard = Literal[
    "", "inhibited", "sustained", "raised", "latching", "untold and inhibited", "free", "shelved", "taken"
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What guards may ask, as it is once the input has happened."""

    sustained: bool = False
    """the breach is raised and not cleared"""
    inhibited: bool = False
    """a raised alert of the stay inhibits this rule"""
    latching: bool = False
    """a raised high alert that nobody acknowledged"""
    raised: bool = False
    """it was sustained at some time"""
    told: bool = False
    """it was announced at some time"""
    shelved: bool = False
    """a shelf is in force"""
    taken: bool = False
    """an acknowledgement is in force"""


GUARDS: Final[dict[Guard, Callable[[Facts], bool]]] = {
    "": lambda _: True,
    "inhibited": lambda f: f.inhibited,
    "free": lambda f: not f.inhibited,
    "sustained": lambda f: f.sustained,
    "raised": lambda f: f.raised,
    "latching": lambda f: f.latching,
    # Only pending alerts are suppressed: one that was told before its shelf comes back as it was.
    "untold and inhibited": lambda f: f.sustained and f.inhibited and not f.told,
    "shelved": lambda f: f.shelved,
    "taken": lambda f: f.taken,
}


class Row(NamedTuple):
    state: State
    input: Input
    guard: Guard
    target: State
    event: str


TABLE: Final[tuple[Row, ...]] = (
    Row("pending", "sustain", "inhibited", "suppressed", "suppressed"),
    Row("pending", "sustain", "", "active", "raised"),
    Row("pending", "shelve", "", "shelved", "shelved"),
    #
    Row("suppressed", "sustain", "free", "active", "raised"),
    Row("suppressed", "clear", "", "closed", "cleared"),
    Row("suppressed", "shelve", "", "shelved", "shelved"),
    Row("suppressed", "end", "", "closed", "closed"),
    #
    Row("active", "acknowledge", "", "acknowledged", "acknowledged"),
    Row("active", "hand-over", "", "acknowledged", "handed-over"),
    Row("active", "clear", "latching", "returned", "cleared"),
    Row("active", "clear", "", "closed", "cleared"),
    Row("active", "shelve", "", "shelved", "shelved"),
    Row("active", "end", "", "closed", "closed"),
    #
    Row("acknowledged", "acknowledge", "", "acknowledged", "acknowledged"),
    Row("acknowledged", "hand-over", "", "acknowledged", "handed-over"),
    Row("acknowledged", "lapse", "", "active", "hand-over-lapsed"),
    Row("acknowledged", "undo", "shelved", "shelved", "undone"),
    Row("acknowledged", "undo", "taken", "acknowledged", "undone"),
    Row("acknowledged", "undo", "", "active", "undone"),
    Row("acknowledged", "outrank", "", "active", "acknowledgement-broken"),
    Row("acknowledged", "clear", "", "closed", "cleared"),
    Row("acknowledged", "shelve", "", "shelved", "shelved"),
    Row("acknowledged", "end", "", "closed", "closed"),
    #
    Row("returned", "sustain", "", "active", "raised-again"),
    Row("returned", "acknowledge", "", "closed", "acknowledged"),
    Row("returned", "shelve", "", "shelved", "shelved"),
    Row("returned", "end", "", "closed", "closed"),
    # A shelf mutes the stay's rule: breaches begin and end under it, and it ends by time or by hand.
    Row("shelved", "sustain", "", "shelved", "sustained"),
    Row("shelved", "clear", "", "shelved", "cleared"),
    Row("shelved", "shelve", "", "shelved", "shelved"),
    Row("shelved", "acknowledge", "sustained", "acknowledged", "acknowledged"),
    Row("shelved", "acknowledge", "raised", "closed", "acknowledged"),
    Row("shelved", "unshelve", "untold and inhibited", "suppressed", "unshelved"),
    Row("shelved", "unshelve", "sustained", "active", "unshelved"),
    Row("shelved", "unshelve", "latching", "returned", "unshelved"),
    Row("shelved", "unshelve", "", "closed", "unshelved"),
    Row("shelved", "expire", "untold and inhibited", "suppressed", "shelf-expired"),
    Row("shelved", "expire", "sustained", "active", "shelf-expired"),
    Row("shelved", "expire", "latching", "returned", "shelf-expired"),
    Row("shelved", "expire", "", "closed", "shelf-expired"),
    Row("shelved", "undo", "shelved", "shelved", "undone"),
    Row("shelved", "undo", "taken", "acknowledged", "undone"),
    Row("shelved", "undo", "sustained", "active", "undone"),
    Row("shelved", "undo", "latching", "returned", "undone"),
    Row("shelved", "end", "", "closed", "closed"),
    # It closed because somebody had taken it, and that was a mistake.
    Row("closed", "undo", "shelved", "shelved", "undone"),
    Row("closed", "undo", "latching", "returned", "undone"),
)

_BY_STATE: Final[dict[tuple[State, Input], tuple[Row, ...]]] = {
    key: tuple(row for row in TABLE if (row.state, row.input) == key)
    for key in {(row.state, row.input) for row in TABLE}
}


def step(state: State, given: Input, facts: Facts) -> Row | None:
    """The row that applies, or None where the input means nothing in this state."""
    rows = _BY_STATE.get((state, given), ())
    return next((row for row in rows if GUARDS[row.guard](facts)), None)
