"""The running service: link to the broker, journal, core, outbox and web, put together and taken apart."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ward.alerts.overrides import Override, Rulebook
from ward.alerts.packs import Pack, load_pack
from ward.alerts.plan import Plan
from ward.clock import Clock, ReplayClock, WallClock, wall_ms
from ward.config import Settings, prepare_data_dir
from ward.errors import NotFoundError, UnavailableError
from ward.housekeeping import Housekeeping
from ward.ingest.broker_url import BrokerUrl
from ward.ingest.intake import Intake
from ward.ingest.mqtt import MqttLink
from ward.ingest.share import Share
from ward.journals import note_whole, open_journal
from ward.language import Language
from ward.live import drafts, snapshots
from ward.live.board import Board
from ward.live.core import Core
from ward.live.deadman import DeadMan
from ward.live.downtime import DowntimeSheets
from ward.live.faults import why
from ward.live.gatekeeper import Gatekeeper, credentials_of
from ward.live.health import LIMITS, Health
from ward.live.heartbeats import Heartbeats
from ward.live.outbox import OutboxSender
from ward.live.plans import load_plans
from ward.live.risks import risk_view
from ward.live.rules import places
from ward.live.runner import Runner
from ward.live.showing import latest, of_stay
from ward.live.trail_keeper import trail_duties
from ward.live.views import Json
from ward.live.watchdog import Watchdog, end_process
from ward.models import find_risk
from ward.notify.config import Parts, load_channels
from ward.notify.duty import EVERYTHING, SCREENS
from ward.notify.notifier import Notifier
from ward.operations import Operations
from ward.practice import Practice
from ward.protection.pseudonym import Pseudonyms
from ward.signals import HOUR, SECOND
from ward.store.database import migrate, open_database
from ward.store.deliveries import Sending, not_delivered
from ward.store.lease import Lease
from ward.store.partition import settle_partitions
from ward.store.rules import current_rules
from ward.store.stays import stays_since
from ward.trial.process import Trials
from ward.trial.worker import Job
from ward.web.hub import Hub

KEEP_ENDED: Final = HOUR
"""Stays that ended this recently are still known to the router: their last readings may be on the way."""
ANSWER_S: Final = 30.0
"""A caller waits so long for the core."""
HISTORY_S: Final = 3.0
"""The history is shown without its last seconds rather than not at all."""
LOOK: Final = "look whether it was done before you ask again"
UNDELIVERED_S: Final = 10.0
"""The core has so long to note that somebody could not be told, well inside the sender's lease."""

log = structlog.get_logger(__name__)


def make_clock(settings: Settings) -> Clock:
    if settings.clock == "wall":
        return WallClock()
    origin = settings.replay_origin if settings.replay_origin is not None else wall_ms()
    return ReplayClock(origin, settings.replay_speed)


def _opened(settings: Settings, owner: str, *, is_new: bool) -> Database:
    """The database, divided as the settings say, and up to date: who took it over has seen to that."""
    database = open_database(settings.database, owner, settings.part)
    try:
        if is_new:
            migrate(database)
        with database.begin() as tx:
            settle_partitions(tx, settings.partitions)
    except BaseException:
        database.dispose()
        raise
    return database


