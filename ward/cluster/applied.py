"""A stay's view, made again from what was other in it: ``ward.live.changes`` the other way round. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ward.live.changes import KEYS

Json = dict[str, Any]


def applied(view: Json | None, told: Mapping[str, Any], time: str) -> Json:
    """The view after the change, as it was at ``time``; the one before stays as it was. Raises KeyError where
    the change is of a view that is not known."""
    if "view" in told:
        return dict(told["view"])
    if view is None:
        raise KeyError(told["id"])
    after = {**view, "time": time, **told.get("set", {})}
    if signals := told.get("signals"):
        after["signals"] = _by_key(after["signals"], signals)
    if other := (told.get("news2"), told.get("parts")):
        own, parts = other
        if own or parts:
            news2 = {**after["news2"], **(own or {})}
            after["news2"] = {**news2, "parts": _by_key(news2["parts"], parts or {})}
    for name, key in KEYS.items():
        if changed := told.get(name):
            after[name] = [{**item, **changed.get(item[key], {})} for item in after[name]]
    return after


def _by_key(items: Mapping[str, Json], changed: Mapping[str, Json]) -> Json:
    return {key: {**item, **changed.get(key, {})} for key, item in items.items()}
