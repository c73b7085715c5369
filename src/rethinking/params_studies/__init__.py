"""The settings of each study, a module a study."""

from rethinking.params_sections import Section
from rethinking.params_studies.bias_variance import BiasVarianceParams
from rethinking.params_studies.double_descent import DoubleDescentParams
from rethinking.params_studies.imagenet import ImageNetParams
from rethinking.params_studies.implications import ImplicationsParams
from rethinking.params_studies.quantisation import QuantisationParams
from rethinking.params_studies.randomisation import RandomisationParams
from rethinking.params_studies.sparsity import SparsityParams


class StudiesParams(Section):
    """One section for each study."""

    randomisation: RandomisationParams
    imagenet: ImageNetParams
    bias_variance: BiasVarianceParams
    double_descent: DoubleDescentParams
    sparsity: SparsityParams
    quantisation: QuantisationParams
    implications: ImplicationsParams
