"""vcd.evaluate: each metric against a slow, obvious twin that follows the definition word for word."""

import random
from collections.abc import Callable, Sequence
from itertools import permutations
from math import isnan, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd.evaluate import Row, Truth, evaluate
from vcd.evaluate.contest import contest_score
from vcd.evaluate.ranking import mean_ap, micro_ap, recall_at_precision
from vcd.evaluate.vcsl import vcsl_score
from vcd.evaluate.vsc import segment_micro_ap
from vcd.types import Span

spans = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda ends: Span(min(ends), max(ends)))
rows = st.builds(
    Row,
    st.sampled_from("ab"),
    st.sampled_from("axy"),
    spans,
    spans,
    st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0]),
    st.sampled_from(["", "crop", "logo"]),
)
lists = st.lists(rows, max_size=7)
with_twin = settings(max_examples=150, deadline=None)


def same(one: float, other: float) -> bool:
    return (isnan(one) and isnan(other)) or one == pytest.approx(other, abs=1e-9)


# -- twins ------------------------------------------------------------------------------------------------


def slow_right(predictions: Sequence[Row], copies: Sequence[Row], tolerance_s: float) -> int:
    """Try every assignment of the longer list to the shorter."""

    def fits(one: Row, other: Row) -> bool:
        def ends(row: Row) -> list[float]:
            return [row.query_span.start_s, row.query_span.end_s, row.reference_span.start_s,
                    row.reference_span.end_s]  # fmt: skip

        same_pair = (one.query, one.reference) == (other.query, other.reference)
        return same_pair and all(abs(a - b) <= tolerance_s for a, b in zip(ends(one), ends(other), strict=True))

    short, long = sorted((predictions, copies), key=len)
    return max(sum(map(fits, short, chosen)) for chosen in permutations(long, len(short)))


def cells(span: Span) -> set[int]:
    """The half seconds that a span of whole seconds covers; a moment is a second wide."""
    if span.start_s == span.end_s:
        return {int(2 * span.start_s) - 1, int(2 * span.start_s)}
    return set(range(int(2 * span.start_s), int(2 * span.end_s)))


def query_cells(row: Row) -> set[int]:
    return cells(row.query_span)


def reference_cells(row: Row) -> set[int]:
    return cells(row.reference_span)


AXES: tuple[Callable[[Row], set[int]], ...] = (query_cells, reference_cells)


def overlap(one: Row, other: Row) -> bool:
    return all(axis(one) & axis(other) for axis in AXES)


def union(axis: Callable[[Row], set[int]], chosen: Sequence[Row]) -> set[int]:
    return set().union(*map(axis, chosen))


def of_pair(chosen: Sequence[Row], pair: tuple[str, str]) -> list[Row]:
    return [row for row in chosen if (row.query, row.reference) == pair]


def pairs(*chosen: Sequence[Row]) -> set[tuple[str, str]]:
    return {(row.query, row.reference) for some in chosen for row in some}


def slow_segment_micro_ap(predictions: Sequence[Row], copies: Sequence[Row]) -> float:
    """All sums from scratch at every threshold."""
    if not copies:
        return float("nan")
    average = recall = 0.0
    for threshold in sorted({row.score for row in predictions}, reverse=True):
        precisions, recalls = [], []
        for axis in AXES:
            predicted = right = wanted = 0
            for pair in pairs(predictions, copies):
                found = [row for row in of_pair(predictions, pair) if row.score >= threshold]
                met = [copy for copy in of_pair(copies, pair) if any(overlap(copy, row) for row in found)]
                predicted += len(union(axis, found))
                right += len(union(axis, found) & union(axis, met))
                wanted += len(union(axis, of_pair(copies, pair)))
            precisions.append(right / predicted)
            recalls.append(right / wanted)
        reached = sqrt(recalls[0] * recalls[1])
        average += sqrt(precisions[0] * precisions[1]) * (reached - recall)
        recall = reached
    return average


def slow_vcsl(predictions: Sequence[Row], copies: Sequence[Row]) -> tuple[float, float]:
    def confirmed(chosen: Sequence[Row], others: Sequence[Row]) -> float:
        product = 1.0
        for axis in AXES:
            right = [
                len(set().union(*(axis(row) & axis(other) for other in others if overlap(row, other))))
                for row in chosen
            ]
            product *= sum(right) / sum(len(axis(row)) for row in chosen)
        return product

    def mean(one: Sequence[Row], other: Sequence[Row]) -> float:
        values = [confirmed(of_pair(one, pair), of_pair(other, pair)) for pair in pairs(one)]
        return sum(values) / len(values) if values else float("nan")

    return mean(predictions, copies), mean(copies, predictions)


