"""Which moments are chosen: exact on films of known times, and promises on any timeline."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.made import ONE_I_FRAME, make_video, steady, uneven
from tests.test_media_formats import FULL_SIZE, sampled, show_the_film, times
from vcd.config import SampleConfig
from vcd.media import open_media
from vcd.media.sampling import MIN_STEP_S, choose_between, choose_packets
from vcd.media.timeline import Timeline
from vcd.types import Span

UNEVEN = uneven(6)
MODES = ("iframe", "scene", "uniform", "hybrid")
TINY_S = 1e-6


@pytest.fixture(scope="module", params=[".mp4", ".mkv", ".ts", ".webm"])
def uneven_film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A variable frame rate, exact to 1 ms at least; an I-frame every 20 frames."""
    path = tmp_path_factory.mktemp("uneven") / f"film{request.param}"
    return make_video(path, UNEVEN, gop=20, scenecut=False)


@pytest.mark.parametrize("mode", MODES)
def test_sampled_frames_of_a_variable_rate_have_exact_times(uneven_film: Path, mode: str) -> None:
    frames = sampled(uneven_film, mode, gap_s=0.3)

    for time_s in times(frames):
        assert min(abs(np.array(UNEVEN) - time_s)) < 1e-3
    assert show_the_film(frames)


@pytest.mark.parametrize("step_s", [0.25, 0.3, 1.0, 1.7])
def test_uniform_takes_the_first_frame_at_or_after_each_multiple(uneven_film: Path, step_s: float) -> None:
    wanted: list[float] = []
    for number in range(100):
        later = [at_s for at_s in UNEVEN if at_s >= number * step_s - TINY_S]
        if later and later[0] not in wanted:
            wanted.append(later[0])

    assert times(sampled(uneven_film, "uniform", step_s)) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("gap_s", [0.3, 0.5, 1.0, 2.0])
def test_hybrid_leaves_no_larger_gap_than_it_must(uneven_film: Path, gap_s: float) -> None:
    chosen = times(sampled(uneven_film, "hybrid", gap_s))

    for before, after in pairwise(chosen):
        between = [at_s for at_s in UNEVEN if before + TINY_S < at_s <= before + gap_s - 1e-3]
        assert after - before <= gap_s + 1e-3 or not between
    assert chosen[0] == 0
    assert UNEVEN[-1] - chosen[-1] <= gap_s + 1e-3


