"""Double descent (Belkin et al. 2019, Nakkiran et al. 2019)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="double_descent",
    tables=("random-features", "peaks", "samples", "regularised"),
    figures=("random-features", "model-wise", "epoch-wise", "sample-wise", "regularised"),
)