def slow_ranking(predictions: Sequence[Row], copies: Sequence[Row]) -> list[bool]:
    """Right or wrong for each pair; repeatedly take the best, a wrong one where scores are equal."""
    left = {pair: max(row.score for row in of_pair(predictions, pair)) for pair in pairs(predictions)}
    ranking = []
    while left:
        best = max(left.values())
        equal = [pair for pair, score in left.items() if score == best]
        wrong = [pair for pair in equal if pair not in pairs(copies)]
        taken = (wrong or equal)[0]
        ranking.append(taken in pairs(copies))
        del left[taken]
    return ranking


def slow_average_precision(ranking: Sequence[bool], wanted: int) -> float:
    return sum(sum(ranking[: i + 1]) / (i + 1) for i, right in enumerate(ranking) if right) / wanted


# -- comparisons ------------------------------------------------------------------------------------------


@with_twin
@given(lists, st.lists(rows, max_size=4), st.sampled_from([0, 1, 3, 5]))
def test_right_rows_are_the_largest_one_to_one_pairing(
    predictions: list[Row], copies: list[Row], tolerance_s: int
) -> None:
    score = contest_score(predictions, copies, tolerance_s)
    assert score.right == slow_right(predictions, copies, tolerance_s)
    assert (score.predicted, score.wanted) == (len(predictions), len(copies))
    if score.right:
        harmonic = 2 * score.precision * score.recall / (score.precision + score.recall)
        assert score.f1 == pytest.approx(harmonic)


@with_twin
@given(lists, lists)
def test_segment_micro_ap_equals_its_twin(predictions: list[Row], copies: list[Row]) -> None:
    assert same(segment_micro_ap(predictions, copies), slow_segment_micro_ap(predictions, copies))


@with_twin
@given(lists, lists)
def test_vcsl_equals_its_twin(predictions: list[Row], copies: list[Row]) -> None:
    score = vcsl_score(predictions, copies, ())
    precision, recall = slow_vcsl(predictions, copies)
    assert same(score.precision, precision)
    assert same(score.recall, recall)
    missed = pairs(copies) - pairs(predictions)
    assert not copies or score.false_rejection_rate == len(missed) / len(pairs(copies))


@with_twin
@given(lists, lists)
def test_rankings_equal_their_twins(predictions: list[Row], copies: list[Row]) -> None:
    if not copies:
        metrics = (micro_ap, recall_at_precision, mean_ap)
        assert all(isnan(metric(predictions, copies)) for metric in metrics)
        return
    wanted = len(pairs(copies))
    ranking = slow_ranking(predictions, copies)
    assert same(micro_ap(predictions, copies), slow_average_precision(ranking, wanted))
    heads = [ranking[:length] for length in range(1, len(ranking) + 1)]
    precise = [sum(head) for head in heads if sum(head) / len(head) >= 0.9]
    assert same(recall_at_precision(predictions, copies), max(precise, default=0) / wanted)


@with_twin
@given(lists, st.lists(rows, min_size=1, max_size=7))
def test_mean_ap_equals_its_twin(predictions: list[Row], copies: list[Row]) -> None:
    values = []
    for query in {row.query for row in copies}:
        own = [row for row in copies if row.query == query]
        found = [row for row in predictions if row.query == query]
        found = [row for row in found if row.reference != query or pairs([row]) <= pairs(own)]
        values.append(slow_average_precision(slow_ranking(found, own), len(pairs(own))))
    assert same(mean_ap(predictions, copies), sum(values) / len(values))


@with_twin
@given(lists, lists, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_digit_and_all_shares_lie_between_0_and_1(
    predictions: list[Row], copies: list[Row], chance: random.Random
) -> None:
    silent = tuple(sorted({row.query for row in predictions} - {row.query for row in copies}))
    numbers = evaluate(predictions, Truth(tuple(copies), silent)).as_dict()
    chance.shuffle(predictions)
    chance.shuffle(copies)
    assert evaluate(predictions, Truth(tuple(copies), silent[::-1])).as_dict() == numbers
    counts = {"queries", "queries_without_copy", "copies", "predictions", "by_edit", "by_strength"}
    shares = [value for name, value in numbers.items() if name not in counts and value is not None]
    assert all(0 <= value <= 1 for value in shares)
