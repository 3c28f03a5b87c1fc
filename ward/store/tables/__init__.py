"""Every table, in one ``MetaData``, one module a concern.

Times are ms since 1970 UTC. Intervals are half open, ``[start, end)``, and ``end`` null is "still".
``JSON`` columns hold null as SQL null. Primary keys that count upwards never reuse a number
(``AUTOINCREMENT``, sequences), so a position in the journal or in the log of events stays unique
after old rows are gone.
"""

from ward.store.tables.alerting import alerts, events, outbox, rules
from ward.store.tables.audit import audit
from ward.store.tables.base import Json, Serial, Text, metadata
from ward.store.tables.care import deliveries, plans
from ward.store.tables.credentials import device_credentials, device_numbers
from ward.store.tables.doors import idempotency, login_codes, sessions, tokens
from ward.store.tables.drafts import draft_log, drafts, trials
from ward.store.tables.people import attempts, users
from ward.store.tables.protection import erasures
from ward.store.tables.readings import dead_letters, history, journal, meta, snapshots
from ward.store.tables.reports import baselines, tallies
from ward.store.tables.sharing import trial_parts
from ward.store.tables.stays import assignments, devices, stays

__all__ = [
    "Json",
    "Serial",
    "Text",
    "alerts",
    "assignments",
    "attempts",
    "audit",
    "baselines",
    "dead_letters",
    "deliveries",
    "device_credentials",
    "device_numbers",
    "devices",
    "draft_log",
    "drafts",
    "erasures",
    "events",
    "history",
    "idempotency",
    "journal",
    "login_codes",
    "meta",
    "metadata",
    "outbox",
    "plans",
    "rules",
    "sessions",
    "snapshots",
    "stays",
    "tallies",
    "tokens",
    "trial_parts",
    "trials",
    "users",
]
