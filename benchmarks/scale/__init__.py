"""How a library behaves as it grows: generated vectors with planted copies."""
