"""Network sparsity: magnitude pruning and lottery tickets (Han et al. 2015, Frankle & Carbin 2019)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="sparsity",
    tables=(),
    figures=(),
)
