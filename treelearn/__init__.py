"""Decision trees with exact search, many times faster, and with any impurity."""

from ._show_versions import show_versions
from ._version import __version__
from .batched import best_splits, impurity, split_gains
from .classifier import DecisionTreeClassifier
from .laboratory import compare_criteria
from .regressor import DecisionTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "__version__",
    "best_splits",
    "compare_criteria",
    "impurity",
    "show_versions",
    "split_gains",
]
