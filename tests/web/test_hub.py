"""The fan-out on its own: order, coalescing, slow streams, threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ward.web.hub import BEHIND, Closed, Event, Hub, Subscription


def everything(ward: str) -> bool:
    return True


async def taken(subscription: Subscription) -> list[Event]:
    return await subscription.take(0.01)


def test_alerts_come_in_order_and_before_views() -> None:
    async def run() -> list[tuple[str, int | None]]:
        hub = Hub()
        with hub.subscribe(everything) as subscription:
            hub.publish("stay", {"id": "s"}, "6A")
            hub.publish("alert", {"n": 1}, "6A", 1)
            hub.publish("alert", {"n": 2}, "6A", 2)
            return [(event.kind, event.id) for event in await taken(subscription)]

    assert asyncio.run(run()) == [("alert", 1), ("alert", 2), ("stay", None)]


def test_of_a_stay_only_the_newest_view_waits() -> None:
    async def run() -> list[str]:
        hub = Hub()
        with hub.subscribe(everything) as subscription:
            for n in range(5000):
                hub.publish("stay", {"id": "s", "n": n}, "6A")
            hub.publish("stay", {"id": "t"}, "6A")
            hub.publish("stay-removed", {"id": "t"}, "6A")
            hub.publish("device", {"id": "6A/mon-1"}, "6A")
            return [
                event.kind + event.wire.decode().partition("data: ")[2].strip()
                for event in await taken(subscription)
            ]

    assert asyncio.run(run()) == [
        'stay{"id":"s","n":4999}',
        'stay-removed{"id":"t"}',
        'device{"id":"6A/mon-1"}',
    ]


def test_no_alert_is_dropped_in_silence() -> None:
    async def run() -> tuple[list[int | None], bool]:
        hub = Hub(limit=3)
        with hub.subscribe(everything) as slow, hub.subscribe(everything) as quick:
            for n in range(1, 6):
                hub.publish("alert", {}, "6A", n)
                assert [event.id for event in await taken(quick)] == [n]
            kept = [event.id for event in await taken(slow)]
            with pytest.raises(Closed):
                await taken(slow)
            return kept, hub.subscribers == 2

    assert asyncio.run(run()) == ([1, 2, 3], True)  # the client resumes after 3


def test_a_stream_sees_its_wards_only() -> None:
    async def run() -> list[int | None]:
        hub = Hub()
        with hub.subscribe(lambda ward: ward == "6B") as subscription:
            hub.publish("alert", {}, "6A", 1)
            hub.publish("alert", {}, "6B", 2)
            return [event.id for event in await taken(subscription)]

    assert asyncio.run(run()) == [2]


def test_nothing_for_a_while_is_an_empty_list() -> None:
    async def run() -> list[Event]:
        with Hub().subscribe(everything) as subscription:
            return await taken(subscription)

    assert asyncio.run(run()) == []


def test_published_by_another_thread() -> None:
    async def run() -> list[int | None]:
        hub = Hub()
        with hub.subscribe(everything) as subscription:
            waiting = asyncio.create_task(subscription.take(30))
            await asyncio.sleep(0)
            thread = threading.Thread(target=hub.publish, args=("alert", {}, "6A", 7))
            thread.start()
            found = await waiting
            thread.join()
            return [event.id for event in found]

    assert asyncio.run(run()) == [7]


def test_closing_ends_streams_and_those_that_come_after() -> None:
    async def run() -> None:
        hub = Hub()
        with hub.subscribe(everything) as before:
            hub.close()
            with pytest.raises(Closed):
                await taken(before)
        assert hub.subscribers == 0
        with hub.subscribe(everything) as after, pytest.raises(Closed):
            await taken(after)

    asyncio.run(run())


def test_publishing_after_the_loop_is_gone_harms_nobody() -> None:
    hub = Hub()

    async def run() -> None:
        context = hub.subscribe(everything)
        context.__enter__()
        hub.kept = context  # the stream is never closed properly

    asyncio.run(run())
    hub.publish("alert", {}, "6A", 1)
    hub.close()


def test_each_form_is_told_in_its_own_way() -> None:
    async def run() -> tuple[list[str], list[str]]:
        hub = Hub()
        with hub.subscribe(everything) as views, hub.subscribe(everything, form="changes") as changes:
            hub.publish("stay", {"id": "s"}, "6A")
            hub.publish("stays", {"n": 1}, "6A")
            hub.publish("stay-removed", {"id": "s"}, "6A")
            hub.publish("stays", {"n": 2}, "6A")
            hub.publish("alert", {}, "6A", 1)
            hub.publish("minutes", {}, "6A")
            return [e.kind for e in await taken(views)], [e.kind for e in await taken(changes)]

    views, changes = asyncio.run(run())
    assert views == ["alert", "stay-removed"]
    assert changes == ["alert", "stays", "stay-removed", "stays", "minutes"]


def test_whoever_is_far_behind_gets_all_anew_in_place_of_many_changes() -> None:
    async def run() -> tuple[list[str], list[str]]:
        hub = Hub()
        with hub.subscribe(everything, form="changes") as slow:
            for n in range(10_000):
                hub.publish("stays", {"n": n}, "6A")
            hub.publish("alert", {}, "6A", 1)
            first = [event.kind for event in await taken(slow)]
            hub.publish("stays", {"n": 0}, "6A")
            return first, [event.kind for event in await taken(slow)]

    assert asyncio.run(run()) == (["alert", BEHIND], ["stays"])
