"""A pack as the text of a file: what ``ward.alerts.packs.parse_pack`` reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def pack_text(pack_id: str, title: str, source: str, rules: Sequence[Mapping[str, Any]]) -> str:
    """TOML of a pack with these rules (as ``rule_to_dict`` gives them); what is empty is left out."""
    head = {"id": pack_id, "title": title, "source": source}
    parts = [_table(head), *("[[rule]]\n" + _table(rule) for rule in rules)]
    return "\n".join(parts)


def _table(fields: Mapping[str, Any]) -> str:
    said = {name: value for name, value in fields.items() if value not in ("", [], {})}
    return "".join(f"{name} = {_value(value)}\n" for name, value in said.items())


def _value(value: Any) -> str:
    """JSON's texts and numbers are TOML's as well, but for the one control character that JSON lets stand."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
