"""Files that people write, bent: packs, care plans, channels, recordings, rows to score, overrides.

Whatever is in them, the answer is a value or the one error that is documented; and what is accepted is
written back the same.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz.bend import bend_json, bend_text
from tests.fuzz.mqtt import BrokenError
from ward.alerts.overrides import Rulebook
from ward.alerts.packs import PackError, load_pack, parse_pack, parse_rule, rule_to_dict
from ward.alerts.plan_file import PlanError, parse_plan, read_toml
from ward.errors import NotFoundError, PreconditionError
from ward.ingest.recordings import FORMATS, RecordingError, read_recordings
from ward.score_file import ScoreFileError, score_text

PLAN: Final = """
timezone = "Europe/Copenhagen"
give_up = "2m"
[quiet]
from = "22:00"
to = "06:00"
priority = ["low"]
[[person]]
id = "anna"
name = "Anna"
address = { mail = "anna@example.org" }
[[person]]
id = "bo"
[[team]]
id = "night"
people = ["anna", "bo"]
[[shift]]
id = "nights"
from = "23:00"
to = "07:00"
[[roster]]
team = "night"
shift = "nights"
people = ["anna"]
date = 2026-11-01
[[route]]
priority = ["high", "medium"]
[[route.level]]
tell = ["night"]
channels = ["dashboard", "mail"]
after = "0s"
[[route.level]]
tell = ["everybody"]
channels = ["dashboard"]
after = "5m"
"""
RECORDINGS: Final = {
    "csv": "time,stay,hr,spo2,sbp\n2026-11-21T12:00:00Z,a,82,97,\n2026-11-21T12:00:01+00:00,a,83,,120\n"
    '2026-11-21T12:00:02Z,"b",84,96.5,nan\n',
    "csv seconds": "time,hr,spo2\n0,82,97\n1.5,83,\n2,84,96\n",
    "cinc2019": "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|ICULOS\n"
    "97|95|NaN|98|75.33|NaN|19|NaN|1\n89|99|NaN|122|86|NaN|22|NaN|2\n",
    "bidmc": "Time [s], HR, PULSE, RESP, SpO2\n0,94,93,25,97\n1,94,93,25,97\n2,94,93,NaN,97\n",
    "mimic4wdb": "time,HR [bpm],Pulse (SpO2) [bpm],SpO2 [%],RR [rpm],NBPs [mmHg]\n"
    "0,82,82,97,14,120\n1000,83,,97,,120\n",
}
SCORES: Final = (
    "rr,spo2,spo2_scale,oxygen,sbp,hr,consciousness,temp\n"
    "14,97,1,0,120,80,A,37.0\n30,88,2,1,85,140,V,39.5\n,,,,,,,\n"
)
WORDS: Final = (
    "", "spo2 < 88", "hr >= 130", "spo2 absent", "hr < nan", "hr < 1e999", "10m", "-1s", "0s", "1e9h",
    "9" * 400 + "m", "high", "low", "[[rule]]", "[rule]", "[[route.level]]", "=", "== ", '"""', "'", "#",
    "id", "when", "for", "within", "inhibits", "unless", "clear_when", "true", "nan", "-inf",
    "1979-05-27T07:32:00Z", "25:00", "24:00", "00:00", "{ a = 1 }", "[1, [2]]", "\x00", "\ufeff", "é",
    "everybody", "anna", "NaN", "1e308", "9" * 500, "\r", ",,,,", "|", "2026-02-30", "2026-11-21T12:00:00",
    "253402300800", "-1", "a" * 3000, "[" * 500, "\\u0000", "\t",
)  # fmt: skip


def pack_texts() -> list[str]:
    folder = resources.files("ward.alerts") / "packs"
    return [(folder / name).read_text() for name in ("default.toml", "ward-rct-2025.toml")]


