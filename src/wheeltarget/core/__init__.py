"""Pure rooms: values in, values out; no I/O, no clock, nothing read from the host."""