class WardService:
    """Everything of one process but the HTTP server.

    ``recover`` brings the core to where the journal ends, ``start`` then lets it run with its threads.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, lease: Lease | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or make_clock(settings)
        self.hub = Hub()
        self.beats = Heartbeats()
        if settings.database_url is None:
            prepare_data_dir(settings.data_dir)
        part = settings.part
        owner = lease.name if lease else "ward"
        self.engine_db = _opened(settings, owner, is_new=lease is None)
        share = Share(part, settings.mqtt_mapped)
        if lease is not None:
            lease.fence(self.engine_db)
        self._pseudonyms = Pseudonyms(settings.data_dir) if settings.patient_ref == "pseudonym" else None
        self._journal = open_journal(self.engine_db, settings)
        self.link = MqttLink(
            settings.mqtt_url,
            now=self.clock.now,
            client_id=settings.mqtt_client_id + part.mark,
            topics=share.topics,
            prefix=share.prefix,
            intake=Intake(max_messages=settings.queue_size),
            **settings.mqtt_files,
            beat=lambda: self.beats.beat("mqtt"),
            also=BrokerUrl.places(settings.mqtt_also),
        )
        with self.engine_db.connect() as connection:
            versions = current_rules(connection)
        overrides = [
            Override(v.rule_id, v.scope, v.version, v.definition, v.by, v.at, v.retired, v.follows, v.until)
            for v in versions
        ]
        plans, plan_faults = load_plans(self.engine_db, settings.plan_file, settings.zone)
        self.core = Core(
            self.engine_db,
            Rulebook(load_pack(settings.pack), overrides),
            self.hub,
            lateness=round(settings.lateness_s * SECOND * self.clock.speed),
            measure_offset=settings.clock == "wall",
            speed=self.clock.speed,
            plans=plans,
            risk=find_risk(settings.risk_model),
            partition=part,
        )
        self.core.faults |= plan_faults
        self._gatekeeper = Gatekeeper(self.engine_db, settings)
        self.credentials = credentials_of(self.engine_db, settings)
        self.forged = self._gatekeeper.gate.forged
        self.runner = Runner(
            self.core,
            self._journal,
            self.link.intake,
            self.clock,
            self.link.ack,
            snapshot_s=settings.snapshot_s,
            is_connected=lambda: self.link.stats().connected,
            gate=self._gatekeeper.gate,
            beat=self.beats.beat,
            share=share,
            restore=self._restore,
        )
        self._outbox = OutboxSender(
            self.engine_db,
            lambda topic, payload: self.link.send(topic, payload),
            lambda: self.beats.beat("outbox"),
        )
        self.notifier = self._make_notifier()
        self.core.on_saved = self._wake_senders
        self.healthy = Health(self.core, self.runner, self.link, self._outbox, self.beats, self.clock)
        self.healthy.channels_failing = self.notifier.failing
        self.healthy.notify_fault = lambda: self.notifier.fault
        self.core.service_faults = self.healthy.failing
        self.core.service_faults = self._gatekeeper.report(
            self.runner.faults, self.core.service_faults, self.clock
        )
        self._trail = trail_duties(self.engine_db, settings, wall_ms) if part.number == 0 else []
        self._sheets = DowntimeSheets(
            settings.data_dir, lambda ward: self.core.plans.of(ward).zone, settings.language, part.mark
        )
        self.house = Housekeeping(
            self.engine_db, settings, self.clock, self.runner.ask, lambda: self.beats.beat("housekeeping")
        )
        self.house.sheets = lambda: self._sheets.write(lambda: self.board)
        self.healthy.machine = lambda: (self.house.reasons, self.house.warnings)
        self.core.notices = self.house.drift.standing
        self.operations = Operations(
            settings,
            self.engine_db,
            self.link,
            self.beats,
            self.clock,
            Practice(settings, self.clock, self.call, lambda: list(self.board.stays.values())),
            self.health,
            lambda: self.core.engine.until,
        )
        self._trials = Trials()
        self._starter = threading.Thread(target=self._begin_or_end, name="start", daemon=True)
        self._watchdog = Watchdog(self.beats, self._threads)
        self._deadman = self._make_deadman()

    # ------------------------------------------------------------------ life

    def recover(self) -> None:
        """Restore the newest snapshot and read the journal after it. Raises what makes a start impossible."""
        begun = time.monotonic()
        self.healthy.recovering = self.runner.progress
        self._gatekeeper.prepare()
        self.house.drift.load()
        batches = self.runner.recover()
        self.healthy.recovering = lambda: None
        seconds = round(time.monotonic() - begun, 2)
        log.info("recovered", stays=len(self.core.stays), journal_batches=batches, seconds=seconds)

    def _restore(self) -> None:
        """The core as it was at the newest snapshot, whatever it is now, with the stays of now."""
        now = self.clock.now()
        self.core.begin(listening_since=now)
        restored = snapshots.restore(self.core)
        with self.engine_db.connect() as connection:
            # Whose end a crash kept from the book, however long ago: alerts of who has left would go on.
            stays = stays_since(connection, now - KEEP_ENDED, self.core.book.present())
        part = self.settings.part
        stays = [stay for stay in stays if part.has(stay.ward)]
        for stay in stays:
            self.core.load_stay(stay, now)
            self.core.heard[stay.id] = now  # who is away is not back because the service was away, too
        self.core.drop_unknown()
        self.core.rules_changed(now)
        log.info("restored", stays=len(stays), snapshot=restored)

    def start(self, *, in_background: bool = False) -> None:
        """Recover, then connect and go on with the clock. ``in_background``: return at once, so that HTTP
        can say meanwhile how far that is; if it is impossible the process ends."""
        self._watchdog.start()
        self.operations.pulse.start()
        if self._deadman:
            self._deadman.start()
        if in_background:
            self.healthy.recovering = lambda: "recovering"
            self._starter.start()
        else:
            self._begin()

    def _begin(self) -> None:
        self.recover()
        if self.house.is_stopping:
            return
        for part, limit in LIMITS.items():
            self.beats.expect(part, limit)
        self.runner.start()
        self.link.start()
        self._outbox.start()
        self.notifier.start()
        for duty in self._trail:
            duty.start()
        self._gatekeeper.start()
        self.house.start()

    def _begin_or_end(self) -> None:
        try:
            self._begin()
        except Exception as error:
            log.exception("the start is impossible")
            end_process(f"the start is impossible: {why(error)}")

    def _threads(self) -> dict[str, threading.Thread]:
        """Those without which nothing is watched, or nobody is told."""
        threads = {
            "core": self.runner.thread,
            "outbox": self._outbox.thread,
            "notify": self.notifier.thread,
            "housekeeping": self.house.thread,
        }
        return threads | ({"mqtt": self.link.thread} if self.link.thread else {})

    def _make_notifier(self) -> Notifier:
        channels = load_channels(
            self.settings.channels_file,
            Parts(
                publish=lambda topic, payload: self.link.publish(topic, payload),
                notice=lambda ward, notice: self.hub.publish("notice", notice, ward),
            ),
        )
        plans = self.core.book.plans
        return Notifier(
            self.engine_db,
            channels,
            self._undelivered,
            plan_of=plans.of,
            wards=lambda: {*self.settings.part.among(plans.by_ward), *self.board.wards},
            ward_now=self.clock.now,
            in_real_time=self.clock.speed == 1,
            link=self.settings.public_url,
            language=self.settings.language,
            beat=lambda: self.beats.beat("notify"),
            duty=SCREENS if self.settings.notify == "elsewhere" else EVERYTHING,
            is_woken=True,
        )

    def _wake_senders(self) -> None:
        self._outbox.wake()
        self.notifier.wake()

    def _undelivered(self, sending: Sending, error: str) -> None:
        """The core notes it, durably, and has the next level told. Nothing for an alert that is over."""
        with contextlib.suppress(NotFoundError):
            self.runner.ask("not_delivered", not_delivered(sending, error)).result(UNDELIVERED_S)

    def _make_deadman(self) -> DeadMan | None:
        given = self.settings
        if given.deadman_url is None or not given.part.is_whole:  # one of several must not speak for all
            return None
        return DeadMan(
            given.deadman_url,
            lambda: list(self.health()["reasons"]),
            every_s=given.deadman_s,
            fail_url=given.deadman_fail_url,
        )

    def stop(self) -> None:
        """Take no more messages, write what there is, end. Safe to call twice."""
        self.operations.practice.stop()
        self.operations.pulse.stop()
        self._watchdog.stop()
        if self._deadman:
            self._deadman.stop()
        self.hub.close()
        self._trials.stop()
        self.house.stop()
        self.runner.halt()
        if self._starter.is_alive():
            self._starter.join(20.0)
        self.notifier.stop()
        self.link.stop()
        self.runner.stop()
        self._outbox.stop()
        for duty in self._trail:
            duty.stop()
        self._gatekeeper.stop()
        self._note_journal()
        self._journal.close()
        self.engine_db.dispose()

    def _note_journal(self) -> None:
        with contextlib.suppress(SQLAlchemyError):  # it is then not known to be whole
            if self.runner.is_saved:
                note_whole(self.engine_db, self.settings, self.core.position, self._journal.last())

    @contextlib.contextmanager
    def running(self, *, in_background: bool = False) -> Iterator[WardService]:
        self.start(in_background=in_background)
        try:
            yield self
        finally:
            self.stop()

    # ------------------------------------------------------------------ what the web asks

    @property
    def board(self) -> Board:
        return self.runner.keeper.board

    async def call(self, command: str, **arguments: Any) -> Json:
        """See ``ward.web.service_protocol``."""
        if command == "admit" and self._pseudonyms is not None:
            arguments["patient_ref"] = self._pseudonyms.of(arguments["patient_ref"])
        future = self.runner.ask(command, arguments)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), ANSWER_S)
        except TimeoutError:
            raise UnavailableError(f"the core did not answer within {ANSWER_S:.0f} s; {LOOK}") from None
        except OperationalError:
            raise UnavailableError(f"the database does not answer; {LOOK}") from None

    def trial(self, request: Json) -> AsyncGenerator[tuple[str, Json], None]:
        """See ``ward.web.service_protocol``."""
        pack = self.core.rulebook.pack
        return self._trials.run(
            Job(self.settings.database, pack.id, list(pack.rules), request, self.settings.risk_model)
        )

    @property
    def language(self) -> Language:
        return self.settings.language

    @property
    def reference_days(self) -> int:
        return self.settings.drift_reference_days

    def risk(self, stay: str) -> Json:
        return risk_view(self.core.risk_model, self.board.risk(stay), self.clock.now())

    def write_history(self, stay: str) -> bool:
        asked = self.runner.ask("write_history", {"stay": stay})
        try:
            asked.result(HISTORY_S)
        except Exception as error:  # what is stored is better than no history at all
            asked.cancel()
            log.warning("the newest readings are not in the history yet", error=str(error) or repr(error))
            return False
        return True

    def showing(self, ward: str, device: str) -> Json:
        key = f"{ward}/{device}"
        number = self.core.router.number(key)
        alone = {} if number is None else self.core.showing.of(number)
        board = self.board
        stay = next((one["stay"] for one in board.devices if one["id"] == key), None)
        view = board.stays.get(stay) if stay else None
        return latest(alone, of_stay(view, device)) if view else alone

    def plan(self, ward: str) -> Plan:
        return self.core.plans.of(ward)

    @property
    def pack(self) -> Pack:
        return self.core.rulebook.pack

    def rules(self, scope: str) -> Sequence[Json]:
        ward, stay = places(self.core, scope)
        book = self.core.rulebook
        return [drafts.shown(book, rule, ward, stay) for rule in book.effective(ward, stay)]

    def changed(self, scope: str, changes: Mapping[str, Mapping[str, Any]]) -> Sequence[Json]:
        """See ``ward.web.service_protocol``."""
        ward, stay = places(self.core, scope)
        book, made = drafts.planned(self.core.rulebook, changes, scope, ward, "", self.clock.now())
        shown = [drafts.rule_view(book, one.rule_id, ward, stay) for one in made]
        return [{**rule, "by": None, "at": None} for rule in shown if rule is not None]

    @property
    def second_person(self) -> bool:
        return self.settings.second_person

    def health(self, wards: Collection[str] | None = None) -> Json:
        """Whether the ward is watched, and if not, why not."""
        return self.healthy.view()
