"""How good ward is on real recordings: the filter, the score, the packs; offline, for `ward evaluate`."""
