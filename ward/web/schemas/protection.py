"""What one patient may ask for: all that is kept of her, and that it goes."""

from __future__ import annotations

from pydantic import Field

from ward.web.schemas.common import Answer, Moment


class Erasure(Answer):
    """What went, or with `dry_run` what would go."""

    stay: str = Field(description="The stay's id.", examples=["01jd6qk2"])
    erased_at: Moment | None = Field(description="When; null: nothing was erased, it was a dry run.")
    by: str | None = Field(description="Who asked for it.", examples=["Ada"])
    rows: dict[str, int] = Field(
        description="How many, by kind: readings, alerts, …", examples=[{"readings": 412_000, "alerts": 3}]
    )
