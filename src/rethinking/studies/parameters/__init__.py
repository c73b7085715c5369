"""Parameters against data: how many parameters networks have for each training example, and what comes of it."""

from rethinking.studies.study import Study

STUDY = Study(
    name="parameters",
    tables=("counts", "hidden-units"),
    figures=("ratios", "hidden-units"),
)
