"""How long an hour of video takes: `vcd index` beside a bare decoding of the same files' I-frames, the floor.

Wall times of a shared machine mean little by themselves. All is therefore measured in turns within one run, and
what counts is the ratio to the floor of the same round.
"""
