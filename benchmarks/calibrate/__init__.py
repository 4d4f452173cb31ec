"""Evidence of the segments that a corpus gives -> the parameters that turn evidence into a probability.

    python -m benchmarks.calibrate CORPUS_DEV CORPUS_TEST [--model NAME|CARD.toml]

Fitted on the first corpus and checked on the second. Writes the parameters into the package
(``vcd/align/calibrations``), and the check with its reliability plot to ``benchmarks/results``. A corpus is a folder
of `benchmarks.corpus`: ``references/``, ``distractors/``, ``queries/`` and ``truth.csv``. What is slow, reading the
media, is kept in ``benchmarks/.kept`` and done once for each model.
"""
