"""What was told to whom, and how the channels do, as the API's JSON. No address, no secret, no patient."""

from __future__ import annotations

from typing import Any

from ward.clock import iso
from ward.notify.channels import Configured
from ward.notify.circuit import Condition
from ward.store.deliveries import Delay, Sent

Json = dict[str, Any]


def seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1000


def delivery_view(sent: Sent, *, in_real_time: bool) -> Json:
    """``signal_delay_s`` is None where the ward's clock is not the machine's."""
    return {
        "id": sent.id,
        "reason": sent.reason,
        "level": sent.level,
        "person": sent.person,
        "name": sent.text.get("to") or sent.person,
        "channel": sent.channel,
        "state": sent.state,
        "created_at": iso(sent.created),
        "sent_at": iso(sent.sent),
        "signal_delay_s": seconds(sent.raised_at, sent.sent) if in_real_time else None,
        "attempts": sent.attempts,
        "shown_by": sent.text.get("shown_by"),
        "error": sent.error,
    }


def test_view(sent: Sent) -> Json:
    """``sent_at``: its channel took it; ``seen_at``: a person said that it arrived."""
    view = delivery_view(sent, in_real_time=False)
    for name in ("reason", "level", "signal_delay_s"):
        del view[name]
    seen = {"seen_at": iso(sent.text.get("seen_at")), "seen_by": sent.text.get("seen_by")}
    screens = sorted(sent.text.get("screens", {}).items(), key=lambda one: one[1])
    shown = [{"name": name, "at": iso(at)} for name, at in screens]
    return {**view, "ward": sent.ward, "batch": sent.text.get("batch"), "screens": shown, **seen}


def channel_view(
    channel: Configured, condition: Condition, waiting: int, test: Sent | None, failure: Sent | None
) -> Json:
    return {
        "name": channel.name,
        "kind": channel.kind,
        "detail": channel.detail,
        "give_up_s": None if channel.give_up is None else channel.give_up / 1000,
        "broken_since": iso(condition.broken_since),
        "last_sent_at": iso(condition.last_sent_at),
        "last_error": condition.last_error,
        "last_error_at": iso(condition.last_error_at),
        "waiting": waiting,
        "last_test": None if test is None else test_view(test),
        "last_failure": None
        if failure is None
        else {"at": iso(failure.created), "ward": failure.ward, "error": failure.error},
    }


def delay_view(delay: Delay, *, in_real_time: bool) -> Json:
    """``condition_delay_s``: sustained to told of. ``signal_delay_s``: sustained to taken by the channel."""
    return {
        "alert": delay.alert,
        "ward": delay.ward or None,
        "bed": delay.bed or None,
        "rule": delay.rule,
        "priority": delay.priority,
        "kind": delay.kind,
        "late": delay.late,
        "breach_since": iso(delay.breach_since),
        "raised_at": iso(delay.raised_at),
        "announced_at": iso(delay.announced_at),
        "condition_delay_s": seconds(delay.raised_at, delay.announced_at),
        "reason": delay.reason,
        "level": delay.level,
        "person": delay.person,
        "channel": delay.channel,
        "state": delay.state,
        "sent_at": iso(delay.sent),
        "signal_delay_s": seconds(delay.raised_at, delay.sent) if in_real_time else None,
    }
