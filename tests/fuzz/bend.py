"""Bending: a valid thing, changed a little or a lot, at the level of JSON, of text or of bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -0.0, 1, -1, 0.5, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64,
    -(2**63), 10**30, float("nan"), float("inf"), -float("inf"), "", " ", "0", "82", "NaN", "null", "ok",
    "motion", "\x00", "\ud800", "\u202e", "é", "😀", "'", '"', "\\", "{}", "a" * 63, "a" * 64, "a" * 65,
    "a" * 129, "a" * 5000, [], {}, [[]], [None], {"": {}}, [1, 2, 3], {"value": 82}, "2026-11-21T12:00:00Z",
    "2026-11-21T12:00:00.250+01:00", "2026-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "1969-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "0001-01-01T00:00:00-23:59", "2026-11-21T12:00:00",
    "2026-11-21", "12:00", "1e3", "0x10", "online", "offline",
)  # fmt: skip


def odd(random: Random) -> Any:
    """A fresh one of them: it may be bent itself."""
    return copy.deepcopy(random.choice(ODD))


BYTES: Final = b'{}[]",:0123456789eE+-. \t\n\r\\/ntfu\x00\xff\x80\xc3\xef\xbb\xbf\x1f\x7f'
WORDS: Final = (
    *(b"null", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"true", b'"hr"', b"\\u0000", b"\\ud800"),
    *(b"{" * 50, b"[" * 2000, b'{"a":' * 300, b"9" * 400, b"9" * 5000, b"\xef\xbb\xbf", b"\x00" * 8),
)


def bend_json(random: Random, thing: Any, names: Sequence[str]) -> Any:
    """One change somewhere in it: a value, a name, a piece more, less, twice, or in another place."""
    holders = [holder for holder in _holders(thing) if holder]
    if not holders or random.random() < 0.02:
        return odd(random)
    holder = random.choice(holders)
    key = random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    match random.randrange(7):
        case 0 | 1:
            holder[key] = odd(random)
        case 2:
            if isinstance(holder, dict):
                holder.pop(key)
            else:
                del holder[key]
        case 3:
            if isinstance(holder, dict):
                holder[random.choice(names)] = odd(random)
            else:
                holder.insert(key, odd(random))
        case 4:
            if isinstance(holder, dict):
                holder[random.choice(names)] = holder.pop(key)
            else:
                holder.extend(holder[:20])
        case 5:
            other = random.choice(holders)
            if isinstance(other, dict) and not isinstance(holder[key], dict | list):
                other[random.choice(names)] = holder[key]
        case _:
            holder[key] = [holder[key]] if random.random() < 0.5 else {random.choice(names): holder[key]}
    return thing


def _holders(thing: Any) -> list[Any]:
    """Every dict and list in it, itself included."""
    found, waiting = [], [thing]
    while waiting and len(found) < 200:
        one = waiting.pop()
        if isinstance(one, dict | list):
            found.append(one)
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return found


STYLES: Final = ((",", ":"), (", ", ": "), (" ,\n", " :\t"))


def written(random: Random, thing: Any) -> bytes:
    """As JSON, in one of the ways that devices write it."""
    text = json.dumps(thing, ensure_ascii=random.random() < 0.5, separators=random.choice(STYLES))
    return text.encode("utf-8", "surrogatepass")


def bend_bytes(random: Random, data: bytes) -> bytes:
    """One change of bytes: flipped, cut, put in, doubled, moved."""
    if not data:
        return bytes([random.choice(BYTES)])
    at, length = random.randrange(len(data)), random.choice((1, 1, 1, 2, 4, 16, 64))
    end = at + length
    match random.randrange(8):
        case 0:
            return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]
        case 1:
            return data[:at] + bytes([random.choice(BYTES)]) + data[at + 1 :]
        case 2:
            return data[:at]
        case 3:
            return data[:at] + data[end:]
        case 4:
            return data[:at] + random.choice(WORDS) + data[at:]
        case 5:
            return data[:end] + data[at:]
        case 6:
            return data[:at] + random.randbytes(length) + data[end:]
        case _:
            return data + data if len(data) < 2000 else data[end:] + data[:end]


def bend_text(random: Random, text: str, words: Sequence[str]) -> str:
    """One change of text: a line or word less, twice, moved, replaced; or of its bytes."""
    match random.randrange(7):
        case 0 | 1:
            bent = bend_bytes(random, text.encode("utf-8", "surrogatepass"))
            return bent.decode("utf-8", "replace")
        case 2:
            return _bend_parts(random, text.split("\n"), "\n", words)
        case 3 | 4:
            return _bend_parts(random, text.split(" "), " ", words)
        case 5:
            return _bend_parts(random, text.split('"'), '"', words)
        case _:
            at = random.randrange(len(text) + 1)
            return text[:at] + random.choice(words) + text[at:]


def _bend_parts(random: Random, parts: list[str], joint: str, words: Sequence[str]) -> str:
    at, other = random.randrange(len(parts)), random.randrange(len(parts))
    match random.randrange(4):
        case 0:
            del parts[at]
        case 1:
            parts.insert(other, parts[at])
        case 2:
            parts[at] = random.choice(words)
        case _:
            parts[at], parts[other] = parts[other], parts[at]
    return joint.join(parts)


def bent(random: Random, make: Callable[[], Any], bend: Callable[[Any], Any]) -> Any:
    """A fresh valid thing with none to eight changes; most have few, so that most of it is still right."""
    thing = make()
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 8))):
        thing = bend(thing)
    return thing
