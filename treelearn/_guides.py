"""Splits of trees grown before on the same data, which spare a later growth the search for them.

The best split of a node depends on its samples and on the criterion alone. Rules of stopping only
take cuts away, so that the best cut of a looser tree is the best of a stricter one wherever the
stricter one allows it: the growth looks at that one feature first, and at the others only where
the cut it finds there is another one.
"""

from typing import NamedTuple

import numpy as np

from ._cache import guides
from ._hash import hash_array

__all__ = ["Guide", "find_guide", "keep_guide"]


class Guide(NamedTuple):
    """The splits of a tree, in arrays of shape (n_nodes,) that nobody changes.

    Attributes
    ----------
    feature, left, right, n_samples : ndarray of int32
        As in ``treelearn.tree.Tree``; the feature of a leaf is negative.
    threshold : ndarray of float64
        Of inner nodes.
    missing_goes_left : ndarray of uint8
        Of inner nodes.
    min_samples_leaf : int
        Fewest samples of its leaves.
    min_weight_fraction : float
        Least share of the whole weight in its leaves.
    """

    feature: np.ndarray
    left: np.ndarray
    right: np.ndarray
    n_samples: np.ndarray
    threshold: np.ndarray
    missing_goes_left: np.ndarray
    min_samples_leaf: int
    min_weight_fraction: float

    @property
    def n_bytes(self):
        """Bytes of the arrays."""
        return 25 * len(self.feature)

    def serves(self, rules):
        """Return whether it allows every cut that other rules allow."""
        return (
            self.min_samples_leaf <= rules["min_samples_leaf"]
            and self.min_weight_fraction <= rules["min_weight_fraction"]
        )


def find_guide(content, y, sample_weight, kernel, rules):
    """Return where the guide of a growth is kept, and the guide, both None where there is none.

    Parameters
    ----------
    content : tuple
        A hash of what the sorted lists depend on.
    y, sample_weight, kernel, rules
        As `treelearn._fitting.grow_tree` has them.
    """
    is_drawn = rules["random_thresholds"] or rules["max_features"] < content[0][0][1]
    if is_drawn or rules["monotonic"] is not None or rules["max_leaf_nodes"] > 0:
        return None, None
    weights = None if sample_weight is None else hash_array(np.ascontiguousarray(sample_weight))
    key = (content, hash_array(y), weights, kernel)
    guide = guides.get(key)
    return key, guide if guide is not None and guide.serves(rules) else None


def keep_guide(key, arrays, rules):
    """Keep the splits of a finished growth where they serve more than those kept before.

    Parameters
    ----------
    key : tuple
        From `find_guide`.
    arrays : dict of ndarray
        What ``Grower.grow`` returned.
    rules : dict
        The rules it was grown by.
    """
    kept = guides.get(key)
    n_nodes = len(arrays["feature"])
    if not guides.takes(25 * n_nodes) or (
        kept is not None and (len(kept.feature) >= n_nodes or not _is_as_loose(rules, kept))
    ):
        return
    guide = Guide(
        arrays["feature"].copy(),
        arrays["children_left"].copy(),
        arrays["children_right"].copy(),
        arrays["n_node_samples"].astype(np.int32),
        arrays["threshold"].copy(),
        arrays["missing_go_to_left"].copy(),
        rules["min_samples_leaf"],
        rules["min_weight_fraction"],
    )
    guides.put(key, guide)


def _is_as_loose(rules, guide):
    """Return whether rules allow every cut that those of a guide allow."""
    return (
        rules["min_samples_leaf"] <= guide.min_samples_leaf
        and rules["min_weight_fraction"] <= guide.min_weight_fraction
    )
