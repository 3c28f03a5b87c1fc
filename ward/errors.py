"""What can go wrong and be told to a caller; the web turns each into problem details (RFC 9457)."""

from __future__ import annotations


class WardError(Exception):
    """Base. ``type`` is the stable last part of the problem's type, ``status`` its HTTP status.

    ``extra`` may have a ``code``, a stable word for what ``detail`` says, with ``params``, what it speaks of:
    the dashboard says it in the reader's language (``ward/web/ui/src/text/en/problems.ts``).
    """

    type = "error"
    title = "Something went wrong"
    status = 500

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class NotFoundError(WardError):
    type, title, status = "not-found", "Not found", 404


class InvalidError(WardError):
    """The request is understood but its content is not allowed; ``extra`` may name the field."""

    type, title, status = "invalid", "Not valid", 422


class ConflictError(WardError):
    """The request does not fit the present state (a bed that is taken, a closed alert)."""

    type, title, status = "conflict", "Conflict with the present state", 409


class DoneError(ConflictError):
    """What an ``Idempotency-Key`` stands for was done before."""


class PreconditionError(WardError):
    """``If-Match`` does not name the present version."""

    type, title, status = "precondition-failed", "Changed by somebody else meanwhile", 412


class ForbiddenError(WardError):
    type, title, status = "forbidden", "Not allowed", 403


class UnauthorizedError(WardError):
    type, title, status = "unauthorized", "Log in first", 401


class UnavailableError(WardError):
    type, title, status = "unavailable", "Not available now", 503


class FencedError(UnavailableError):
    """Another service has taken this one's place. What is not written by now must not be written any more."""


def require_span(start: int, end: int, field: str) -> None:
    """Raises InvalidError, of this field, where a span (ms) has no time in it."""
    if start >= end:
        raise InvalidError("start must be before end", field=field, code="start-end")
