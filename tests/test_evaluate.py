"""vcd.evaluate: all metrics at once, by edit and by strength, on cases computed by hand."""

from math import isnan

import pytest

from tests.test_evaluate_metrics import COPY, row
from vcd.evaluate import Truth, evaluate
from vcd.evaluate.scores import NO_COPY, UNSTATED
from vcd.evaluate.sheets import LABELS, SHORT_LABELS, sheets
from vcd.types import Segment, Span


def test_silence_on_a_query_without_a_copy_is_free_and_a_row_for_it_is_an_error() -> None:
    truth = Truth((COPY,), ("clean",))
    silent = evaluate([COPY], truth).as_dict()
    alarmed = evaluate([COPY, row(pair="clean r", score=0.1)], truth).as_dict()
    assert silent["f1_3s"] == silent["precision_3s"] == silent["recall_3s"] == 1
    assert alarmed["f1_3s"] == pytest.approx(2 / 3)
    assert (alarmed["precision_3s"], alarmed["recall_3s"]) == (0.5, 1)


def test_perfect_predictions_have_every_metric_at_its_best() -> None:
    numbers = evaluate([COPY], Truth((COPY,), ("clean",))).as_dict()
    assert (numbers["queries"], numbers["queries_without_copy"]) == (2, 1)
    assert numbers["false_rejection_rate"] == numbers["false_alarm_rate"] == 0
    assert all(numbers[name] == 1 for name in LABELS if not name.startswith(("queries", "false")))


def test_no_predictions_find_nothing() -> None:
    numbers = evaluate([], Truth((COPY,), ("clean",))).as_dict()
    assert all(numbers[f"precision_{s}s"] is None for s in (1, 3, 5))
    assert numbers["vcsl_precision"] is None
    zero = ["f1_1s", "recall_3s", "segment_micro_ap", "vcsl_recall", "vcsl_f", "micro_ap", "recall_at_p90"]
    assert [numbers[name] for name in (*zero, "mean_ap", "false_alarm_rate")] == [0] * 9
    assert numbers["false_rejection_rate"] == 1


def test_without_any_copy_recall_is_undefined_and_false_alarms_still_count() -> None:
    numbers = evaluate([row(pair="a x")], Truth((), ("a", "b"))).as_dict()
    assert all(numbers[name] is None for name in ("recall_1s", "segment_micro_ap", "vcsl_recall", "micro_ap"))
    assert numbers["f1_1s"] == numbers["precision_1s"] == numbers["vcsl_precision"] == numbers["vcsl_f"] == 0
    assert numbers["false_alarm_rate"] == 0.5


def test_an_empty_truth_without_predictions_has_no_metric_at_all() -> None:
    numbers = evaluate([], Truth(())).as_dict()
    assert {numbers[name] for name in LABELS} == {0, None}
    assert isnan(evaluate([], Truth(())).overall.mean_ap)


def test_edits_are_scored_by_their_own_queries_and_queries_without_a_copy_apart() -> None:
    copies = (row(pair="a x", edit="crop", strength="2"), row(pair="b x", edit="none", strength="10"))
    scores = evaluate([row(pair="a x"), row(pair="clean x"), row(pair="b wrong")], Truth(copies, ("clean", "quiet")))
    assert list(scores.by_edit) == ["crop", "none", NO_COPY]
    assert list(scores.by_strength) == ["2", "10", NO_COPY]
    assert scores.by_edit["crop"].as_dict()["f1_3s"] == 1
    assert scores.by_edit["none"].as_dict()["f1_3s"] == 0
    assert scores.by_edit[NO_COPY].as_dict()["false_alarm_rate"] == 0.5
    assert scores.by_edit["crop"].as_dict()["false_alarm_rate"] is None
    assert sum(group.predictions for group in scores.by_edit.values()) == 3
    assert sum(group.queries for group in scores.by_edit.values()) == 4


def test_a_query_with_two_edits_is_a_group_of_its_own_and_an_empty_edit_has_a_name() -> None:
    copies = (row(edit="logo"), row((20, 30), edit="crop"), row(pair="b x"))
    assert list(evaluate([], Truth(copies)).by_edit) == ["crop+logo", UNSTATED]


def test_without_edits_nothing_is_broken_down() -> None:
    scores = evaluate([COPY], Truth((COPY,), ("clean",)))
    assert (scores.by_edit, scores.by_strength) == ({}, {})
    assert len(sheets(scores)) == 1


def test_segments_of_a_report_can_be_scored_as_they_are() -> None:
    segment = Segment("q", "r", Span(0, 10), Span(100, 110), score=0.7)
    assert evaluate([segment], Truth((COPY,))).as_dict()["f1_1s"] == 1


def test_a_prediction_for_an_unknown_query_and_a_truth_against_itself_are_refused() -> None:
    with pytest.raises(ValueError, match="no query 'stranger'"):
        evaluate([row(pair="stranger r")], Truth((COPY,)))
    with pytest.raises(ValueError, match="'q' has a copy"):
        Truth((COPY,), ("q",))
    with pytest.raises(ValueError, match="twice"):
        Truth((), ("q", "q"))


def test_every_number_has_a_label_and_what_is_undefined_is_shown_as_a_dash() -> None:
    scores = evaluate([], Truth((row(edit="crop"),)))
    assert list(scores.overall.as_dict()) == list(LABELS)
    assert set(SHORT_LABELS) < set(LABELS)
    overall, by_edit = sheets(scores)
    assert ("precision, all four times within 1 s (iQIYI)", "-") in overall.rows
    assert ("copies", "1") in overall.rows
    assert by_edit.rows[0][:3] == ("crop", "1", "0.0000")
