"""Still images: how well a describer finds edited copies of 300 pictures among 3,770 references.

stored     pictures in Parquet files and folders
drawing    text, logos, borders, pictures in pictures
edits      the named edits
frames     distractors from videos
corpus     references, queries by edit, background: made once, cached
views      ways to look at a query
scores     similarities -> micro-AP, rank-1, recall at 90 % precision
evaluate   describer + corpus -> a table by edit
methods    what can be measured, by name
hashes     the peers that are no models of vcd
"""

from benchmarks.images.evaluate import score_describer

__all__ = ["score_describer"]
