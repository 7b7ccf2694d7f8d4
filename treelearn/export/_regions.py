"""What a tree demands of the features of a row for it to reach a node."""

import math
from typing import NamedTuple

__all__ = ["Demand", "FREE", "regions"]


class Demand(NamedTuple):
    """What all the splits above a node demand of one feature, merged.

    Attributes
    ----------
    low, high : float
        Values above the first and at most the second pass.
    may_miss : bool
        Whether a missing value passes.
    """

    low: float
    high: float
    may_miss: bool


FREE = Demand(-math.inf, math.inf, True)


def regions(tree):
    """Yield the nodes in pre-order with what they demand.

    Parameters
    ----------
    tree : Tree
        The tree.

    Yields
    ------
    node : int
        Its number.
    depth : int
        Its depth.
    demands : dict of int to Demand
        By feature, in the order in which the path first splits on them. The same dict every
        time: it changes when the next node is asked for.
    """
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()
    missing_left = tree.missing_go_to_left.tolist()
    demands = {}
    # A stack instead of recursion: trees may be thousands of levels deep.
    stack = [(0, 0, None, None)]
    while stack:
        node, depth, changed, demand = stack.pop()
        if changed is not None:
            if node >= 0:
                stack.append((-1, 0, changed, demands.get(changed)))
            if demand is None:
                del demands[changed]
            else:
                demands[changed] = demand
        if node < 0:  # back from below: what the child demanded is void
            continue
        yield node, depth, demands
        if left[node] != -1:
            j, cut = feature[node], threshold[node]
            low, high, may_miss = demands.get(j, FREE)
            goes_left = bool(missing_left[node])
            above = Demand(max(low, cut), high, may_miss and not goes_left)
            below = Demand(low, min(high, cut), may_miss and goes_left)
            stack.append((right[node], depth + 1, j, above))
            stack.append((left[node], depth + 1, j, below))
