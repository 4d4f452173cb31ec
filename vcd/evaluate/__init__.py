"""Truth and predictions -> numbers. No stage of vcd imports this package.

    tables    files -> Row, Truth
    contest   F1 within 1, 3 and 5 s (iQIYI)
    vsc       segment micro-AP (VSC2022)
    vcsl      segment precision, recall, F; false rejections and alarms (VCSL)
    ranking   micro-AP, recall at 90 % precision, mAP (DISC21, FIVR)
    scores    all of them at once, also by edit and strength
    sheets    the same as tables of text

The truth and the predictions are files or records; a metric that has nothing to measure is NaN.
"""

from vcd.evaluate.records import Row, Truth
from vcd.evaluate.scores import Metrics, Scores, evaluate, evaluate_files
from vcd.evaluate.tables import read_predictions, read_truth

__all__ = [
    "Metrics",
    "Row",
    "Scores",
    "Truth",
    "evaluate",
    "evaluate_files",
    "read_predictions",
    "read_truth",
]