class Files:
    """Each method is one kind of file; ``random`` decides all."""

    def __init__(self, random: Random, folder: Path) -> None:
        self._random, self._path = random, folder / "file"
        self._packs = pack_texts()
        self._rules = load_pack("default").rules
        self._book = Rulebook(load_pack("default"), ())
        self.outcomes: Counter[str] = Counter()

    KINDS: Final = ("pack", "plan", "override", "rule", "recording", "scores")

    def case(self, number: int) -> None:
        """One case, in turn of each kind. Raises ``BrokenError``."""
        kind = self.KINDS[number % len(self.KINDS)]
        given: list[Any] = []
        try:
            accepted = getattr(self, f"_{kind}")(given)
        except Exception as error:
            raise BrokenError(f"{kind}: {type(error).__name__}: {error}: {given!r}") from error
        self.outcomes[f"{kind} {'accepted' if accepted else 'refused'}"] += 1

    def _bent(self, text: str) -> str:
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 3, 8))):
            text = bend_text(self._random, text, WORDS)
        return text

    def _pack(self, given: list[Any]) -> bool:
        whole = self._random.choice(self._packs)
        head, *rules = whole.split("[[rule]]")
        some = self._random.sample(rules, min(len(rules), self._random.choice((1, 2, 4))))
        text = self._bent("[[rule]]".join([head, *some]))
        given.append(text)
        try:
            pack = parse_pack(text, "fuzzed.toml")
        except PackError as error:
            return _told(error.detail, error.problems)
        for rule in pack.rules:
            if parse_rule(rule_to_dict(rule)) != rule:
                raise BrokenError(f"{rule} is not what it was written from")
        return True

    def _plan(self, given: list[Any]) -> bool:
        text = self._bent(PLAN)
        given.append(text)
        try:
            parse_plan(read_toml(text, "fuzzed.toml"), "fuzzed.toml")
        except PlanError as error:
            return _told(error.detail, error.problems)
        return True

    def _override(self, given: list[Any]) -> bool:
        rule = self._random.choice(self._rules)
        definition: Any = dict(copy.deepcopy(rule_to_dict(rule)))
        for _ in range(self._random.choice((1, 1, 2, 4))):
            definition = bend_json(
                self._random, definition, ("when", "for", "within", "gap", "id", "x", "inhibits")
            )
        if not isinstance(definition, dict):
            definition = {"for": definition}
        scope = self._random.choice(("all", "ward:6A", "stay:s", "ward:", "nonsense"))
        given += [rule.id, definition, scope]
        try:
            made = self._book.plan(rule.id, definition, scope, "fuzz", 0, "*", "6A")
        except PackError as error:
            return _told(error.detail, error.problems)
        except (NotFoundError, PreconditionError):
            return False
        except Exception as error:
            if type(error).__name__ == "InvalidError" and scope in ("ward:", "nonsense"):
                return False
            raise
        if rule_to_dict(parse_rule(made.definition)) != made.definition:
            raise BrokenError(f"{made} is not what it was written from")
        json.dumps(made.definition)
        return True

    def _rule(self, given: list[Any]) -> bool:
        definition: Any = dict(copy.deepcopy(rule_to_dict(self._random.choice(self._rules))))
        for _ in range(self._random.choice((0, 1, 1, 2, 4))):
            definition = bend_json(
                self._random, definition, ("when", "for", "within", "gap", "id", "x", "kind")
            )
        given.append(definition)
        if not isinstance(definition, dict):
            return False
        try:
            rule = parse_rule(definition)
        except PackError as error:
            return _told(error.detail, error.problems)
        if parse_rule(rule_to_dict(rule)) != rule:
            raise BrokenError(f"{rule} is not what it was written from")
        return True

    def _recording(self, given: list[Any]) -> bool:
        name, text = self._random.choice(list(RECORDINGS.items()))
        text = self._bent(text)
        form = self._random.choice((None, None, name.split()[0], self._random.choice(list(FORMATS))))
        given += [form, text]
        self._path.write_bytes(
            text.encode("utf-8", "replace" if self._random.random() < 0.9 else "surrogatepass")
        )
        try:
            found = read_recordings(self._path, form)
        except RecordingError as error:
            return _told(error.detail, (error.detail,))
        for recording in found:
            if (
                len(recording.time) != len(recording.value)
                or (recording.time[1:] < recording.time[:-1]).any()
            ):
                raise BrokenError("readings are not in order of time")
        return True

    def _scores(self, given: list[Any]) -> bool:
        text = self._bent(SCORES)
        given.append(text)
        try:
            score_text(text)
        except ScoreFileError as error:
            return _told(error.detail, (error.detail,))
        return True


def _told(detail: str, problems: Any) -> bool:
    """A refusal says what is wrong. Always False: not accepted."""
    if not detail.strip() or not problems:
        raise BrokenError("refused without a reason")
    return False


def fuzz(seed: int, cases: int, folder: Path, told: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """So many cases; how many of each kind were accepted and refused. Raises ``BrokenError``."""
    outcomes: Counter[str] = Counter()
    for number in range(-(-cases // 10_000)):
        files = Files(Random(f"files {seed}/{number}"), folder)
        for case in range(min(10_000, cases - number * 10_000)):
            try:
                files.case(case)
            except BrokenError as broken:
                raise BrokenError(f"seed {seed}, block {number}, case {case}: {broken}") from broken
        outcomes += files.outcomes
        told(min(cases, (number + 1) * 10_000))
    return outcomes
