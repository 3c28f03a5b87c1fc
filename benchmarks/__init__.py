"""Measurements, run by `make bench`; each prints what it measured, on what, and beside what."""
