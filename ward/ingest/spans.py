"""A set of whole numbers that mostly grow by one, as spans: where each begins, and where it ends."""

from __future__ import annotations

from bisect import bisect_right


def insert(firsts: list[int], lasts: list[int], number: int) -> bool:
    """Put ``number`` in; False, and nothing changes, where a span has it already."""
    if lasts and lasts[-1] == number - 1:
        lasts[-1] = number
        return True
    at = bisect_right(firsts, number)  # spans before ``at`` begin at or before it
    if at and number <= lasts[at - 1]:
        return False
    follows = at > 0 and lasts[at - 1] == number - 1
    leads = at < len(firsts) and firsts[at] == number + 1
    if follows and leads:
        lasts[at - 1] = lasts[at]
        del firsts[at], lasts[at]
    elif follows:
        lasts[at - 1] = number
    elif leads:
        firsts[at] = number
    else:
        firsts.insert(at, number)
        lasts.insert(at, number)
    return True
