"""From MQTT to the journal: decode, validate, make durable, route to stays."""
