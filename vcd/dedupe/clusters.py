"""What files look like -> clusters to browse: spherical k-means, by FAISS."""

from collections.abc import Mapping

import faiss
import numpy as np
from numpy.typing import NDArray

from vcd.dedupe.records import Cluster
from vcd.library import MediaRow

ROUNDS = 25
SEED = 7


def find_clusters(looks: Mapping[int, NDArray[np.float32]], media: Mapping[int, MediaRow], count: int) -> list[Cluster]:
    """At most `count` clusters, largest first; in each the most typical file first. Equal input, equal output."""
    ids = sorted(looks, key=lambda media_id: media[media_id].path)
    vectors = np.array([looks[media_id] for media_id in ids], dtype=np.float32)
    count = min(count, len(np.unique(vectors, axis=0))) if ids else 0
    if count == 0:
        return []
    means = faiss.Kmeans(
        vectors.shape[1], count, niter=ROUNDS, spherical=True, seed=SEED, min_points_per_centroid=1,
        max_points_per_centroid=len(ids),
    )  # fmt: skip
    means.train(vectors)
    similarities = vectors @ means.centroids.T
    chosen = similarities.argmax(axis=1)
    clusters = []
    for number in range(count):
        inside = np.flatnonzero(chosen == number)
        order = inside[np.argsort(-similarities[inside, number], kind="stable")]
        if len(order):
            clusters.append(Cluster(tuple(media[ids[row]] for row in order)))
    return sorted(clusters, key=lambda cluster: (-len(cluster.files), cluster.files[0].path))
