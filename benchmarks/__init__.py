"""Measurements that are too slow, too noisy or too machine-dependent to be tests; their results are committed."""
