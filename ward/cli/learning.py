"""Commands that learn from recordings and judge what was learned."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from ward.cli.common import plain_errors, say

app = typer.Typer()

FOLDER: Final = (
    "Where the collections are, each in a folder of its name (cinc2019 cinc2012 mimic3_demo mimic4wdb "
    "bidmc) or as PhysioNet distributes them."
)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help=FOLDER, exists=True, file_okay=False)],
    part: Annotated[
        list[str] | None,
        typer.Option(help="filter, score, packs or episodes; may be repeated. The others stay as they are."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    output: Annotated[
        Path, typer.Option(help="Where alert-quality.md, .json and images/ are written.")
    ] = Path("docs"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A short form for tests; its figures mean nothing.")
    ] = False,
) -> None:
    """How good filter, score and packs are on real recordings: the report, its pictures and figures.

    On two cores it takes about a quarter of an hour. Example: ward evaluate ~/physionet --part episodes
    """
    from ward.evaluation.report import PARTS, data_check
    from ward.evaluation.report import evaluate as write

    with plain_errors():
        for line in data_check(folder):
            say(line)
        date = datetime.now(UTC).date().isoformat()
        for line in write(
            folder, output, parts=part or PARTS, seed=seed, quick=quick, progress=Steps(), date=date
        ):
            say(line)


@app.command()
def train(
    folder: Annotated[Path, typer.Argument(help=FOLDER, exists=True, file_okay=False)],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 1,
    output: Annotated[
        Path, typer.Option(help="Where risk.skops, risk.json and README.md are written.")
    ] = Path("models"),
    quick: Annotated[bool, typer.Option("--quick", help="A short form for tests; no model to use.")] = False,
) -> None:
    """Learn the risk of deterioration from recordings (cinc2019), and write the model with its card.

    Example: ward train ~/physionet --output mymodels, then WARD_RISK_MODEL=mymodels ward serve
    """
    from ward.evaluation.training import train as learn

    with plain_errors():
        for line in learn(folder, output, seed=seed, quick=quick, progress=Steps()):
            say(line)


class Steps:
    """Tells what is being done: each new step, and now and then how far it is."""

    EVERY: Final = 10.0
    """Seconds between two lines of the same step at the least."""

    def __init__(self) -> None:
        self._told = -self.EVERY
        self._step = ""

    def __call__(self, what: str, share: float) -> None:
        step, now = what.partition(":")[0], time.monotonic()
        if step == self._step and now - self._told < self.EVERY:
            return
        self._step, self._told = step, now
        say(f"{share:4.0%}  {what}")
