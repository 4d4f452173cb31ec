"""Result files -> plots and pages: nothing is measured here, so a report can be drawn again at any time."""
