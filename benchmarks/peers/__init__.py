"""What others do, on the same files in the same run.

    hashes      PDQ of each frame, as a describer
    models      all peers that are describers: those, and vcd's models that no one would choose today
    vpdq        vPDQ as published: every frame decoded, sets of hashes compared
    lecture     the rule set of one contest entry for choosing a reference

A describer of a peer gives unit vectors, so that it can be searched and aligned just like vcd's own: what differs is
what it sees in a picture.
"""
