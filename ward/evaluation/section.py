"""One part of the report on alert quality: its text, its figures as data, its pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Progress = Callable[[str, float], None]
"""Told what is being done and which share (0..1) of the part is over."""
Draw = Callable[[Any], None]
"""Draws into an empty matplotlib ``Figure``."""


@dataclass(frozen=True, slots=True)
class Section:
    """text: Markdown below the title; figures: every number in it, nested, as JSON; pictures: by file name
    without ending, referred to in the text as ``images/alert-quality/NAME.svg``."""

    title: str
    text: str
    figures: Json
    pictures: Mapping[str, Draw] = field(default_factory=dict)
