"""What tests read out of messages."""

import json
from datetime import datetime

START = 1_764_000_000_000
"""24 November 2025, 16:00 UTC."""
MINUTE = 60_000
HOUR = 60 * MINUTE


def samples_of(message):
    """The samples of a vitals message, in order."""
    content = json.loads(message.payload)
    return content.get("samples", [content])


def vitals(messages, device=None):
    return [m for m in messages if m.what == "vitals" and device in (None, m.device)]


def samples(messages, device=None):
    """(arrival ms since START, device's time ms since START, sample) of every sample, as they arrive."""
    return [
        (message.at - START, ms_of(sample["time"]), sample)
        for message in vitals(messages, device)
        for sample in samples_of(message)
    ]


def ms_of(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000) - START


def within(found, lo, hi):
    """Samples whose device time is in [lo, hi)."""
    return [sample for _, time, sample in found if lo <= time < hi]


def values(found, signal):
    """A signal's values of samples, or of what ``samples`` gives."""
    bare = [sample[2] if isinstance(sample, tuple) else sample for sample in found]
    return [sample["readings"].get(signal) for sample in bare]
