"""Pure functions over readings: no clock, no I/O, no text.  Definitions: docs/measuring.md."""
