"""The video benchmark: a corpus with known truth -> what vcd and its peers find in it, and at what cost.

folder     a corpus as `benchmarks.corpus` writes it
product    vcd as its users run it, preset by preset
extract    descriptors of every file by every model, once
methods    what is compared: a model, a search, an aligner
ask        descriptors -> rows, with the time that each step took
measures   rows and truth -> numbers
stages     what each stage of vcd costs for an hour of video
scaling    how search grows with the library, on generated vectors
run        all of it, step by step; a finished step is kept
"""
