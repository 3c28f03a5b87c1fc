"""``Idempotency-Key``: the same request twice acts once and answers the same."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ward.errors import ConflictError, DoneError
from ward.store.idempotency import Act, Remembered, claim, forget, remember, riding
from ward.web.problems import KeyReusedError
from ward.web.service_protocol import Json
from ward.web.shared import Ident, send

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text, new for each change. The same change sent again, because the answer was "
        "lost, then acts once and is answered alike, with `Idempotency-Replayed: true`.",
        examples=["8b0c1b9e-5f0a-4e3f-9d43-0c8a2a3f6c11"],
    ),
]


class Idempotent:
    """One request's key; ``answer`` runs the change, unless it ran before.

    Whatever the change commits says in the same transaction that it was done (``ward.store.idempotency``), so
    also what was done and could not be answered is not done twice: where its answer was not kept, ``again``
    makes one.
    """

    def __init__(self, request: Request, identity: Ident, key: Key = None) -> None:
        self.request = request
        self.identity = identity
        self.key = key

    async def answer(
        self,
        run: Callable[[], Awaitable[Json]],
        *,
        status: int = 200,
        location: Callable[[Json], str] | None = None,
        again: Callable[[], Awaitable[Json]] | None = None,
    ) -> Response:
        """Run, and answer with the resource. Only successes are kept: what failed may be tried again.
        ``again``: the resource as it is, where this was done and nobody knows what it was answered with."""
        headers: dict[str, str] = {}
        if not self.key:
            body = await run()
        else:
            body, status, is_new = await self._once(run, status, again)
            headers = {} if is_new else {"Idempotency-Replayed": "true"}
        if location is not None:
            headers["Location"] = location(body)
        return send(body, status, headers)

    async def _once(
        self, run: Callable[[], Awaitable[Json]], status: int, again: Callable[[], Awaitable[Json]] | None
    ) -> tuple[Json, int, bool]:
        """(answer, its status, whether this request did it)."""
        content = _digest(self.request.scope["query_string"], await self.request.body())
        before = await self._claim(content)
        if before is not None and before.body is not None:
            return before.body, before.status or status, False
        is_new = before is None
        try:
            body = await self._run(run, content, status) if is_new else await self._found(again)
        except DoneError:
            body, is_new = await self._found(again), False
        await run_in_threadpool(self._remember, status, body)
        return body, status, is_new

    async def _run(self, run: Callable[[], Awaitable[Json]], content: str, status: int) -> Json:
        act = Act(**self._mine, digest=content, status=status, at=self.identity.wall())
        try:
            with riding([act]):
                return await run()
        except DoneError:
            raise
        except Exception:
            await run_in_threadpool(self._forget)  # which does nothing to what was done all the same
            raise

    async def _found(self, again: Callable[[], Awaitable[Json]] | None) -> Json:
        if again is None:
            raise ConflictError("this was done before; look at what came of it", code="done-before")
        return await again()

    async def _claim(self, content: str) -> Remembered | None:
        before = await run_in_threadpool(self._try_claim, content)
        if before is None:
            return None
        if before.digest != content:
            said = "this Idempotency-Key came with another content before; take a new key"
            raise KeyReusedError(said, code="done-before")
        if before.status is None:
            raise ConflictError(
                "the first request with this Idempotency-Key is still being answered", code="still-asked"
            )
        return before

    @property
    def _mine(self) -> dict[str, str]:
        request = self.request
        route = f"{request.method} {request.url.path}"
        return {"key": self.key or "", "actor": request.state.principal.id, "route": route}

    def _try_claim(self, digest: str) -> Remembered | None:
        with self.identity.engine.begin() as tx:
            return claim(tx, **self._mine, digest=digest, now=self.identity.wall())

    def _remember(self, status: int, body: Json) -> None:
        with self.identity.engine.begin() as tx:
            remember(tx, **self._mine, status=status, body=body)

    def _forget(self) -> None:
        with self.identity.engine.begin() as tx:
            forget(tx, **self._mine)


def _digest(query: bytes, body: bytes) -> str:
    """Of all that a request says beside its path."""
    return hashlib.sha256(b"?%s\n%s" % (query, body) if query else body).hexdigest()


Once = Annotated[Idempotent, Depends()]
