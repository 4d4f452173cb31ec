"""Find where a video or an image was copied from, to the second."""

__version__ = "0.1.0"
