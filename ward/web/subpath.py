"""Below a path of a hospital's proxy, such as ``/ward``: whether the proxy takes that off or leaves it.

Inside nothing knows of it: paths, guards and the audit trail are the same everywhere. The dashboard's own
links are relative; what is told as a path (``Location``) gets the sub-path back.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SubPath:
    """Takes ``root`` off each path that begins with it. ``root`` "" does nothing."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.root:
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == self.root:
            # Relative links of the page must lead below the path, not beside it.
            await RedirectResponse(f"{self.root}/", 308)(scope, receive, send)
            return
        if path.startswith(f"{self.root}/"):
            raw = scope.get("raw_path")
            scope = {
                **scope,
                "path": path.removeprefix(self.root),
                "raw_path": raw.removeprefix(self.root.encode("ascii")) if raw else raw,
            }

        async def led_back(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                location = headers.get("location", "")
                if location.startswith("/") and not location.startswith("//"):
                    headers["location"] = self.root + location
            await send(message)

        await self.app(scope, receive, led_back)
