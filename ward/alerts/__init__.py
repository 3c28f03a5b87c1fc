"""Packs of rules and the life of an alert. Pure: knows nothing of HTTP, MQTT or SQL."""
