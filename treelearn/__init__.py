"""Decision trees with exact search, many times faster, and with any impurity."""

from ._cache import clear_training_cache, set_training_cache_size, training_cache_info
from ._information_report import information_report
from ._show_versions import show_versions
from ._version import __version__
from .batched import best_splits, impurity, split_gains
from .classifier import DecisionTreeClassifier
from .laboratory import compare_criteria
from .regressor import DecisionTreeRegressor
from .training_set import TrainingSet

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "TrainingSet",
    "__version__",
    "best_splits",
    "clear_training_cache",
    "compare_criteria",
    "impurity",
    "information_report",
    "set_training_cache_size",
    "show_versions",
    "split_gains",
    "training_cache_info",
]