def test_hybrid_fills_a_film_of_one_group_of_pictures(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", steady(6), gop=ONE_I_FRAME, scenecut=False)

    chosen = times(sampled(path, "hybrid", 1.0))

    assert chosen[0] == 0
    assert max(np.diff([*chosen, 6.0])) <= 1.0 + TINY_S


def test_hybrid_finds_a_change_of_scene_without_an_i_frame(tmp_path: Path) -> None:
    """The first frame of the new scene that others refer to is the largest packet near it."""
    path = make_video(tmp_path / "a.mp4", steady(6), gop=ONE_I_FRAME, scenecut=False)

    chosen = times(sampled(path, "hybrid", 2.0))

    for cut_s in (2.0, 4.0):
        assert any(cut_s <= time_s < cut_s + 0.5 for time_s in chosen)


def test_iframe_gives_the_key_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", UNEVEN, gop=20, scenecut=False)

    assert times(sampled(path, "iframe")) == pytest.approx(UNEVEN[::20], abs=1e-3)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx265"), ("a.webm", "libvpx-vp9")])
def test_scene_gives_the_first_frame_after_each_cut(tmp_path: Path, name: str, codec: str) -> None:
    path = make_video(tmp_path / name, UNEVEN, codec=codec, gop=ONE_I_FRAME, scenecut=False)

    wanted = [next(at_s for at_s in UNEVEN if at_s >= cut_s) for cut_s in (0, 2, 4)]
    assert times(sampled(path, "scene")) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv", ".avi", ".wmv", ".mpg", ".webm", ".nut"])
def test_frames_between_are_those_shown_in_the_span(tmp_path: Path, suffix: str) -> None:
    """Seeking is left to the container, and some lead to the wrong place."""
    media = open_media(make_video(tmp_path / f"a{suffix}", steady(6, 25), gop=20), FULL_SIZE)

    for span in (Span(0, 0.5), Span(2.35, 3.35), Span(4.1, 4.1), Span(5, 99), Span(7, 9)):
        frames = list(media.frames_between(span, 0.1))
        shown = [at_s for at_s in steady(6, 25) if span.start_s - TINY_S <= at_s < span.end_s - TINY_S]
        assert times(frames) == pytest.approx(shown[::3], abs=1e-3)
        assert show_the_film(frames)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Groups of pictures of any length, shown in an order that differs from that of decoding."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=8))
    count = sum(lengths)
    steps_ms = draw(st.lists(st.integers(1, 900), min_size=count, max_size=count))
    moments_ms = np.cumsum(steps_ms) - steps_ms[0] * draw(st.booleans())
    order: list[int] = []
    for length in lengths:
        first = len(order)
        order += [first, *draw(st.permutations(range(first + 1, first + length)))]
    is_key = np.zeros(count, dtype=bool)
    is_key[np.cumsum([0, *lengths[:-1]])] = True
    is_shown = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    is_shown[draw(st.integers(0, count - 1))] = True
    return Timeline(
        times_s=moments_ms[order] / 1000,
        is_key=is_key,
        is_shown=is_shown,
        sizes_bytes=np.array(draw(st.lists(st.integers(1, 50), min_size=count, max_size=count))),
        end_s=float(moments_ms[-1] / 1000 + 0.04),
        marks=moments_ms[order],
    )


settings = st.builds(SampleConfig, mode=st.sampled_from(MODES), gap_s=st.floats(0.02, 5))


def chosen_times(timeline: Timeline, config: SampleConfig) -> NDArray[np.float64]:
    return timeline.times_s[choose_packets(timeline, config)]


@given(timelines(), settings)
def test_a_choice_rises_in_time_and_is_never_empty(timeline: Timeline, config: SampleConfig) -> None:
    chosen_s = chosen_times(timeline, config)
    assert len(chosen_s) > 0
    assert (np.diff(chosen_s) > 0).all()


@given(timelines(), settings)
def test_only_what_is_shown_is_chosen(timeline: Timeline, config: SampleConfig) -> None:
    assert timeline.is_shown[choose_packets(timeline, config)].all()


@given(timelines(), st.floats(0.02, 5))
def test_the_gap_is_kept_wherever_the_film_allows_it(timeline: Timeline, gap_s: float) -> None:
    chosen_s = [*chosen_times(timeline, SampleConfig(mode="hybrid", gap_s=gap_s)), timeline.end_s]
    shown_s = timeline.times_s[timeline.is_shown]

    assert chosen_s[0] == min(shown_s)
    for before, after in pairwise(chosen_s):
        if after - before > gap_s + 2 * TINY_S:
            between = (shown_s > before + TINY_S) & (shown_s <= min(before + gap_s, after - TINY_S))
            assert not between.any()


@given(timelines(), st.floats(0.02, 5))
def test_uniform_keeps_its_rule(timeline: Timeline, step_s: float) -> None:
    shown_s = np.sort(timeline.times_s[timeline.is_shown])
    wanted = set()
    for number in range(int(timeline.end_s / step_s) + 1):
        later = shown_s[shown_s >= number * step_s - TINY_S]
        if len(later) and number * step_s < timeline.end_s:
            wanted.add(float(later[0]))

    chosen_s = chosen_times(timeline, SampleConfig(mode="uniform", gap_s=step_s))
    assert chosen_s.tolist() == (sorted(wanted) or [shown_s[0]])


@given(timelines())
def test_key_frames_are_chosen_unless_they_crowd(timeline: Timeline) -> None:
    keys_s = timeline.times_s[timeline.is_key & timeline.is_shown]
    chosen_s = chosen_times(timeline, SampleConfig(mode="iframe"))

    if len(keys_s):
        assert set(chosen_s) <= set(keys_s)
        for key_s in keys_s:
            assert min(abs(chosen_s - key_s)) < MIN_STEP_S


@given(timelines(), settings, st.randoms())
def test_the_order_of_packets_does_not_matter(timeline: Timeline, config: SampleConfig, random: object) -> None:
    order = np.arange(len(timeline))
    np.random.default_rng(random.getrandbits(32)).shuffle(order)  # type: ignore[attr-defined]
    shuffled = Timeline(
        timeline.times_s[order], timeline.is_key[order], timeline.is_shown[order],
        timeline.sizes_bytes[order], timeline.end_s, timeline.marks[order],
    )  # fmt: skip

    assert chosen_times(shuffled, config).tolist() == chosen_times(timeline, config).tolist()


@given(timelines(), st.floats(0, 8), st.floats(0, 4), st.floats(0, 2))
def test_a_choice_within_a_span_keeps_to_it(timeline: Timeline, start_s: float, length_s: float, step_s: float) -> None:
    span = Span(start_s, start_s + length_s)
    rows = choose_between(timeline, span, step_s)
    chosen_s = timeline.times_s[rows]
    shown_s = np.sort(timeline.times_s[timeline.is_shown])
    inside = shown_s[(shown_s >= span.start_s - TINY_S) & (shown_s < span.end_s - TINY_S)]

    assert timeline.is_shown[rows].all()
    assert set(chosen_s) <= set(inside)
    assert (len(chosen_s) > 0) == (len(inside) > 0)
    assert (np.diff(chosen_s) >= step_s - 2 * TINY_S).all()
