"""Implications: what all studies say together."""

from rethinking.studies.study import Study

STUDY = Study(
    name="implications",
    tables=(),
    figures=(),
)
