"""vcd.evaluate: each metric on cases computed by hand."""

from dataclasses import replace
from math import sqrt

import pytest

from vcd.evaluate import Row
from vcd.evaluate.contest import contest_score
from vcd.evaluate.coverage import Coverage
from vcd.evaluate.ranking import mean_ap, micro_ap, recall_at_precision
from vcd.evaluate.vcsl import vcsl_score
from vcd.evaluate.vsc import segment_micro_ap
from vcd.types import Span


def row(
    query: tuple[float, float] = (0, 10),
    reference: tuple[float, float] = (100, 110),
    score: float = 1.0,
    pair: str = "q r",
    edit: str = "",
    strength: str = "",
) -> Row:
    """A row in one line; ``pair`` is query and reference."""
    return Row(*pair.split(), Span(*query), Span(*reference), score, edit, strength)


COPY = row()

# -- F1 of the contest ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "reference", "right"),
    [
        ((1, 10), (100, 110), 1),
        ((1.001, 10), (100, 110), 0),
        ((0, 11.001), (100, 110), 0),
        ((0, 10), (98.999, 110), 0),
        ((0, 10), (100, 111.001), 0),
        ((1, 9), (99, 111), 1),
    ],
)
def test_all_four_times_must_be_within_the_tolerance_itself_included(
    query: tuple[float, float], reference: tuple[float, float], right: int
) -> None:
    assert contest_score([row(query, reference)], [COPY], 1).right == right


def test_a_difference_of_exactly_one_second_counts_whatever_its_binary_fraction() -> None:
    assert 8.3 - 7.3 > 1
    assert contest_score([row((7.3, 20))], [row((8.3, 20))], 1).right == 1


def test_the_right_times_in_another_reference_are_wrong() -> None:
    score = contest_score([row(pair="q other")], [COPY], 5)
    assert (score.right, score.precision, score.recall, score.f1) == (0, 0, 0, 0)


def test_each_copy_is_found_once_so_a_second_row_near_it_is_wrong() -> None:
    score = contest_score([row(), row((0.5, 10), score=0.5)], [COPY], 3)
    assert (score.right, score.precision, score.recall) == (1, 0.5, 1)
    assert score.f1 == pytest.approx(2 / 3)


def test_a_row_that_fits_two_copies_leaves_the_other_row_the_one_that_it_needs() -> None:
    copies = [row((0, 10)), row((2, 10))]
    fits_both, fits_first_only = row((1, 10), score=0.9), row((-1, 10), score=0.1)
    assert contest_score([fits_both, fits_first_only], copies, 1).right == 2
    assert contest_score([fits_both, row((3, 10), score=0.1)], copies, 1).right == 2


def test_a_wrong_answer_costs_twice_what_no_answer_costs() -> None:
    """The contest: F1 = 2 TP / (predictions + queries); four queries, two of them found."""
    copies = [row(pair=f"q{i} r") for i in range(4)]
    found = [row(pair="q0 r"), row(pair="q1 r")]
    assert contest_score(found, copies, 3).f1 == pytest.approx(2 * 2 / (2 + 4))
    assert contest_score([*found, row(pair="q2 wrong")], copies, 3).f1 == pytest.approx(2 * 2 / (3 + 4))


# -- segment micro-AP of VSC2022 --------------------------------------------------------------------------


def test_exact_rows_score_one() -> None:
    copies = [COPY, row((20, 30), (5, 15)), row(pair="q2 r2")]
    assert segment_micro_ap(copies, copies) == pytest.approx(1)


def test_a_segment_split_in_two_overlapping_rows_loses_nothing() -> None:
    split = [row((0, 6), (100, 106), 0.9), row((5, 10), (105, 110), 0.4)]
    assert segment_micro_ap(split, [COPY]) == pytest.approx(1)


def test_a_duplicate_row_is_free() -> None:
    assert segment_micro_ap([COPY, COPY, replace(COPY, score=0.3)], [COPY]) == pytest.approx(1)


def test_crossed_rows_have_the_right_spans_in_the_wrong_pairing_and_score_zero() -> None:
    copies = [row((0, 10), (100, 110)), row((20, 30), (200, 210))]
    crossed = [row((0, 10), (200, 210)), row((20, 30), (100, 110))]
    assert segment_micro_ap(crossed, copies) == 0
    assert vcsl_score(crossed, copies, ()).f == 0


