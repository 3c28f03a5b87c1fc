"""What the web needs of the running service. The real one is ``ward.service``; tests use a small fake.

The web itself holds no state of the ward. It reads the immutable ``board`` (what is so now) and the
database (what was), and hands every change to ``call``, which runs it on the core's thread.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Engine

from ward.alerts.packs import Pack
from ward.alerts.plan import Plan
from ward.clock import Clock
from ward.ingest.credentials import Credentials
from ward.ingest.gate import Forged
from ward.language import Language
from ward.web.hub import Hub

Json = dict[str, Any]
"""A JSON object, ready to send: times are RFC 3339 in UTC, absent values are null."""


class Board(Protocol):
    """One immutable moment of all open stays; the service replaces it as a whole at each tick."""

    @property
    def time(self) -> int:
        """The moment it shows, ms since 1970."""
        ...

    @property
    def stays(self) -> Mapping[str, Json]:
        """Open stays by id, each as ``ward.web.schemas.stays.Stay`` describes."""
        ...

    @property
    def alerts(self) -> Sequence[Json]:
        """Alerts that are not closed, of all stays, as ``ward.web.schemas.alerts.Alert``."""
        ...

    @property
    def devices(self) -> Sequence[Json]:
        """Every device seen, as ``ward.web.schemas.devices.Device``; ``stay`` null where unassigned."""
        ...

    @property
    def minutes(self) -> Minutes:
        """Two hours of each signal."""
        ...

    def seen_by(self, sees: Callable[[str], bool]) -> list[Json]:
        """Of ``stays`` those in the wards that it lets through: the others' views are not made for it."""
        ...

    @property
    def number(self) -> int:
        """Counts the boards: what the hub told with a ``step`` no higher is in this one."""
        ...


class Minutes(Protocol):
    """Immutable."""

    def view(self, stay: str, first: int | None = None) -> Json:
        """``{"from", "to", "signals"}``: a value a minute from the minute ``first`` on, null where none."""
        ...


class Notices(Protocol):
    """Who was told of what, and how the channels do. Reads and writes the database: not on the event loop.

    ``wards`` None: every ward. Raises NotFoundError for what does not exist or is of another ward.
    """

    def channels(self, wards: frozenset[str] | None) -> list[Json]:
        """Each as ``ward.web.schemas.notices.Channel``."""
        ...

    def told(self, alert: str, episode: str | None) -> Mapping[str, list[Json]]:
        """``deliveries`` of the alert, ``episode_deliveries`` of the others of its episode; each as
        ``ward.web.schemas.notices.Delivery``, the earliest first."""
        ...

    def shown(self, ids: Collection[int], wards: frozenset[str] | None, by: str) -> None:
        """A page shows these notices. Those that are not its own, or that do not wait, are passed over."""
        ...

    def test(self, ward: str, channel: str | None = None) -> list[Json]:
        """Test alerts on their way, each as ``ward.web.schemas.notices.Test``."""
        ...

    def tests(self, wards: frozenset[str] | None, *, cursor: str | None = None, limit: int = 100) -> Json:
        """A page of them, the latest first."""
        ...

    def seen(self, id: int, wards: frozenset[str] | None, by: str) -> Json:
        """A person says that a test reached her."""
        ...

    def delays(self, *, since: int, until: int, wards: frozenset[str] | None) -> Iterator[Json]:
        """Each as ``ward.web.schemas.notices.Delay``; of alerts raised in ``[since, until)``."""
        ...


class Practice(Protocol):
    """A simulated ward beside the service. Raises ForbiddenError where it is off, ConflictError."""

    async def start(self, beds: int, by: str) -> Json:
        """Both answer as ``ward.web.schemas.health.Simulator``."""
        ...

    async def end(self, by: str) -> Json: ...


class Operations(Protocol):
    """How the service itself is. Reads the database: not on the event loop."""

    @property
    def practice(self) -> Practice: ...

    def view(self, minutes: int) -> Json:
        """As ``ward.web.schemas.health.Health``, with the metrics of so many minutes."""
        ...

    def verify_trail(self, lines: int) -> Json:
        """As ``ward.web.schemas.audit.Verdict``, of so many of the last lines."""
        ...


