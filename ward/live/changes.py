"""What of a stay's view is other than in the one before: a few numbers a second in place of all of it. Pure.

    {"id": …, "view": {…}}                                 all of it, where nothing was told before
    {"id": …, "set": {…}, "signals": {…}, "parts": {…}}    only what is other

``set`` replaces members of the view; ``signals`` holds by signal, and ``parts`` by part of NEWS2, the members
that are other. The view's own ``time`` is that of the event.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]
BY_MEMBER: Final = frozenset({"time", "signals", "news2", "devices", "pending"})
"""Members of a view that are looked at more closely than whether they are other."""
AGES: Final = {"devices": {"last_seen_at": None}, "pending": {"left_s": None, "value": None}}
"""Of lists, what is other with each reading and said elsewhere, too: alone it is not told."""


def change(before: Json | None, after: Json, *, everything: bool) -> Json | None:
    """From ``before`` (None: unknown) to ``after``; None where nothing is to be told.

    ``everything``: also when devices were heard, which changes with each reading.
    """
    if before is None:
        return {"id": after["id"], "view": after}
    members = {name: v for name, v in after.items() if name not in BY_MEMBER and before.get(name) != v}
    told: Json = {}
    for name, ages in AGES.items():
        old, new = before[name], after[name]
        if old != new and (everything or not _same(old, new, ages)):
            members[name] = new
    for name, inside in (("signals", "signals"), ("news2", "parts")):
        old, new = before[name], after[name]
        if old == new:
            continue
        parts = _inside(name, old, new)
        if parts is None:
            members[name] = new
        else:
            told[inside] = parts
    if members:
        told["set"] = members
    return {"id": after["id"], **told} if told else None


def _inside(name: str, old: Any, new: Any) -> Json | None:
    """By key the members that are other, None where that does not say all."""
    if name == "news2":
        if not old or not new or any(old[k] != new[k] for k in new if k != "parts"):
            return None
        old, new = old["parts"], new["parts"]
    if old.keys() != new.keys():
        return None
    return {
        key: {k: v for k, v in item.items() if old[key][k] != v}
        for key, item in new.items()
        if old[key] != item
    }


def _same(old: list[Json], new: list[Json], ages: Json) -> bool:
    return len(old) == len(new) and all({**a, **ages} == {**b, **ages} for a, b in zip(old, new, strict=True))
