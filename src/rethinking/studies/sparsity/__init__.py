"""Network sparsity: magnitude pruning and lottery tickets (Han et al. 2015, Frankle & Carbin 2019)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="sparsity",
    tables=("prunability", "one-shot", "recalibration", "generalisation", "tickets", "published"),
    figures=("one-shot", "methods", "prunability", "generalisation", "tickets", "ticket-curves"),
)