def test_a_row_twice_too_long_on_both_sides_has_half_the_precision() -> None:
    assert segment_micro_ap([row((0, 20), (100, 120))], [COPY]) == pytest.approx(0.5)


def test_a_row_twice_too_long_on_one_side_loses_a_square_root() -> None:
    assert segment_micro_ap([row((0, 20), (100, 110))], [COPY]) == pytest.approx(sqrt(0.5))


def test_half_of_the_copies_found_first_and_a_false_row_after_them_costs_nothing() -> None:
    copies = [COPY, row(pair="q2 r")]
    false = row(pair="q3 r", score=0.2)
    assert segment_micro_ap([COPY, false], copies) == pytest.approx(0.5)
    assert segment_micro_ap([COPY, replace(false, score=1.0)], copies) == pytest.approx(0.25)


def test_a_false_row_costs_its_whole_length_when_it_is_ranked_first() -> None:
    """30 s wrong, then 10 s right: P = 10 / 40 at R = 1."""
    false = row((0, 30), (0, 30), score=2, pair="q2 r")
    assert segment_micro_ap([COPY, false], [COPY]) == pytest.approx(0.25)


def test_a_copy_that_is_met_later_makes_earlier_rows_right() -> None:
    """G' of the first row is empty (crossed); the second meets the copy and confirms both query halves.

    First: nothing. Then T_q = 10, I_q = 10, T_r = 20, I_r = 10: P = sqrt(1/2), R = 1.
    """
    rows = [row((0, 5), (200, 210), 0.9), row((5, 10), (100, 110), 0.5)]
    assert segment_micro_ap(rows, [COPY]) == pytest.approx(sqrt(0.5))


def test_negative_scores_rank_like_any_other() -> None:
    copies, false = [COPY], row(pair="q2 r")
    calibrated = [replace(COPY, score=-1.0), replace(false, score=-2.0)]
    reversed_ = [replace(COPY, score=-2.0), replace(false, score=-1.0)]
    assert segment_micro_ap(calibrated, copies) == micro_ap(calibrated, copies) == 1
    assert segment_micro_ap(reversed_, copies) == micro_ap(reversed_, copies) == 0.5


def test_a_still_image_counts_as_one_second() -> None:
    """A found image (1 s) before a false one (1 s), a missed copy of 3 s: AP = R = 1 / 4."""
    image = row((0, 0), (0, 0), pair="photo ref")
    copies = [image, row((0, 3), (0, 3))]
    assert segment_micro_ap([image, row((0, 0), (0, 0), 0.5, "photo2 ref")], copies) == pytest.approx(0.25)
    assert vcsl_score([image], copies, ()).recall == pytest.approx(0.5)


def test_a_moment_found_a_quarter_of_a_second_off_keeps_three_quarters() -> None:
    found, moment = row((0, 0), (50.25, 50.25)), row((0, 0), (50, 50))
    assert segment_micro_ap([found], [moment]) == pytest.approx(0.75)  # P = R = sqrt(3/4)
    assert vcsl_score([found], [moment], ()).precision == pytest.approx(0.75)


def test_a_row_without_length_ranked_first_divides_by_nothing() -> None:
    assert segment_micro_ap([row((3, 3), (300, 300), 2.0)], [COPY]) == 0
    assert segment_micro_ap([row((3, 3), (103, 103), 2.0), COPY], [COPY]) == pytest.approx(1)


# -- VCSL -------------------------------------------------------------------------------------------------


def test_exact_repeated_and_split_rows_have_full_precision_and_recall() -> None:
    for rows in ([COPY], [COPY] * 3, [row((0, 5), (100, 105)), row((5, 10), (105, 110))]):
        score = vcsl_score(rows, [COPY], ())
        assert (score.precision, score.recall, score.f) == pytest.approx((1, 1, 1))


def test_a_row_twice_too_long_on_both_sides_has_a_quarter_of_the_precision() -> None:
    score = vcsl_score([row((0, 20), (100, 120))], [COPY], ())
    assert (score.precision, score.recall) == pytest.approx((0.25, 1))


