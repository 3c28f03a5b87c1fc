"""Learned models from files, verified before use: the hash first, then the types, then the meaning.

Importing this module imports no scikit-learn; ``load_risk`` does, where there is a model to load.
"""

from __future__ import annotations

import hashlib
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from ward.errors import InvalidError
from ward.scoring.features import BY_NAME
from ward.scoring.readings import Float
from ward.scoring.risk import RiskModel, Spread
from ward.scoring.trends import TRACKED, Float32

OWN: Final = "default"
"""The setting's word for the model that comes with ward."""
NONE: Final = "none"
"""The setting's word for no model: the risk is then not known."""
SCHEMA: Final = 1
TRUSTED: Final = frozenset(
    {
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
    }
)
"""Types beside skops' own list that a model may be made of. They hold numbers and trees."""


class ModelError(InvalidError):
    """A model that is missing, altered or not for this version; the detail names the file."""


class Description(msgspec.Struct, forbid_unknown_fields=False):
    """``risk.json``, as far as a prediction needs it; the rest tells people how it was made."""

    schema: int
    id: str
    sha256: str
    features: list[str]
    typical: dict[str, float]
    weights: list[float]
    calibration: dict[str, float]
    interval: dict[str, float] = {}
    need: int = 3
    known_within: int = 3
    quantiles: list[float] = []


def shipped() -> Path:
    """Where the models that come with ward are: beside the package in a clone, inside it as installed."""
    inside = Path(__file__).parent / "shipped"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "models"


def risk_file(setting: str) -> Path | None:
    """The file that a setting means: ``default``, ``none``, or a path to a .skops file or its folder."""
    if setting == NONE:
        return None
    path = shipped() if setting == OWN else Path(setting)
    return path / "risk.skops" if path.is_dir() else path.with_suffix(".skops")


def find_risk(setting: str) -> RiskModel | None:
    """The model that a setting means. None without one, also where none comes with this copy of ward.

    Raises ``ModelError`` for a model that cannot be used.
    """
    path = risk_file(setting)
    if path is None or (setting == OWN and not path.exists()):
        return None
    return load_risk(path)


def load_risk(path: Path) -> RiskModel:
    """A model from ``NAME.skops`` and the ``NAME.json`` beside it. Raises ``ModelError``."""
    description = describe(path)
    content = _read(path)
    if (found := hashlib.sha256(content).hexdigest()) != description.sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {found}, {path.with_suffix('.json').name} says {description.sha256}: "
            "one of the two was changed; take both again from where they came"
        )
    members = list(_members(path, content))
    if not members or len(members) != len(description.weights):
        raise ModelError(f"{path}: {len(members)} members, {len(description.weights)} weights")
    columns = {member.n_features_in_ for member in members}
    if columns != {len(description.features)}:
        raise ModelError(f"{path}: its members want {columns} features, it names {len(description.features)}")
    return RiskModel(
        description.id,
        tuple(members),
        tuple(description.weights),
        description.typical,
        tuple(BY_NAME[name] for name in description.features),
        description.calibration["slope"],
        description.calibration["intercept"],
        Spread(**description.interval),
        description.need,
        description.known_within,
        tuple(description.quantiles),
    )


def describe(path: Path) -> Description:
    """What the .json beside a model says of it, checked. Raises ``ModelError``."""
    file = path.with_suffix(".json")
    try:
        found = msgspec.json.decode(_read(file), type=Description)
    except msgspec.DecodeError as error:
        raise ModelError(f"{file}: {error}") from None
    if found.schema != SCHEMA:
        raise ModelError(f"{file}: schema {found.schema}; this version of ward reads {SCHEMA}")
    if unknown := [name for name in found.features if name not in BY_NAME]:
        raise ModelError(
            f"{file}: this version of ward does not compute {', '.join(unknown[:3])}"
            f"{' …' if len(unknown) > 3 else ''}; train it again (ward train)"
        )
    wanted = (
        ("typical", found.typical, TRACKED),
        ("calibration", found.calibration, ("slope", "intercept")),
    )
    for name, given, keys in wanted:
        if missing := [key for key in keys if key not in given]:
            raise ModelError(f"{file}: {name} lacks {', '.join(missing)}")
    if found.quantiles != sorted(found.quantiles):
        raise ModelError(f"{file}: quantiles do not rise")
    if strange := set(found.interval) - set(Spread.__dataclass_fields__):
        raise ModelError(f"{file}: interval has {', '.join(sorted(strange))}")
    return found


@lru_cache(maxsize=1)  # who stands by has read it when it takes over
def _members(path: Path, content: bytes) -> list[_OneThread]:
    import skops.io

    try:
        types = set(skops.io.get_untrusted_types(data=content))
        if strange := types - TRUSTED:
            raise ModelError(f"{path}: holds {', '.join(sorted(strange))}, which a model has no need of")
        with warnings.catch_warnings():
            # A model made by another version of scikit-learn says so; the card tells which it was made by.
            warnings.simplefilter("ignore")
            members = [_OneThread(each) for each in skops.io.loads(content, trusted=sorted(types))["members"]]
    except ModelError:
        raise
    except Exception as error:  # whatever a file that is no model makes of skops
        raise ModelError(f"{path}: not a model that can be read ({type(error).__name__}: {error})") from None
    return members


class _OneThread:
    """An estimator that computes in the calling thread. A thousand rows are not worth waking others for, and
    on a busy machine their waiting for one another costs many times what they save."""

    def __init__(self, member: Any) -> None:
        from threadpoolctl import ThreadpoolController

        self._member, self._threads = member, ThreadpoolController()
        self.n_features_in_: int = member.n_features_in_

    def decision_function(self, matrix: Float32) -> Float:
        with self._threads.limit(limits=1):
            found: Float = self._member.decision_function(matrix)
        return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None
