"""Other ways to align, to measure the default one against; none of them is meant for use.

    temporal_network     longest path through the best matches (Tan et al., 2009)
    hough                one peak of offsets, speed 1 only (Douze, Jegou and Schmid, 2010)
    dynamic_programming  local alignment of two sequences (Chou, Chen and Lee, 2015)
    extrapolation        strong rules from two matched key frames on (a contest entry of 2019)
    exhaustive           every speed and offset tried: the slow twin that says what `vote` should find

Each is a function that finds stretches; `stretches.BaselineAligner` makes an aligner of it. The first three look at
the dense matrix of similarities on a grid of seconds (`grid`), as their authors do.
"""
