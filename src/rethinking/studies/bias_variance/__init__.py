"""Bias and variance: of polynomials by degree, of networks by width (Yang et al. 2020, Neal et al. 2018)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="bias_variance",
    tables=("classical", "decomposition", "split", "shape"),
    figures=("classical", "decomposition", "split"),
)
