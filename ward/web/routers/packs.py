"""Packs of rules: those that come with ward, what is in force as a pack, and what somebody writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.alerts.pack_text import pack_text
from ward.alerts.packs import BUILT_IN, Pack, PackError, Problem, load_pack, parse_pack, rule_to_dict
from ward.errors import NotFoundError
from ward.web.access import RuleReader, Tuner
from ward.web.describe import API, answers
from ward.web.routers.rules import scope_of
from ward.web.schemas.common import Id, Page
from ward.web.schemas.packs import CheckedPack, PackShort, PackText
from ward.web.schemas.packs import Pack as PackShape
from ward.web.service_protocol import Json, Service
from ward.web.shared import InWard, Svc, send

router = APIRouter(prefix=f"{API}/packs", tags=["packs"])

IN_FORCE: Final = "in-force"
_OF_A_PLACE: Final = frozenset({"scope", "version", "by", "at", "until"})
"""What a rule in force tells beside what a pack may say of it."""
_RULE: Final = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)
_NUMBER: Final = re.compile(r"no\. (\d+)")


@router.get("", summary="The packs that come with ward", responses=answers(Page[PackShort]))
async def list_(service: Svc, who: RuleReader) -> Response:
    """To read, and to compare with what is in force."""

    def short(name: str) -> Json:
        pack = load_pack(name)
        return {
            **{key: getattr(pack, key) for key in ("id", "title", "source")},
            "rules": len(pack.rules),
            "started_with": pack.id == service.pack.id,
        }

    return send({"items": [await run_in_threadpool(short, name) for name in BUILT_IN], "next": None})


@router.get("/{pack}", summary="A pack, as rules and as a file", responses=answers(PackShape, 404))
async def get(
    pack: Annotated[Id, Path(description="One of the list, or `in-force`.", examples=["in-force"])],
    service: Svc,
    who: RuleReader,
    ward: InWard = None,
) -> Response:
    """`in-force` is the pack of the start with every change since, for all wards or for one."""
    if pack == IN_FORCE:
        return send(_in_force(service, await scope_of(service, who, ward, None)))
    if pack not in BUILT_IN:
        raise NotFoundError(f"no pack {pack}; there are {', '.join((*BUILT_IN, IN_FORCE))}")
    return send(_shown(await run_in_threadpool(load_pack, pack)))


@router.post("/check", summary="Whether a pack is valid", responses=answers(CheckedPack))
async def check(body: PackText, who: Tuner) -> Response:
    """Nothing changes by it. All that is wrong is told at once, each with its place in the text."""

    def read() -> Json:
        try:
            return {"pack": _shown(parse_pack(body.toml, "pack")), "problems": []}
        except PackError as error:
            return {"pack": None, "problems": [_problem(body.toml, one) for one in error.problems]}

    return send(await run_in_threadpool(read))


def _shown(pack: Pack) -> Json:
    rules = [rule_to_dict(rule) for rule in pack.rules]
    return {
        "id": pack.id,
        "title": pack.title,
        "source": pack.source,
        "rules": rules,
        "toml": pack_text(pack.id, pack.title, pack.source, rules),
    }


def _in_force(service: Service, scope: str) -> Json:
    rules: Sequence[Json] = [
        {name: value for name, value in rule.items() if name not in _OF_A_PLACE}
        for rule in service.rules(scope)
    ]
    start = service.pack
    name = f"{start.id}-{scope.partition(':')[2]}" if ":" in scope else start.id
    return {
        "id": name,
        "title": start.title,
        "source": start.source,
        "rules": rules,
        "toml": pack_text(name, start.title, start.source, rules),
    }


def _problem(text: str, problem: Problem) -> Json:
    return {
        "rule": problem.rule,
        "field": problem.field,
        "found": problem.found,
        "allowed": problem.allowed,
        "line": _line(text, problem),
    }


def _line(text: str, problem: Problem) -> int | None:
    """Of the field in its rule, else of the rule; what TOML itself could not read says where."""
    if said := re.search(r"\(at line (\d+)", problem.found):
        return int(said[1])
    begin, end = 0, len(text)
    starts = [found.start() for found in _RULE.finditer(text)]
    if problem.rule is not None:
        at = _place(text, starts, problem.rule)
        if at is None:
            return None
        begin, end = at
    elif starts:
        end = starts[0]
    if problem.field is not None:
        named = re.compile(rf"^\s*{re.escape(problem.field)}\s*[=.]", re.MULTILINE)
        if found := named.search(text, begin, end):
            begin = found.start() + len(found[0]) - len(found[0].lstrip())
    return text.count("\n", 0, begin) + 1 + (text[begin : begin + 1] == "\n")


def _place(text: str, starts: Sequence[int], rule: str) -> tuple[int, int] | None:
    """From where to where a rule stands, by its id or as ``no. 3``."""
    ends = [*starts[1:], len(text)]
    if numbered := _NUMBER.fullmatch(rule):
        number = int(numbered[1]) - 1
        return (starts[number], ends[number]) if number < len(starts) else None
    named = re.compile(rf'^\s*id\s*=\s*["\']{re.escape(rule)}["\']', re.MULTILINE)
    for begin, end in zip(starts, ends, strict=True):
        if named.search(text, begin, end):
            return begin, end
    return None
