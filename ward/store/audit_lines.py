"""Audit lines as other programs read them: JSON lines, and syslog (RFC 5424)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from ward.clock import iso
from ward.store.audit import Line

PRIORITY: Final = {"done": 13 * 8 + 6, "asked": 13 * 8 + 6, "refused": 13 * 8 + 4, "failed": 13 * 8 + 3}
"""Facility 13 (log audit); informational, warning or error."""


def line_view(line: Line) -> dict[str, Any]:
    """As the API shows it: ``at`` in RFC 3339, ``detail`` as an object."""
    return {**asdict(line), "at": iso(line.at), "detail": json.loads(line.detail)}


def to_jsonl(line: Line) -> str:
    """One line of JSON, ASCII, without a line break; with ``seq`` and ``hash`` as the trail has them."""
    return json.dumps(line_view(line), ensure_ascii=True, separators=(",", ":"))


def to_syslog(line: Line, host: str) -> str:
    """One RFC 5424 message: MSGID is the action, the message is the line as JSON.

    What a person or a device chose stands only inside the JSON, where it is escaped.
    """
    action = "".join(c for c in line.action if "!" <= c <= "~")[:32] or "-"
    name = "".join(c for c in host if "!" <= c <= "~")[:255] or "-"
    return f"<{PRIORITY.get(line.outcome, 109)}>1 {iso(line.at)} {name} ward - {action} - {to_jsonl(line)}"
