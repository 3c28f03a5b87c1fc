"""Whatever is refused can be said in the reader's language: by a code, or by the words for a field."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

import ward

ROOT: Final = Path(ward.__file__).parent
SERVED: Final = ("web", "live", "alerts", "store", "reports", "trial", "cluster")
REFUSALS: Final = frozenset(
    {
        "ConflictError", "CrossSiteError", "DoneError", "ForbiddenError", "InvalidError", "KeyReusedError",
        "PreconditionError", "PreconditionRequiredError", "SecondPersonError",
    }
)  # fmt: skip
"""What reaches a person as it is worded; what is not there, a fault and "not now" have words of their own."""
NOT_SERVED: Final = (
    "trial/files.py", "trial/labels.py", "store/audit_head.py", "store/partition.py", "store/lease.py",
)  # fmt: skip
"""For the command line and the start of a service."""
OF_THE_COMMAND_LINE: Final = (
    "is not over: discharge the patient first",
    "the audit trail does not hold at line",
)
PASSED_ON: Final = "trial/process.py"
"""With the ``extra`` of what was raised in another process."""


NO_SCREEN_ASKS_SO: Final = (
    "`labels` are of",
    "`scopes` are of",
    "`start` and `end`",
    "a recording has no stays",
    "a scope is a ward",
    "a threshold must be a finite",
    "a time with an offset",
    "at least one signal",
    "either `login`",
    "either `trial`",
    "more than x bins",
    "more than x readings",
    "no stay x in",
    "nothing to try",
    "only limits of one patient",
    "resolution must be",
    "say by whose rules",
    "say which device",
    "scope must be all",
    "scopes are of the role",
    "the id in the body",
    "this trial was of",
    "thresholds x: must",
    "unknown signal",
)
"""What only a caller of the API can get wrong, who reads English: its words would weigh on every screen."""


def keys_of(catalogue: str) -> list[str]:
    text = (ROOT / "web/ui/src/text/en" / catalogue).read_text()
    found = re.findall(r"""^    (?:"((?:[^"\\]|\\.)*)"|'([^']*)'): """, text, re.MULTILINE)
    return [json.loads(f'"{one}"') if one else other for one, other in found]


def pattern(template: str) -> re.Pattern[str]:
    """As ``patternOf`` of ``ui/src/lib/faults.ts``."""
    return re.compile(
        "".join(".*" if part[0] == "{" else re.escape(part) for part in split(template)), re.DOTALL
    )


def split(template: str) -> list[str]:
    return [part for part in re.split(r"(\{\w+\})", template) if part]


FAULTS: Final = keys_of("faults.ts")


def template_of(words: str) -> str | None:
    """The first that fits counts."""
    return next((key for key in FAULTS if pattern(key).fullmatch(words)), None)


def worded(node: ast.expr) -> str | None:
    """What is said, with an x for what it speaks of; None: made elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "x" for v in node.values)
    return None


def refusals() -> Iterator[tuple[str, str | None, set[str]]]:
    """Where it is raised, what is said, and with which keywords."""
    for file in sorted(path for room in SERVED for path in (ROOT / room).rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name in {*NOT_SERVED, PASSED_ON}:
            continue
        tree = ast.parse(file.read_text())
        said = {
            (target.id, node.lineno): node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS
            ):
                continue
            words = node.args[0]
            if isinstance(words, ast.Name):  # said just before
                before = [
                    value for (id, line), value in said.items() if id == words.id and line < node.lineno
                ]
                words = before[-1] if before else words
            yield f"{name}:{node.lineno}", worded(words), {k.arg or "" for k in node.keywords}


def test_every_refusal_has_a_code_or_words_for_its_field() -> None:
    found = list(refusals())
    assert len(found) > 100
    mute = [
        (where, words)
        for where, words, keywords in found
        if "code" not in keywords
        and not any(one in (words or "") for one in OF_THE_COMMAND_LINE)
        and not (words or "").startswith(NO_SCREEN_ASKS_SO)
        and not ("field" in keywords and words and template_of(words.partition("; allowed: ")[0]))
    ]
    assert mute == []


def test_every_check_of_a_schema_has_words() -> None:
    raised = [
        worded(node.args[0])
        for file in sorted((ROOT / "web/schemas").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ValueError"
    ]
    assert len(raised) > 10
    known = [words or "" for words in raised if not (words or "").startswith(NO_SCREEN_ASKS_SO)]
    assert [words for words in known if template_of(words) is None] == []


AT_LEAST: Final = "List should have at least {least} item{s} after validation{n}"
AT_MOST: Final = "List should have at most {most} item{s} after validation{n}"


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


@pytest.mark.parametrize(
    ("kind", "value", "template"),
    [
        (Sent, {}, "Field required"),
        (Sent, {"name": "a", "more": 1}, "Extra inputs are not permitted"),
        (Annotated[str, Field(min_length=1)], "", "String should have at least {least} character{s}"),
        (Annotated[str, Field(min_length=2)], "", "String should have at least {least} character{s}"),
        (Annotated[str, Field(max_length=1)], "ab", "String should have at most {most} character{s}"),
        (Annotated[list[int], Field(min_length=1)], [], AT_LEAST),
        (Annotated[list[int], Field(max_length=1)], [1, 2], AT_MOST),
        (Annotated[str, Field(pattern="^a$")], "b", "String should match pattern {what}"),
        (Annotated[float, Field(ge=1)], 0, "Input should be greater than or equal to {least}"),
        (Annotated[float, Field(gt=1)], 0, "Input should be greater than {least}"),
        (Annotated[int, Field(le=1)], 2, "Input should be less than or equal to {most}"),
        (Annotated[int, Field(lt=1)], 2, "Input should be less than {most}"),
        (Annotated[float, Field(allow_inf_nan=False)], float("nan"), "Input should be a finite number"),
        (str, 1, "Input should be a valid string"),
        (float, "a", "Input should be a valid number, unable to parse string as a number"),
        (int, "a", "Input should be a valid integer, unable to parse string as an integer"),
        (bool, "a", "Input should be a valid boolean, unable to interpret input"),
        (int, 1.5, "Input should be a valid {kind}"),
        (Literal["a", "b"], "c", "Input should be {what}"),
    ],
)  # fmt: skip
def test_pydantic_words_things_as_the_catalogues_know_them(kind: Any, value: object, template: str) -> None:
    """A version that words them otherwise would leave them in English."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    (error,) = refused.value.errors()
    assert template_of(error["msg"]) == template
