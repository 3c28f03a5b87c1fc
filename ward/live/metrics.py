"""What ward tells Prometheus about itself. No label carries a patient, a stay or a bed."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("ward_messages", "MQTT messages taken from the queue")
READINGS = Counter("ward_readings", "Readings of stays given to the engine")
UNASSIGNED = Counter("ward_readings_unassigned", "Readings of devices that belong to no stay")
NULLS = Counter("ward_readings_null", "Values a device expected but did not have")
DUPLICATES = Counter("ward_samples_duplicate", "Samples that were heard before")
REFUSED = Counter("ward_refused", "Messages or parts of them that were refused, by reason", ["reason"])
STRAYS = Counter("ward_observations_stray", "Observations of stays that are not known")
MARKED = Counter("ward_readings_marked", "Readings the filter did not find valid, by reason", ["reason"])
LATE = Counter("ward_rebuilds", "Stays whose clocks were built again from stored readings")
LATE_WAITING = Gauge("ward_rebuilds_waiting", "Stays whose late readings wait for that")
QUEUE = Gauge("ward_queue_messages", "Messages waiting between network and journal")
QUEUE_SIZE = Gauge("ward_queue_size", "Messages that may wait there; beyond that the broker is made to wait")
BLOCKED = Gauge("ward_queue_blocked_seconds", "Time for which the broker was made to wait, in total")
CONNECTED = Gauge("ward_mqtt_connected", "1 while connected and subscribed")
MESSAGE_AGE = Gauge("ward_last_message_age_seconds", "Since a message arrived last; -1: none yet")
JOURNAL = Histogram("ward_journal_append_seconds", "Making one batch durable")
TICK = Histogram("ward_tick_seconds", "One evaluation of all stays")
STAYS = Gauge("ward_stays", "Stays that are watched")
ALERTS = Gauge("ward_alerts", "Alerts that are not closed, by state and priority", ["state", "priority"])
PENDING = Gauge("ward_alerts_pending", "Conditions in breach that are not sustained yet")
RAISED = Counter("ward_alerts_raised", "Alerts that became active", ["priority", "kind"])
INTERRUPTIONS = Counter("ward_interruptions", "Times staff were told, by reason", ["reason"])
OUTBOX = Gauge("ward_outbox_waiting", "Alert changes not yet published")
STREAMS = Gauge("ward_event_streams", "Dashboards that listen")
HEARTBEAT = Gauge("ward_heartbeat_age_seconds", "Since a part last went round, by part", ["part"])
DEADMAN = Counter("ward_deadman_pings", "Pings of the dead man's switch, by outcome", ["outcome"])
CLOCK_UNSYNCHRONISED = Gauge("ward_clock_unsynchronised", "1 while nothing keeps the machine's clock right")
DISK_FREE = Gauge("ward_disk_free_bytes", "Room on the data's disk")
SHEDDING = Gauge("ward_shedding", "1 while what may wait is put off because of overload")
HISTORY_LOST = Counter("ward_history_lost", "Readings given up because the history could not be written")
DRIFT = Gauge(
    "ward_drift",
    "How far a ward is from its reference, from 1 on it differs",
    ["ward", "what", "aspect", "days"],
)
DRIFT_LASTING = Gauge("ward_drift_lasting", "How much of a ward has differed for days", ["ward"])
ERRORS = Counter("ward_errors", "Faults of the service itself, by part", ["part"])
