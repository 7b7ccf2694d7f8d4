"""Decision trees with exact search, many times faster, and with any impurity."""

from ._information_report import information_report
from ._show_versions import show_versions
from ._version import __version__
from .classifier import DecisionTreeClassifier
from .laboratory import compare_criteria
from .regressor import DecisionTreeRegressor

__all__ = [
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "__version__",
    "compare_criteria",
    "information_report",
    "show_versions",
]
