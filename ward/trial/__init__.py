"""Trials: what other rules would have raised over readings that were, and which of them to choose."""
