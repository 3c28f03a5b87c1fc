"""Fuzzers: what devices send and what people write, bent in every way, through the real code.

``python -m tests.fuzz --cases 1000000 --seed 1`` is the long form (``make fuzz``); the tests here are
its short form. The same seed gives the same cases. What each case must keep is in ``mqtt`` and
``files``: not only that nothing crashes, but that every reading is accounted for.
"""