def test_half_of_the_segment_has_a_quarter_of_the_recall() -> None:
    score = vcsl_score([row((0, 5), (100, 105))], [COPY], ())
    assert (score.precision, score.recall) == pytest.approx((1, 0.25))


def test_the_same_false_row_twice_counts_twice() -> None:
    false = row((50, 60), (500, 510))
    assert vcsl_score([COPY, false, false], [COPY], ()).precision == pytest.approx(1 / 9)


def test_made_up_pairs_lower_precision_and_missed_pairs_lower_recall() -> None:
    copies = [COPY, row(pair="q2 r")]
    score = vcsl_score([COPY, row(pair="q wrong"), row(pair="clean r")], copies, ("clean", "quiet"))
    assert (score.precision, score.recall) == pytest.approx((1 / 3, 1 / 2))
    assert (score.false_rejection_rate, score.false_alarm_rate) == (0.5, 0.5)


def test_a_pair_with_a_wrong_row_is_not_rejected_but_has_no_recall() -> None:
    score = vcsl_score([row((50, 60), (500, 510))], [COPY], ())
    assert (score.precision, score.recall, score.f, score.false_rejection_rate) == (0, 0, 0, 0)


# -- rankings ---------------------------------------------------------------------------------------------


def test_micro_ap_by_hand() -> None:
    """Right, wrong, right, and one never found: (1/1 + 2/3) / 3."""
    copies = [row(pair="a x"), row(pair="b x"), row(pair="c x")]
    rows = [row(pair="a x", score=9), row(pair="a y", score=8), row(pair="b x", score=7)]
    assert micro_ap(rows, copies) == pytest.approx((1 + 2 / 3) / 3)


def test_several_segments_of_a_pair_count_once_with_the_best_score() -> None:
    rows = [row(pair="a x", score=1), row((5, 6), pair="a x", score=9), row(pair="a y", score=5)]
    assert micro_ap(rows, [row(pair="a x"), row((5, 6), pair="a x")]) == 1


def test_among_equal_scores_wrong_pairs_come_first() -> None:
    rows = [row(pair="a x"), row(pair="a y"), row(pair="b x")]
    assert micro_ap(rows, [row(pair="a x"), row(pair="b x")]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_recall_at_90_percent_precision_allows_one_wrong_pair_in_ten() -> None:
    copies = [row(pair=f"q{i} r") for i in range(12)]
    ranked = [*copies[:9], row(pair="q0 wrong"), row(pair="q1 wrong"), copies[9]]
    rows = [replace(found, score=-float(rank)) for rank, found in enumerate(ranked)]
    assert recall_at_precision(rows, copies) == 9 / 12
    assert recall_at_precision(rows[::-1], copies) == 9 / 12
    assert recall_at_precision(rows, copies, percent=80) == 10 / 12


def test_a_precision_that_is_never_reached_has_recall_zero() -> None:
    assert recall_at_precision([row(pair="q wrong", score=2), COPY], [COPY]) == 0


def test_mean_ap_ranks_each_query_by_itself() -> None:
    """a: right at 1 and 3 of 2 wanted; b: right at 2; c: never found."""
    copies = [row(pair=pair) for pair in ("a x", "a y", "b x", "c x")]
    rows = [
        row(pair=pair, score=score) for pair, score in (("a x", 3), ("a z", 2), ("a y", 1), ("b z", 30), ("b x", 20))
    ]
    assert mean_ap(rows, copies) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2 + 0) / 3)


def test_finding_oneself_is_skipped_unless_the_truth_calls_it_a_copy() -> None:
    rows = [row(pair="a a", score=2), row(pair="a x", score=1)]
    assert mean_ap(rows, [row(pair="a x")]) == 1
    assert mean_ap(rows, [row(pair="a a"), row(pair="a x")]) == 1
    assert mean_ap(rows[:1], [row(pair="a a"), row(pair="a x")]) == 0.5


# -- lengths ----------------------------------------------------------------------------------------------


def test_what_was_not_covered_before_is_told_apart() -> None:
    coverage = Coverage([Span(0, 2), Span(4, 6)])
    assert coverage.add(Span(1, 5)) == [Span(2, 4)]
    assert coverage.add(Span(6, 7)) == [Span(6, 7)]
    assert coverage.length_s == 7
    assert coverage.overlap_s(Span(-1, 3)) == 3
