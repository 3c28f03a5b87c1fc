"""The model card: what people should know before they believe the score. Every figure is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ward.evaluation import score_text as words
from ward.evaluation.section import Json


def write_card(folder: Path, said: dict[str, Any], figures: Json, data: Sequence[str]) -> Path:
    """``README.md`` beside the model. said: what ``risk.json`` holds; figures: of ``score.measured``."""
    path = folder / "README.md"
    path.write_text(_card(said, figures, data), "utf-8")
    return path


def _card(said: dict[str, Any], figures: Json, data: Sequence[str]) -> str:
    trained, cut = said["trained"], said["thresholds"]
    at = ", ".join(f"{v:.4f} for {k.removeprefix('alerts_')} a patient-day" for k, v in cut.items())
    versions = ", ".join(f"{name} {version}" for name, version in trained["versions"].items())
    leak = figures["leaks"]["typical values"]["auroc"]
    return f"""# The model that comes with ward: {said["id"]}

`risk.skops` is the model behind the deterioration score `risk`; `risk.json` says what it is made of: its
SHA-256, its {len(said["features"])} features in order, calibration, thresholds, what it was trained on.
ward loads it only where the hash fits and it holds nothing but numbers and trees. This card is written by
`ward train`, with every figure in it.

## What it is

`risk` is the {said["meaning"]}, from heart rate, SpO2, respiratory rate, blood pressure and temperature
of the last 24 h and nothing else: no laboratory value, no age, no hour of stay. It was learned from
adults in intensive care. It is a mean of {len(said["weights"])} members: trees, a logistic regression,
and trees on NEWS2 points alone. Its interval is the members' spread and what they share; where fewer than
{said["need"]} of HR, SpO2, RR, systolic pressure and temperature are known within {said["known_within"]}
h there is no risk at all.

## What it is for, and what not

To be seen beside NEWS2 and the rules, by people who look at the patient; and to let a rule wait for or
join with it. It is not a medical device, not a diagnosis of sepsis, and no reason to leave a rule out:
nothing that a rule sees may be hidden by it. Not for children, pregnancy or palliative care; not for what
it was never shown (a general ward has fewer events: there the same cut-off gives fewer true alerts).

## Data

{trained["data"]}: {trained["stays"]:,} stays, {trained["stays_with_onset"]:,} with an onset of sepsis;
the label begins 6 h before it. Trained on all of them with seed {trained["seed"]} ({versions}); every
figure below is of {trained["folds"]}-fold cross-validation by stay.

```
{chr(10).join(data)}
```

## How good

{words.targets_table(figures)}

{words.truth(figures["risk"])}

Cut-offs of the risk: {at}. Calibration slope {figures["calibration"]["slope"]:.2f}, intercept
{figures["calibration"]["intercept"]:.2f}.

## For whom

At the one cut-off that gives 0.5 alerts a patient-day over all.

{words.groups_table(figures)}

## In other hospitals, with signals missing

{words.others(figures["elsewhere"])}

{words.robustness_table(figures)}

## Where it fails

{words.onset_table(figures)}

- Sepsis at or soon after admission is mostly missed: there is no history, and often no hour before it.
- Sepsis without fever, fast heart or fast breathing (beta blockers, pacemakers, old age, immune
  suppression) looks like no sepsis to it.
- Fever, pain, bleeding or a fast rhythm of another cause raise it: most of its alerts are not followed by
  sepsis.
- Values taken away and what is missing left as it is, it still ranks with an AUROC of {leak:.3f}
  (0.5 would be nothing).

## Making it again

`ward train FOLDER --output models` with the Challenge 2019 in FOLDER gives the same model and the same
card.
"""
