"""The library against itself, from its stored descriptors: what `vcd dedupe` does.

candidates   which files may share something, and which frames are in many files
pairs        two files -> what they share
spans        sets of moments
stretches    intros, outros: what many files share that are no copies of each other
groups       pairs -> groups around a best file
known        pairs that a person said are no duplicates
clusters     files that look alike
find         all of it in order
formats      what was found as bytes
page         the same for people, with a picture of each file

Nothing here changes or deletes a media file.
"""

from vcd.dedupe.find import dedupe
from vcd.dedupe.formats import render
from vcd.dedupe.known import add_known, find_known

__all__ = ["add_known", "dedupe", "find_known", "render"]
