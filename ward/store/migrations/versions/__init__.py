"""One file a version of the schema, in which ``expands`` says whether it only adds.

``expands = True``: the ward before it goes on beside, takes over and is taken over from. So there are new
tables, new columns that may be left out, and indexes that refuse nothing (``tests/store/expanding.py`` holds
it to that); and what is written into what was there (a snapshot, the journal, a document) is still read by
the ward before. Where that is not so it is False, also for a change of form that needs no change of tables.
What goes away goes in a later release, with False.

Up to 0014 all are False: wards of then know nothing of this, and refuse whatever is newer.
"""
