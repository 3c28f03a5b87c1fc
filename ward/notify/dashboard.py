"""The dashboard as a channel: delivered when an open page says that it shows the alert.

That a stream is open says little: a screen whose cable was pulled has one for minutes, and a page behind
others shows nobody anything. So each page that receives a notice of a ward it shows, and that is on top,
answers; that answer (``ward.store.deliveries.confirm_shown``), and nothing else, makes the delivery ``sent``.
Without one it is repeated, and given up like everything else: an empty room is not told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ward.notify.channels import Unconfirmed
from ward.notify.message import Message

Publish = Callable[[str, dict[str, Any]], int]
"""Tells the open pages that see a ward; how many those are."""


class Dashboard:
    """``publish(ward, notice)`` hands a notice to every open page that sees the ward."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    def send(self, message: Message) -> None:
        notice = {
            "id": message.delivery,
            "ward": message.ward,
            "alert": message.alert,
            "reason": message.reason,
            "text": message.text,
        }
        pages = self._publish(message.ward, notice)
        if not pages:
            raise Unconfirmed("no dashboard of the ward is open")
        raise Unconfirmed("no dashboard has said that it shows it")

    def close(self) -> None:
        """Pages come and go by themselves."""
