"""Who carries alerts to people, where that is not the engine: each its part, and nobody is seen."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.notify.office import HandClock, Inline, Script, delivery
from ward.alerts.plan import DEFAULT
from ward.cluster.carrying import Carrier
from ward.config import Settings, SettingsError
from ward.notify import carriers
from ward.notify.carriers import FORGET_S, NOBODY, SILENCE_S, TELL_S, Watch, of_all, together
from ward.notify.channels import Configured
from ward.notify.circuit import Condition
from ward.notify.duty import EVERYTHING, PEOPLE, SCREENS
from ward.notify.notifier import Notifier
from ward.notify.sender import Sender
from ward.partitions import Partition
from ward.server import serve
from ward.store.care import enqueue_deliveries
from ward.store.partition import OPTION

WORKS = Condition(None, None, None, 900)
BROKEN = Condition(500, "no answer in time", 800, None)


class Steady:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("each", "broken_since"),
    [
        ([], None),
        ([WORKS], None),
        ([BROKEN], 500),
        ([BROKEN, Condition(400, "no connection", 700, None)], 400),
        ([BROKEN, WORKS], None),  # somebody got through since
        ([BROKEN, Condition(None, None, None, 600)], 500),  # and not since
        ([BROKEN, Condition(None, None, None, None)], 500),  # nobody else tried
    ],
)
def test_a_channel_is_broken_where_nobody_gets_through_since(each, broken_since):
    assert together(each).broken_since == broken_since
    assert together(reversed(each)).broken_since == broken_since


def test_what_was_said_last_is_kept():
    both = together([BROKEN, WORKS])
    assert (both.last_error, both.last_error_at, both.last_sent_at) == ("no answer in time", 800, 900)
    assert of_all([{"pager": WORKS}, {"lamp": BROKEN}]) == {"lamp": BROKEN, "pager": WORKS}


def test_who_counts_up_is_there(engine: Engine):
    clock = Steady()
    watch = Watch(engine, clock)
    watch.look()
    assert watch.fault is None  # nobody could have told yet
    clock.now += SILENCE_S + 1
    watch.look()
    assert watch.fault == NOBODY
    carriers.tell(engine, "a", 1, {"pager": BROKEN})
    clock.now += TELL_S
    watch.look()
    assert (watch.fault, watch.present(), watch.conditions()) == (None, ["a"], {"pager": BROKEN})
    for number in range(2, 20):
        carriers.tell(engine, "a", number, {"pager": WORKS})
        clock.now += TELL_S
        watch.look()
    assert (watch.fault, watch.conditions()) == (None, {"pager": WORKS})


def test_who_hangs_or_died_is_not(engine: Engine):
    clock = Steady()
    carriers.tell(engine, "dead", 17, {"pager": BROKEN})  # of before; its machine is no more
    watch = Watch(engine, clock)
    for _ in range(round(SILENCE_S / TELL_S) + 2):
        watch.look()
        clock.now += TELL_S
    watch.look()
    assert (watch.fault, watch.present(), watch.conditions()) == (NOBODY, [], {})
    assert watch.gone() == []
    clock.now += FORGET_S
    assert watch.gone() == ["dead"]
    carriers.take_leave(engine, "dead")
    watch.look()
    assert (carriers.told(engine), watch.gone()) == ({}, [])


def sender_of(db: Engine, duty, script: Script) -> Sender:
    channels = {name: Configured(name, "script", script, 30_000, 4, "bed") for name in ("pager", "lamp")}
    return Sender(
        db, channels, lambda sending, error: None, now=HandClock(), workers=lambda _: Inline(), duty=duty
    )


def partition(db: Engine, number: int) -> Engine:
    return db.execution_options(**{OPTION: Partition(number, 2)})


def test_each_carries_its_part(postgres_engine: Engine):
    engine = postgres_engine
    for number in (0, 1):
        with partition(engine, number).begin() as tx:
            for channel in ("pager", "dashboard", "unknown"):
                enqueue_deliveries(tx, [delivery(f"{channel}{number}", channel, alert=f"a{number}")])
    screens, people = Script(), Script()
    assert sender_of(partition(engine, 1), SCREENS, screens).send_due() == 1  # its own partition's dashboard
    assert screens.heard == []  # which is no channel of this test's, so it was refused
    carrier = sender_of(engine, PEOPLE, people)
    assert [carrier.send_due() for _ in range(3)] == [3, 1, 0]  # what is unknown one by one
    assert len(people.heard) == 2
    assert sender_of(partition(engine, 0), EVERYTHING, screens).send_due() == 1


def test_what_cannot_be_told_goes_to_the_engine_that_has_the_alert(postgres_engine: Engine):
    engine = postgres_engine
    with partition(engine, 1).begin() as tx:
        enqueue_deliveries(tx, [delivery("k", "unknown")])
    given_up = []
    Sender(
        engine,
        {},
        lambda sending, error: given_up.append(sending.partition),
        now=HandClock(),
        workers=lambda _: Inline(),
        duty=PEOPLE,
    ).send_due()
    assert given_up == [1]


def test_screens_are_told_how_channels_do_by_those_who_carry(engine: Engine):
    pager = {"pager": Configured("pager", "script", Script(), 30_000, 4, "bed")}

    def notifier(duty):
        return Notifier(
            engine,
            pager,
            lambda sending, error: None,
            plan_of=lambda ward: DEFAULT,
            wards=tuple,
            ward_now=HandClock(),
            duty=duty,
        )

    shown = notifier(SCREENS)
    carriers.tell(engine, "a", 1, {"pager": BROKEN})
    shown.look()
    (view,) = shown.channels(None)
    assert (view["broken_since"], view["last_error"]) == ("1970-01-01T00:00:00.500Z", "no answer in time")
    assert shown.failing() == ["channel-pager"]
    assert notifier(EVERYTHING).failing() == []
    for one in (shown,):
        one.stop()
    assert set(carriers.told(engine)) == {"a"}  # who did not carry takes no leave


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"partitions": 1, "cluster_secret": "s" * 16}, "`ward serve` sends itself"),
        ({"partitions": 2}, "WARD_CLUSTER_SECRET"),
    ],
)
def test_it_is_for_a_cluster(given, said):
    with pytest.raises(SettingsError, match=said):
        Carrier(Settings(**given))


def test_who_serves_alone_carries_alone():
    with pytest.raises(SettingsError, match="`ward notify` is for a cluster"):
        serve(Settings(notify="elsewhere"))
