"""The service under load, and killed in the middle of its work."""
