"""The board as text for snapshots, made once for all streams that ask for it.

After a restart every screen of a hospital comes back at once: what is the same for all of them is encoded
once, not for each. Used on the event loop only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ward.web.hub import for_everybody

Json = Mapping[str, Any]
MOST: Final = 20_000
"""Texts kept; beyond, they are made anew. A stay has up to four."""


class Rendered:
    """By what and for whom; a text is good as long as what it was made of is the same object."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str, bool], tuple[object, str]] = {}

    def text(self, kind: str, id: str, of: object, make: Callable[[], Any], *, public: bool) -> str:
        """The JSON of ``make()``, which shows ``of``."""
        key = (kind, id, public)
        known = self._texts.get(key)
        if known is not None and known[0] is of:
            return known[1]
        if len(self._texts) >= MOST:
            self._texts.clear()
        made = make()
        text = msgspec.json.encode(for_everybody(made) if public else made).decode()
        self._texts[key] = (of, text)
        return text
