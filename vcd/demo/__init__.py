"""Films drawn by code, and a pirate clip of two of them whose truth is known."""
