"""Stage 1: a file -> `Frame`s in time order.

Read in this order: `files` (which files), `probe` (opening one safely), `timeline` (when its frames are shown),
`sampling` (which moments), `quiet` (which of them need no decoding), `decode` (no more than they need), `video` and
`still` (a file and its frames), `picture` (a decoded frame as upright RGB), `layout` (which parts of the frame show a
picture of their own).
"""

from vcd.media.files import find_media, hash_file
from vcd.media.layout import find_regions
from vcd.media.read import open_media

__all__ = ["find_media", "find_regions", "hash_file", "open_media"]
