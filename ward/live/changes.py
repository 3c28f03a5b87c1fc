"""What of a stay's view is other than in the one before: a few numbers a second in place of all of it. Pure.

    {"id": …, "view": {…}}     all of it, where nothing was told before
    {"id": …, "set": {…}, "signals": {…}, "parts": {…}, "news2": {…}, "devices": {…}, "pending": {…},
     "alerts": {…}}            only what is other

``set`` replaces members of the view. ``news2`` holds the members of NEWS2 that are other. All else holds, by
signal, by part of NEWS2, by device and by the id of what is pending or raised, the members of each that are
other; where one came or went, ``set`` has all of them. The view's own ``time`` is that of the event.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]
KEYS: Final = {"devices": "device", "pending": "id", "alerts": "id"}
"""Members of a view that are lists, and what tells their items apart."""
AGES: Final = {"devices": frozenset({"last_seen_at"}), "pending": frozenset({"left_s", "value"})}
"""Of those, what is other with each reading and said elsewhere, too: alone it is not told."""
CLOSER: Final = frozenset({"time", "signals", "news2", *KEYS})
"""Members of a view that are looked at more closely than whether they are other."""


def change(before: Json | None, after: Json, *, everything: bool) -> Json | None:
    """From ``before`` (None: unknown) to ``after``; None where nothing is to be told.

    ``everything``: also what is other with each reading: when devices were heard, the time left.
    """
    if before is None:
        return {"id": after["id"], "view": after}
    members = {name: v for name, v in after.items() if name not in CLOSER and before.get(name) != v}
    found = {"signals": _by_key(before["signals"], after["signals"])} | {
        name: _of_list(before[name], after[name], key, AGES.get(name, frozenset()), everything=everything)
        for name, key in KEYS.items()
    }
    members |= {name: after[name] for name, of in found.items() if of is None}
    told: Json = {name: of for name, of in found.items() if of}
    _news2(before["news2"], after["news2"], members, told)
    if members:
        told["set"] = members
    return {"id": after["id"], **told} if told else None


def _news2(old: Json | None, new: Json | None, members: Json, told: Json) -> None:
    if old == new:
        return
    parts = _by_key(old["parts"], new["parts"]) if old and new else None
    if parts is None:
        members["news2"] = new
        return
    assert old is not None
    assert new is not None
    own = {k: v for k, v in new.items() if k != "parts" and old[k] != v}
    told |= {name: found for name, found in (("news2", own), ("parts", parts)) if found}


def _by_key(old: Json, new: Json) -> Json | None:
    """By key the members that are other; None where keys came or went."""
    if old.keys() != new.keys():
        return None
    return {key: _members(old[key], item) for key, item in new.items() if old[key] != item}


def _of_list(
    old: list[Json], new: list[Json], key: str, ages: frozenset[str], *, everything: bool
) -> Json | None:
    """The same of lists, whose order counts; None also where two items have one key. What is other only by
    its age is left out, so that where anything is told the ages are, too: nobody knows them."""
    keys = [item[key] for item in new]
    if keys != [item[key] for item in old] or len(set(keys)) < len(keys):
        return None if old != new else {}
    told: Json = {}
    for was, item in zip(old, new, strict=True):
        other = _members(was, item)
        if everything or other.keys() - ages:
            told[item[key]] = other | {age: item[age] for age in ages}
    return {name: members for name, members in told.items() if members}


def _members(old: Json, new: Json) -> Json:
    return {k: v for k, v in new.items() if old[k] != v}
