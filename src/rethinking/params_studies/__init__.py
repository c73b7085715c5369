"""The settings of each study, a module a study."""

from rethinking.params_sections import Section
from rethinking.params_studies.bias_variance import BiasVarianceParams
from rethinking.params_studies.bounds import BoundsParams
from rethinking.params_studies.double_descent import DoubleDescentParams
from rethinking.params_studies.expressivity import ExpressivityParams
from rethinking.params_studies.imagenet import ImageNetParams
from rethinking.params_studies.implications import ImplicationsParams
from rethinking.params_studies.kernels import KernelsParams
from rethinking.params_studies.parameters import ParametersParams
from rethinking.params_studies.quantisation import QuantisationParams
from rethinking.params_studies.randomisation import RandomisationParams
from rethinking.params_studies.sparsity import SparsityParams


class StudiesParams(Section):
    """One section for each study."""

    randomisation: RandomisationParams
    expressivity: ExpressivityParams
    bounds: BoundsParams
    kernels: KernelsParams
    parameters: ParametersParams
    imagenet: ImageNetParams
    bias_variance: BiasVarianceParams
    double_descent: DoubleDescentParams
    sparsity: SparsityParams
    quantisation: QuantisationParams
    implications: ImplicationsParams
