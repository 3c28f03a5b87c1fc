"""A simulated ward beside the service, at the press of a button: only where a setting allows it, only on this
machine, and only while nobody real is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from ward.clock import Clock
from ward.config import Settings
from ward.errors import ConflictError, ForbiddenError
from ward.web.access import is_loopback

if TYPE_CHECKING:
    from simulator.run import Simulation

WARD: Final = "practice"
MOST_BEDS: Final = 48
Json = dict[str, Any]


class Practice:
    """``call`` runs the service's commands; ``stays`` are those that are open now."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        call: Callable[..., Awaitable[Json]],
        stays: Callable[[], list[Json]],
    ) -> None:
        self._settings, self._clock, self._call, self._stays = settings, clock, call, stays
        self._simulation: Simulation | None = None
        self._turn = asyncio.Lock()

    @property
    def is_allowed(self) -> bool:
        return self._settings.simulator == "allowed" and is_loopback(self._settings.http_host)

    def view(self) -> Json:
        running = self._simulation is not None
        real = any(stay["ward"] != WARD for stay in self._stays())
        return {"allowed": self.is_allowed, "running": running, "ward": WARD, "patients": real}

    async def start(self, beds: int, by: str) -> Json:
        """Raises ForbiddenError, ConflictError."""
        from simulator.run import Simulation
        from simulator.ward_plan import plan_ward

        async with self._turn:
            self._require()
            if self._simulation is not None:
                raise ConflictError("the simulator runs already", code="simulator-runs")
            if any(stay["ward"] != WARD for stay in self._stays()):
                raise ConflictError(
                    "there are patients: a simulator beside them would be mistaken for one",
                    code="simulator-patients",
                )
            plan = plan_ward(1, beds, wards=(WARD,))
            taken = {stay["bed"] for stay in self._stays()}
            for stay in plan.stays():
                if stay["bed"] not in taken:
                    await self._call("admit", **stay, by=by)
            ca_file = self._settings.mqtt_ca_file
            self._simulation = Simulation(
                plan,
                url=self._settings.mqtt_url,
                ca_file=str(ca_file) if ca_file else None,
                clock=self._clock,
            )
            self._simulation.start()
        return self.view()

    async def end(self, by: str) -> Json:
        """The simulation stops and its patients are discharged."""
        async with self._turn:
            self._require()
            await asyncio.to_thread(self.stop)
            for stay in self._stays():
                if stay["ward"] == WARD:
                    await self._call("discharge", stay=stay["id"], by=by)
        return self.view()

    def stop(self) -> None:
        """With the service; safe to call twice."""
        if self._simulation is not None:
            self._simulation.stop()
            self._simulation = None

    def _require(self) -> None:
        if not self.is_allowed:
            raise ForbiddenError(
                "the simulator is off; WARD_SIMULATOR=allowed allows it where only this machine is served",
                code="simulator-off",
            )