class Service(Protocol):
    """The service as the web sees it. Errors are those of ``ward.errors``."""

    @property
    def engine_db(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def board(self) -> Board: ...

    @property
    def notifier(self) -> Notices: ...

    @property
    def operations(self) -> Operations: ...

    @property
    def credentials(self) -> Credentials:
        """Those of devices at the broker. Reads and writes the database: not on the event loop."""
        ...

    @property
    def forged(self) -> Mapping[str, Forged]:
        """By ``ward/device``, messages that were refused in its name."""
        ...

    async def call(self, command: str, **arguments: Any) -> Json:
        """Run one of ``COMMANDS`` on the core's thread and answer with the changed resource.

        When it returns, the change is durable and ``board`` shows it. Raises NotFoundError, InvalidError,
        ConflictError, PreconditionError or UnavailableError.
        """
        ...

    def trial(self, request: Json) -> AsyncGenerator[tuple[str, Json], None]:
        """Candidate rules over stored history, in a process of its own (or, with ``look``, a span of a
        recording, see ``ward.trial.look``): ``("progress", {"done", "what"})`` at
        least each second, at last ``("result", answer)``, both as in ``ward.web.schemas.trials``. Whoever
        stops listening must close it: that ends the work. Raises InvalidError, UnavailableError."""
        ...

    def write_history(self, stay: str) -> bool:
        """Have what was just measured of an open stay written to the history, which is done each ten seconds;
        False where the core did not come to it soon. Waits: not on the event loop."""
        ...

    def showing(self, ward: str, device: str) -> Json:
        """What a device shows now, whoever's it is: by signal its newest reading as ``{"value", "unit",
        "time"}``; {} where nothing was heard since the service started."""
        ...

    @property
    def language(self) -> Language:
        """Of messages to people, and of reports on paper unless one is asked for."""
        ...

    @property
    def reference_days(self) -> int:
        """Of how many days a ward's first reference is made."""
        ...

    def risk(self, stay: str) -> Json:
        """The risk of an open stay as ``ward.web.schemas.stays.Risk``. Computes for milliseconds."""
        ...

    def plan(self, ward: str) -> Plan:
        """The care plan that the ward goes by now. Quick, no I/O to wait for."""
        ...

    @property
    def pack(self) -> Pack:
        """The one that the service was started with."""
        ...

    def rules(self, scope: str) -> Sequence[Json]:
        """The rules in force for ``all``, ``ward:X`` or ``stay:Y``, as ``ward.web.schemas.rules.Rule``.

        ``scope`` in each tells where its definition comes from: ``pack`` or the scope of the override
        in force; ``version`` is the number of that definition, 0 for the pack's own.
        Quick, no I/O to wait for. Raises NotFoundError for a stay that does not exist.
        """
        ...

    def changed(self, scope: str, changes: Mapping[str, Mapping[str, Any]]) -> Sequence[Json]:
        """These rules (by id, what shall be different of each) as they would be in that scope; nothing
        changes. Quick, no I/O to wait for. Raises InvalidError, NotFoundError."""
        ...

    @property
    def second_person(self) -> bool:
        """Whether a change of rules for a ward needs a second person."""
        ...

    def health(self, wards: Collection[str] | None = None) -> Json:
        """Of the engines that have these wards (None: all); most often there is one.
        ``{"ready": bool, "live": bool, "reasons": [str], "last_message_age_s": float | null, …}``."""
        ...


COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "admit": ("patient_ref", "ward", "bed", "devices", "flags", "by"),
    "discharge": ("stay", "by"),
    "undo_discharge": ("stay", "by"),
    "transfer": ("stay", "ward", "bed", "by", "pause_minutes"),
    "set_flags": ("stay", "flags", "by"),
    "attach": ("stay", "device", "by", "from_stay"),
    "detach": ("stay", "device", "by"),
    "pause": ("stay", "minutes", "by", "reason"),
    "observe": ("stay", "time", "values", "by"),
    "assign": ("stays", "person", "name", "by"),
    "unassign": ("stays", "by"),
    "erase": ("stay", "by"),
    "acknowledge": ("alert", "by", "assessment", "note"),
    "assess": ("alert", "by", "assessment", "note"),
    "hand_over": ("alert", "by", "to", "note"),
    "undo": ("alert", "by"),
    "shelve": ("alert", "by", "minutes", "reason"),
    "unshelve": ("alert", "by"),
    "put_plan": ("ward", "definition", "by", "expected"),
    "put_rule": ("rule_id", "definition", "scope", "by", "expected", "until", "why"),
    "end_limit": ("rule_id", "stay", "by"),
    "apply_draft": ("draft", "by", "state"),
    "return_draft": ("draft", "by", "state", "why"),
}
"""Every command with its keyword arguments. ``time`` is ms or None (now); ``minutes`` 0 ends a pause;
``pause_minutes`` None: no pause; ``from_stay``: whose device it is by what the caller saw, None: nobody's;
``expected`` is, as text, the ``version`` in force that the caller saw, None for a new rule; of
``definition``, fields that are left out stay as they are. All answer with a stay, except ``erase`` (what
went), ``assign`` and ``unassign`` (``{"items": stays}``), the six on alerts (the alert), ``put_rule`` (the
rule), ``put_plan`` (the version made; its ``expected`` is the number of the version before, its
``definition`` None for the default plan) and the two on drafts (``draft`` and ``rules``; ``state``: of the
draft as the caller saw it). A test holds the web to this table."""
