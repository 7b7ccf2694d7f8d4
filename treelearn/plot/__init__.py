"""Pictures of trees and of what is known of them, with matplotlib, which only they import.

Every function draws on ``ax`` and makes a figure where none is given; it returns the display
object, whose ``ax_`` and ``figure_`` are what was drawn on.
"""

from ._curves import (
    CriteriaDisplay,
    OrderPathDisplay,
    PruningDisplay,
    plot_criteria,
    plot_order_path,
    plot_pruning,
)
from ._leaves import CalibrationDisplay, LeavesDisplay, plot_calibration, plot_leaves
from ._tree import TreeDisplay, plot_tree

__all__ = [
    "CalibrationDisplay",
    "CriteriaDisplay",
    "LeavesDisplay",
    "OrderPathDisplay",
    "PruningDisplay",
    "TreeDisplay",
    "plot_calibration",
    "plot_criteria",
    "plot_leaves",
    "plot_order_path",
    "plot_pruning",
    "plot_tree",
]
