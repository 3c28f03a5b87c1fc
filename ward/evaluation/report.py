"""``ward evaluate``: every part of the report on alert quality, run and written: text, pictures, figures.

The text is made of the parts' sections; each says when and how it was made, so that one part can be run again
while the others stay. ``alert-quality.json`` holds every number of the text.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from ward import __version__
from ward.errors import InvalidError, WardError
from ward.evaluation import plots
from ward.evaluation.section import Json, Progress, Section

NAME: Final = "alert-quality"
PARTS: Final = ("filter", "score", "packs", "episodes")
"""In the order of the report; each is the module of that name, with a function ``run``."""
LIBRARIES: Final = ("numpy", "scikit-learn", "matplotlib")


@dataclass(frozen=True, slots=True)
class Collection:
    """``patterns``: its files, anywhere below the folder; ``place``: on physionet.org/content."""

    name: str
    what: str
    place: str
    patterns: tuple[str, ...]

    def files(self, folder: Path) -> int:
        own = folder / self.name
        return sum(1 for pattern in self.patterns for _ in (own if own.is_dir() else folder).rglob(pattern))


COLLECTIONS: Final = (
    Collection("cinc2019", "Challenge 2019, training set B", "challenge-2019", ("*.psv",)),
    Collection("cinc2012", "Challenge 2012, set a, with its outcomes", "challenge-2012", ("set-a/*.txt",)),
    Collection(
        "mimic3_demo", "MIMIC-III, demo 1.4", "mimiciii-demo", ("CHARTEVENTS.csv", "charted_vitals.csv.gz")
    ),
    Collection("mimic4wdb", "MIMIC-IV Waveform Database 0.1.0", "mimic4wdb/0.1.0", ("*n.csv.gz",)),
    Collection("bidmc", "BIDMC PPG and Respiration 1.0.0", "bidmc", ("bidmc_*_Numerics.csv",)),
)


def data_check(folder: Path) -> list[str]:
    """A line a collection: how many files there are, or where to get it. Raises InvalidError where there is
    none at all."""
    counts = {one: one.files(folder) for one in COLLECTIONS}
    where = {one: f"physionet.org/content/{one.place}" for one in COLLECTIONS}
    if not any(counts.values()):
        places = "; ".join(f"{one.what}: {where[one]}" for one in COLLECTIONS)
        raise InvalidError(f"{folder}: holds none of the collections. They are open: {places}")
    return [
        f"{one.name} ({one.what}): " + (f"{n:,} files" if n else f"missing; open at {where[one]}")
        for one, n in counts.items()
    ]


def evaluate(
    folder: Path,
    output: Path,
    *,
    parts: Sequence[str] = PARTS,
    seed: int = 1,
    quick: bool = False,
    progress: Progress,
    date: str,
    runners: Mapping[str, Callable[..., Section]] | None = None,
) -> list[str]:
    """Run the parts and write ``alert-quality.md``, ``.json`` and the pictures below ``output``.

    What ``output`` already holds of other parts stays. A part that cannot run says so in its place. Returns
    lines to tell. Raises InvalidError for an unknown part, or where there is no data at all.
    """
    if unknown := [part for part in parts if part not in PARTS]:
        raise InvalidError(f"unknown part {unknown[0]!r}; there are {' '.join(PARTS)}")
    output.mkdir(parents=True, exist_ok=True)
    data = data_check(folder)
    texts, report = _known(output)
    said = []
    for number, part in enumerate(part for part in PARTS if part in parts):
        began = time.monotonic()
        section = _run(part, folder, seed, quick, _share(progress, number, len(parts)), runners)
        seconds = time.monotonic() - began
        made = {"date": date, "seed": seed, "quick": quick, "seconds": round(seconds)}
        report["parts"][part] = {"title": section.title, "made": made, "figures": section.figures}
        texts[part] = _section_text(section, made)
        large = plots.save(section.pictures, output / "images" / NAME)
        said.append(f"{part}: {seconds:.0f} s")
        said += [f"{part}: the picture {name} is larger than {plots.LARGEST // 1000} kB" for name in large]
    report["made"] = {"date": date, "data": data, "versions": _versions(), "cores": os.cpu_count()}
    report["parts"] = {part: report["parts"][part] for part in PARTS if part in report["parts"]}
    (output / f"{NAME}.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (output / f"{NAME}.md").write_text(_text(report, texts), "utf-8")
    return [*said, f"written: {output / NAME}.md, {NAME}.json, images/{NAME}/"]


def _share(progress: Progress, number: int, of: int) -> Progress:
    return lambda what, share: progress(what, (number + share) / of)


def _run(
    part: str,
    folder: Path,
    seed: int,
    quick: bool,
    progress: Progress,
    runners: Mapping[str, Callable[..., Section]] | None,
) -> Section:
    run = runners[part] if runners else import_module(f"ward.evaluation.{part}").run
    try:
        found: Section = run(folder, seed=seed, quick=quick, progress=progress)
    except WardError as error:
        return Section(part.capitalize(), f"Not run: {error.detail}.", {"missing": True})
    return found


# ---------------------------------------------------------------------- what is written

_BEGIN: Final = "<!-- part: {} -->"
_PART: Final = re.compile(r"^<!-- part: (\w+) -->\n(.*?)(?=^<!-- part: |\Z)", re.MULTILINE | re.DOTALL)


def _known(output: Path) -> tuple[dict[str, str], Json]:
    """The sections and figures of a report that is there already."""
    text, figures = output / f"{NAME}.md", output / f"{NAME}.json"
    if not (text.exists() and figures.exists()):
        return {}, {"parts": {}}
    report: Json = json.loads(figures.read_text("utf-8"))
    return {part: own.strip() for part, own in _PART.findall(text.read_text("utf-8"))}, report


def _section_text(section: Section, made: Json) -> str:
    form = "short form, for tests: these figures mean nothing; " if made["quick"] else ""
    note = f"*{form}{made['date']}, seed {made['seed']}, {made['seconds']} s*"
    return f"## {section.title}\n\n{note}\n\n{section.text.strip()}"


def _text(report: Json, texts: Mapping[str, str]) -> str:
    made = report["made"]
    parts = [part for part in PARTS if part in texts]
    head = _HEAD.format(
        date=made["date"],
        ward=made["versions"]["ward"],
        versions=", ".join(f"{name} {number}" for name, number in made["versions"].items() if name != "ward"),
        cores=made["cores"],
        data="\n".join(f"- {line}" for line in made["data"]),
    )
    body = [f"{_BEGIN.format(part)}\n{texts[part]}\n" for part in parts]
    return "\n".join([head, _targets(report["parts"]), "", *body])


def _targets(parts: Json) -> str:
    rows = [(part, target) for part, own in parts.items() for target in own["figures"].get("targets", ())]
    if not rows:
        return ""
    lines = ["## Targets\n", "| part | what | target | found | |", "|---|---|---|---|---|"]
    for part, target in rows:
        met = "met" if target["met"] else "**missed**" + (f": {target['why']}" if target.get("why") else "")
        lines.append(f"| {part} | {target['what']} | {target['target']} | {target['found']} | {met} |")
    return "\n".join(lines)


def _versions() -> dict[str, Any]:
    found = {"ward": __version__, "Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


_HEAD: Final = """# How good the alerts are

Written by `make evaluate` (`ward evaluate FOLDER`), never by hand: every figure below comes from that command
on open recordings, and stands in [alert-quality.json](alert-quality.json) as data.

How to read it. *Load* is what staff hear: interruptions a patient-day of monitored time, that is time in
which at least one signal was known. *Recall* is the share of events that were called in time, *precision* the
share of calls that belong to an event, *lead* how long before. A range in brackets holds 95 % of what a
bootstrap over stays gives: had other patients been recorded, the figure might as well be anywhere in it. All
patients here are in intensive care; a ward's are not, and nothing here says how WARD does on a ward. Where a
target is missed, the text says so and why. The filter's own targets stand in its part.

Made on {date} with ward {ward}, {versions}, {cores} cores, from

{data}
"""
