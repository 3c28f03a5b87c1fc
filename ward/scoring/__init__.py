"""Pure scoring: filter, held signals, NEWS2, sustained rules, engine. Reads no clock, file or socket."""
