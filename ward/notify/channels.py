"""What a channel is, and the ways in which sending fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ward.notify.message import Message

SENT_WITHIN_S = 12.0
"""A channel has sent or failed in this time, well inside a lease."""


class Failed(Exception):  # noqa: N818 - a state of a delivery, told as such
    """It did not get through, and may if it is tried again.

    The text may be shown: it holds no address, no URL and no secret. ``after_s``: the other side asks not to
    be tried again before then.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Refused(Failed):
    """It did not get through, and will not however often it is tried."""


class Unconfirmed(Failed):
    """It was passed on, and nobody has confirmed it yet. Says nothing against the channel."""


class Channel(Protocol):
    """One way to people. Used by several threads at once."""

    def send(self, message: Message) -> None:
        """Returns when the other side has taken it; raises ``Failed``. Within ``SENT_WITHIN_S``."""
        ...

    def close(self) -> None:
        """Let go of connections; nothing is sent any more."""
        ...


@dataclass(frozen=True, slots=True)
class Configured:
    """A channel with what the sender must know of it. Times in ms.

    ``give_up``: how long one delivery is tried, None: as long as the ward's plan says. ``parallel``: how
    many are sent at once. ``detail``: what may be said through it. ``test_to``: the address that test
    alerts go to where nobody's is known. ``confirmed``: sending only hands it on, which takes no time, and
    somebody else says that it arrived; until then it is repeated.
    """

    name: str
    kind: str
    channel: Channel
    give_up: int | None
    parallel: int
    detail: str
    test_to: str | None = None
    confirmed: bool = False
