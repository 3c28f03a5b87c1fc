"""What a web process has in the place of the service: the board of all engines, and their commands."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import structlog
from starlette.concurrency import run_in_threadpool

from ward.alerts.overrides import Rulebook
from ward.alerts.packs import Pack, load_pack
from ward.alerts.plan import Plan, Plans
from ward.clock import Clock, WallClock, wall_ms
from ward.cluster.follower import Follower
from ward.cluster.overview import Overview
from ward.cluster.owner import Owner
from ward.cluster.usable import still_usable
from ward.cluster.whole import AWAY, Json, Part, Whole, WholeBoard
from ward.config import Settings
from ward.errors import UnavailableError
from ward.ingest.gate import Forged
from ward.language import Language
from ward.live import drafts
from ward.live.faults import why
from ward.live.gatekeeper import credentials_of
from ward.live.heartbeats import Heartbeats
from ward.live.plans import load_plans
from ward.live.rules import places_among
from ward.notify.config import Parts, load_channels
from ward.notify.notifier import Notifier
from ward.protection.pseudonym import Pseudonyms
from ward.store import idempotency
from ward.store.alerts import get_alert
from ward.store.database import migrate, open_database
from ward.store.drafts import get_draft
from ward.store.rules import current_rules
from ward.store.stays import wards_of
from ward.trial.process import Trials
from ward.trial.worker import Job
from ward.web.hub import Hub
from ward.web.shelf import Shelf

LOOK_S: Final = 1.0
"""So soon a rule or plan that was changed elsewhere is shown as it is."""
SHOWN_S: Final = 2.0
"""So long is waited until the board shows what was done."""
STEP_S: Final = 0.02
FORGET_S: Final = 3_600.0

log = structlog.get_logger(__name__)


def _name(part: Part) -> str:
    return f"partition {part.partition.number}"


class RemoteService:
    """As ``ward.web.service_protocol.Service``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = WallClock()
        self.hub = Hub()
        self.beats = Heartbeats()
        self.engine_db = open_database(settings.database, "ward-web")
        migrate(self.engine_db)
        self.whole = Whole(settings.partitions, self.hub)
        self.credentials = credentials_of(self.engine_db, settings)
        self.pack: Pack = load_pack(settings.pack)
        self._book = Rulebook(self.pack)
        self._plans = Plans()
        self._pseudonyms = Pseudonyms(settings.data_dir) if settings.patient_ref == "pseudonym" else None
        secret = settings.cluster_secret or ""
        self.followers = [Follower(self.engine_db, self.whole, n, secret) for n in range(settings.partitions)]
        self.notifier = Notifier(
            self.engine_db,
            load_channels(settings.channels_file, Parts()),
            lambda sending, error: None,
            plan_of=self.plan,
            wards=tuple,
            ward_now=self.clock.now,
            link=settings.public_url,
            language=settings.language,
        )
        self.operations = Overview(settings, self.engine_db, self.health)
        self._trials = Trials(settings.trial_longest_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name="rules", daemon=True)

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Raises what makes a start impossible."""
        self._read()
        self._thread.start()
        for follower in self.followers:
            follower.start()

    def stop(self) -> None:
        self._stop.set()
        self.hub.close()
        self._trials.stop()
        for follower in self.followers:
            follower.stop()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self.engine_db.dispose()

    def _look_again(self) -> None:
        shelf, due = Shelf.of(self.settings), 0.0
        while not self._stop.wait(LOOK_S):
            try:
                self._read()
                self.notifier.look()
                if time.monotonic() >= due:  # what was brought to this process lies with it
                    due = time.monotonic() + FORGET_S
                    shelf.forget(wall_ms())
            except Exception as error:  # what was known holds meanwhile, and the thread goes on
                log.warning("rules and plans cannot be read now", error=why(error))

    def _read(self) -> None:
        with self.engine_db.connect() as connection:
            still_usable(connection)
            versions = current_rules(connection)
        self._book = Rulebook(self.pack, [drafts.override_of(version) for version in versions])
        self._plans, _ = load_plans(self.engine_db, self.settings.plan_file, self.settings.zone)

    # ------------------------------------------------------------------ what is so now

    @property
    def board(self) -> WholeBoard:
        return self.whole.board

    @property
    def forged(self) -> Mapping[str, Forged]:
        return {user: Forged(**one) for part in self.whole.parts for user, one in part.forged.items()}

    def health(self, wards: Iterable[str] | None = None) -> Json:
        """Of the engines that have these wards (None: all)."""
        parts = self.whole.parts
        if wards is not None:
            parts = [part for part in parts if any(part.partition.has(ward) for ward in wards)]
        known = [part.health for part in parts if part.health is not None]
        away = [AWAY.format(_name(part)) for part in parts if part.health is None]
        ages = [one["last_message_age_s"] for one in known if one["last_message_age_s"] is not None]
        reasons = [
            f"{_name(part)}: {reason}" for part in parts if part.health for reason in part.health["reasons"]
        ]
        return {
            "ready": not away and all(one["ready"] for one in known),
            "live": not away and all(one["live"] for one in known),
            "reasons": [*away, *reasons],
            "failing": sorted({name for one in known for name in one["failing"]}),
            "detail": {},
            "warnings": sorted({warning for one in known for warning in one["warnings"]}),
            "last_message_age_s": min(ages, default=None),
            "speed": self.clock.speed,
            "queue": sum(one["queue"] for one in known),
            "channels_failing": sorted({name for one in known for name in one["channels_failing"]}),
            "pack": self.pack.id,
        }

    def risk(self, stay: str) -> Json:
        return dict(self._ask(self._ward_of(stay), "risk", stay))

    def write_history(self, stay: str) -> bool:
        try:
            return bool(self._ask(self._ward_of(stay), "write_history", stay))
        except UnavailableError:
            return False

    def showing(self, ward: str, device: str) -> Json:
        return dict(self._ask(ward, "showing", ward, device))

    def _ask(self, ward: str, what: str, *about: str) -> Any:
        return self._owner(ward).post("ask", {"what": what, "about": about})["answer"]

    # ------------------------------------------------------------------ rules and plans

    def plan(self, ward: str) -> Plan:
        return self._plans.of(ward)

    def rules(self, scope: str) -> Sequence[Json]:
        ward, stay = self._places(scope)
        book = self._book
        return [drafts.shown(book, rule, ward, stay) for rule in book.effective(ward, stay)]

    def changed(self, scope: str, changes: Mapping[str, Mapping[str, Any]]) -> Sequence[Json]:
        ward, stay = self._places(scope)
        book, made = drafts.planned(self._book, changes, scope, ward, "", self.clock.now())
        shown = [drafts.rule_view(book, one.rule_id, ward, stay) for one in made]
        return [{**rule, "by": None, "at": None} for rule in shown if rule is not None]

    def _places(self, scope: str) -> tuple[str | None, str | None]:
        stays = self.board.stays
        return places_among(scope, lambda stay: stays[stay]["ward"] if stay in stays else None)

    @property
    def second_person(self) -> bool:
        return self.settings.second_person

    @property
    def language(self) -> Language:
        return self.settings.language

    @property
    def reference_days(self) -> int:
        return self.settings.drift_reference_days

    # ------------------------------------------------------------------ what is to be done

    async def call(self, command: str, **arguments: Any) -> Json:
        """See ``ward.web.service_protocol``: to the engine that has the ward, which may be another soon."""
        if command == "admit" and self._pseudonyms is not None:
            arguments["patient_ref"] = self._pseudonyms.of(arguments["patient_ref"])
        acts = [asdict(act) for act in idempotency.present()]
        asked = {"command": command, "arguments": arguments, "acts": acts}
        return await run_in_threadpool(self._call, arguments, asked)

    def _call(self, arguments: Mapping[str, Any], asked: Json) -> Json:
        number = self._where(arguments)
        said = self.followers[number].owner.post("call", asked)
        deadline = wall_ms() + SHOWN_S * 1000
        while self.whole.parts[number].number < said["number"] and wall_ms() < deadline:
            self._stop.wait(STEP_S)
        self._read()
        answer: Json = said["answer"]
        return answer

    def _where(self, arguments: Mapping[str, Any]) -> int:
        """Whose partition's engine is to do something; what is of every ward the first one's."""
        if draft := arguments.get("draft"):
            with self.engine_db.connect() as connection:
                return self._where({"scope": get_draft(connection, draft).scope})
        if alert := arguments.get("alert"):
            return self._of_alert(alert)
        stay = arguments.get("stay") or next(iter(arguments.get("stays", ())), None)
        kind, _, name = arguments.get("scope", "").partition(":")
        stay = name if kind == "stay" else stay
        return self._number(self._ward_of(stay) if stay else arguments.get("ward") or name)

    def _ward_of(self, stay: str) -> str:
        view = self.board.stays.get(stay)
        if view is not None:
            return str(view["ward"])
        with self.engine_db.connect() as connection:
            return next(iter(wards_of(connection, [stay])), "")

    def _of_alert(self, alert: str) -> int:
        """Also of what waits to be one, and of an engine's own."""
        for number, part in enumerate(self.whole.parts):
            of_stays = (one for v in part.stays.values() for one in (*v["alerts"], *v["pending"]))
            if any(one["id"] == alert for one in (*part.alerts, *of_stays)):
                return number
        with self.engine_db.connect() as connection:
            return self._number(get_alert(connection, alert).ward or "")

    def _number(self, ward: str) -> int:
        if not ward:
            return 0
        return next(n for n, part in enumerate(self.whole.parts) if part.partition.has(ward))

    def _owner(self, ward: str) -> Owner:
        return self.followers[self._number(ward)].owner

    def trial(self, request: Json) -> AsyncGenerator[tuple[str, Json], None]:
        """See ``ward.web.service_protocol``."""
        job = Job(
            self.settings.database,
            self.pack.id,
            list(self.pack.rules),
            request,
            self.settings.risk_model,
            is_shared=True,
            most=round(self.settings.trial_readings_m * 1e6),
        )
        return self._trials.run(job)
