"""Poolings of feature maps against slow twins that loop over every cell; with numpy always, with torch where it is."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vcd.describe.pooling import CENTRE_SPREAD, POOLINGS, centre_weight, pool, regions

MAPS = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(0, 100, width=32))
)


@pytest.fixture(params=["numpy", "torch"], scope="module")
def package(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


def on(package: Any, maps: np.ndarray) -> np.ndarray:
    """`maps` as the package has them."""
    return maps if package is np else package.from_numpy(np.array(maps))


def unit(vector: list[float]) -> list[float]:
    length = max(1e-6, math.sqrt(sum(value * value for value in vector)))
    return [value / length for value in vector]


def slow(maps: np.ndarray, pooling: str) -> list[list[float]]:
    """The twin: one picture, one channel, one cell at a time."""
    rows = []
    for picture in maps.tolist():
        cells = [[value for line in channel for value in line] for channel in picture]
        if pooling == "average":
            vector = [sum(channel) / len(channel) for channel in cells]
        elif pooling == "mac":
            vector = [max(channel) for channel in cells]
        elif pooling == "gem":
            vector = [(sum(v**3 for v in channel) / len(channel)) ** (1 / 3) for channel in cells]
        else:
            vector = slow_regional(picture, gaussian=pooling == "gaussian-rmac")
        rows.append(unit(vector))
    return rows


def slow_regional(picture: list[list[list[float]]], gaussian: bool) -> list[float]:
    height, width = len(picture[0]), len(picture[0][0])
    total = [0.0] * len(picture)
    for top, left, side in regions(height, width):
        maxima = unit([max(max(line[left : left + side]) for line in channel[top : top + side]) for channel in picture])
        y, x = (top + side / 2) / height * 2 - 1, (left + side / 2) / width * 2 - 1
        weight = math.exp(-((math.hypot(y, x) / CENTRE_SPREAD) ** 2) / 2) if gaussian else 1.0
        total = [old + weight * value for old, value in zip(total, maxima, strict=True)]
    return total


@pytest.mark.parametrize("pooling", POOLINGS)
@given(maps=MAPS)
def test_every_pooling_is_its_slow_twin(package: Any, pooling: str, maps: np.ndarray) -> None:
    got = np.asarray(pool(on(package, maps), pooling, package))

    np.testing.assert_allclose(got, slow(maps, pooling), atol=1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
@given(maps=MAPS)
def test_rows_are_unit_rows_and_float32(package: Any, pooling: str, maps: np.ndarray) -> None:
    maps = np.where(maps < 1e-2, 0, maps)  # far from what is as good as nothing
    got = np.asarray(pool(on(package, maps), pooling, package))
    lengths = np.linalg.norm(got, axis=1)

    assert got.dtype == np.float32
    np.testing.assert_allclose(lengths, (maps.max(axis=(1, 2, 3)) > 0).astype(float), atol=1e-3)


@pytest.mark.parametrize("pooling", POOLINGS)
@given(maps=MAPS, factor=st.floats(0.5, 50))
def test_brighter_maps_give_the_same_row(package: Any, pooling: str, maps: np.ndarray, factor: float) -> None:
    maps = np.where(maps < 1e-2, 0, maps)
    brighter = maps * np.float32(factor)

    np.testing.assert_allclose(
        np.asarray(pool(on(package, brighter), pooling, package)),
        np.asarray(pool(on(package, maps), pooling, package)), atol=1e-3,
    )  # fmt: skip


@pytest.mark.parametrize("pooling", POOLINGS)
@given(maps=MAPS)
def test_a_mirrored_square_map_of_even_side_is_pooled_alike(pooling: str, maps: np.ndarray) -> None:
    side = 12  # whose regions lie symmetrically
    maps = np.resize(maps, (*maps.shape[:2], side, side))

    np.testing.assert_allclose(pool(maps[..., ::-1], pooling, np), pool(maps, pooling, np), atol=1e-4)


class TestRegions:
    @given(height=st.integers(1, 40), width=st.integers(1, 40))
    def test_they_lie_inside_the_map_and_none_comes_twice(self, height: int, width: int) -> None:
        found = regions(height, width)

        assert len(set(found)) == len(found) > 0
        for top, left, side in found:
            assert 0 <= top <= height - side
            assert 0 <= left <= width - side
            assert side >= 1

    @given(height=st.integers(2, 40), width=st.integers(2, 40))
    def test_maps_up_to_four_times_as_long_as_wide_are_covered(self, height: int, width: int) -> None:
        covered = np.zeros((height, width), dtype=bool)
        for top, left, side in regions(height, width):
            covered[top : top + side, left : left + side] = True

        assert covered.all() or max(height, width) > 4 * min(height, width)

    def test_a_square_map_has_the_14_of_the_paper(self) -> None:
        found = regions(14, 14)

        assert [side for _, _, side in found] == [14] + [9] * 4 + [7] * 9
        assert found[0] == (0, 0, 14)
        assert found[1:5] == ((0, 0, 9), (0, 5, 9), (5, 0, 9), (5, 5, 9))

    @given(height=st.integers(1, 40), width=st.integers(1, 40))
    def test_a_turned_map_has_the_turned_regions(self, height: int, width: int) -> None:
        turned = {(left, top, side) for top, left, side in regions(height, width)}

        assert set(regions(width, height)) == turned

    def test_the_middle_weighs_most(self) -> None:
        weights = {region: centre_weight(region, 14, 14) for region in regions(14, 14)}

        assert weights[(0, 0, 14)] == 1
        assert weights[(0, 0, 7)] == min(weights.values()) < 0.5
