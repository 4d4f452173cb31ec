"""The command line: one module a command; each reads arguments, calls the pipeline, prints, gives an exit code."""
