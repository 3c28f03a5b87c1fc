"""Carrying an alert to a person: the channels, their file, and the sender of what is to be told."""
