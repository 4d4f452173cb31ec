"""`vcd dedupe` of a generated library: how long it takes, how much memory, and whether it finds what is in it."""
