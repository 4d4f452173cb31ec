"""What others do, on the same files in the same run.

    hashes      pHash and PDQ of each frame, as describers
    histogram   the colours of each frame, as a describer
    words       SIFT and a bag of visual words, as a describer
    vpdq        vPDQ as published: every frame decoded, sets of hashes compared
    lecture     the rule set of one contest entry for choosing a reference

A describer of a peer gives unit vectors, so that it can be searched and aligned just like vcd's own: what differs is
what it sees in a picture.
"""
