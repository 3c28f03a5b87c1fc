"""Packs: sets of rules, as they come with ward, as they are in force, as somebody writes them."""

from __future__ import annotations

from pydantic import Field

from ward.web.schemas.common import Answer, Request
from ward.web.schemas.rules import PackRule


class PackShort(Answer):
    """A pack in a list."""

    id: str = Field(examples=["ward-rct-2025"])
    title: str = Field(examples=["WARD randomised trial, 2025"])
    source: str = Field(description="Where its rules come from.")
    rules: int = Field(description="How many it has.", examples=[18])
    started_with: bool = Field(description="The service was started with it (`WARD_PACK`).")


class Pack(Answer):
    """A pack, as rules and as the text of a file."""

    id: str
    title: str
    source: str
    rules: list[PackRule]
    toml: str = Field(description="What a file of it holds.", examples=['id = "default"\n'])


class PackText(Request):
    """The text of a pack's file."""

    toml: str = Field(max_length=500_000, examples=['id = "mine"\n'])


class PackProblem(Answer):
    """One thing that is wrong in it."""

    rule: str | None = Field(None, description="Its id, or its number; null: the pack's own.")
    field: str | None = Field(None, examples=["when"])
    found: str = Field(examples=["'spo3'"])
    allowed: str = Field(examples=["a signal"])
    line: int | None = Field(None, description="Where in the text, from 1; null where it is nowhere.")


class CheckedPack(Answer):
    """What the text says, or all that is wrong with it."""

    pack: Pack | None = None
    problems: list[PackProblem]
