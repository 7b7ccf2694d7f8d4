"""Minimal cost-complexity pruning as a path: what a tree is worth at each of its sizes.

Breiman, Friedman, Olshen and Stone (1984), chapter 3.  scikit-learn walks the whole tree for every
step of the path, which is quadratic in the nodes; a heap of the weakest links, each looked at
again when its turn comes, costs each step the depth of the node that goes.
"""

import heapq
from copy import copy
from dataclasses import dataclass

import numpy as np

__all__ = ["PruningPath", "node_scores", "pruned_estimator", "pruning_path"]


@dataclass(frozen=True)
class PruningPath:
    """The trees of a pruning path, the largest first.

    Attributes
    ----------
    alphas : ndarray of shape (n_steps,)
        Smallest ``ccp_alpha`` that prunes to this tree.
    n_leaves : ndarray of int of shape (n_steps,)
        Its leaves.
    impurities : ndarray of shape (n_steps,)
        Sum of the impurities of its leaves, weighted by their share of the samples.
    scores : ndarray of shape (n_steps, n_scores)
        Sum over its leaves of what each node is worth as a leaf.
    becomes_leaf : ndarray of shape (n_nodes,)
        The alpha at which each inner node of the whole tree becomes a leaf; infinity for those
        that never do because a node above them does first, and for leaves.
    """

    alphas: np.ndarray
    n_leaves: np.ndarray
    impurities: np.ndarray
    scores: np.ndarray
    becomes_leaf: np.ndarray


def pruning_path(tree, worth=None):
    """Return the trees that cost-complexity pruning passes.

    Parameters
    ----------
    tree : Tree or sklearn.tree._tree.Tree
        The whole tree, its nodes in pre-order.
    worth : ndarray of shape (n_nodes, n_scores), default=None
        What each node is worth as a leaf, such as the number of test samples it gets right.

    Returns
    -------
    PruningPath
        From what is left at alpha 0, the whole tree unless splits of it gain nothing, to the
        root alone.
    """
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    n_nodes = len(left)
    risk = (tree.weighted_n_node_samples * tree.impurity / tree.weighted_n_node_samples[0]).tolist()
    parent, end = [-1] * n_nodes, [0] * n_nodes
    # Risk and leaves of what is left below each node.
    below, leaves = list(risk), [1] * n_nodes
    for node in range(n_nodes - 1, -1, -1):
        end[node] = node + 1
        if left[node] >= 0:
            children = left[node], right[node]
            parent[children[0]] = parent[children[1]] = node
            below[node] = below[children[0]] + below[children[1]]
            leaves[node] = leaves[children[0]] + leaves[children[1]]
            end[node] = end[children[1]]

    def link(node):
        """Return what a leaf less costs at a node."""
        return max(0.0, risk[node] - below[node]) / (leaves[node] - 1)

    heap = [(link(node), node, leaves[node]) for node in range(n_nodes) if leaves[node] > 1]
    heapq.heapify(heap)
    is_there = bytearray(b"\1") * n_nodes
    # The step at which a node becomes a leaf; the number of nodes where it never does.
    step_of = [0 if child < 0 else n_nodes for child in left]
    steps = [(0.0, leaves[0], below[0])]
    while heap:
        cost, node, n_leaves = heapq.heappop(heap)
        if not is_there[node]:
            continue
        if leaves[node] != n_leaves:
            # What lay below it has changed.  That has made it no weaker: what was pruned was
            # the weakest link, so its cost a leaf was below the mean of this node.
            heapq.heappush(heap, (link(node), node, leaves[node]))
            continue
        alpha = max(steps[-1][0], cost)
        fewer, more = leaves[node] - 1, risk[node] - below[node]
        is_there[node : end[node]] = bytes(end[node] - node)
        ancestor = parent[node]
        while ancestor >= 0:
            leaves[ancestor] -= fewer
            below[ancestor] += more
            ancestor = parent[ancestor]
        if node == 0:
            leaves[0], below[0] = 1, risk[0]
        if alpha <= steps[-1][0] * (1 + 1e-12):
            alpha = steps.pop()[0]
        step_of[node] = len(steps)
        steps.append((alpha, leaves[0], below[0]))
    alphas, n_leaves, impurities = (np.array(column) for column in zip(*steps, strict=True))
    is_inner = tree.children_left != -1
    step_of = np.array(step_of)
    never = step_of == n_nodes
    becomes_leaf = np.where(is_inner & ~never, alphas[np.where(never, 0, step_of)], np.inf)
    scores = _scores_along(parent, step_of, len(steps), worth)
    return PruningPath(alphas, n_leaves, impurities, scores, becomes_leaf)


def _scores_along(parent, step_of, n_steps, worth):
    """Return the sum over the leaves of every step: each node counts while it is a leaf."""
    n_nodes = len(parent)
    worth = np.zeros((n_nodes, 0)) if worth is None else np.asarray(worth, dtype=float)
    steps = step_of.tolist()
    gone = [n_steps] * n_nodes
    for node in range(1, n_nodes):  # parents before children
        gone[node] = min(gone[parent[node]], steps[parent[node]])
    counts = step_of < gone
    changes = np.zeros((n_steps + 1, worth.shape[1]))
    np.add.at(changes, step_of[counts], worth[counts])
    np.add.at(changes, np.array(gone)[counts], -worth[counts])
    return np.cumsum(changes, axis=0)[:-1]


def pruned_estimator(estimator, path, alpha):
    """Return a copy of an estimator with the tree that a pruning path has at an alpha.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted; ours, not scikit-learn's.
    path : PruningPath
        Of its tree.
    alpha : float
        One of the path's.

    Returns
    -------
    estimator
        Fitted, with the pruned tree.
    """
    tree = estimator._tree
    stays = np.ones(tree.node_count, dtype=bool)
    goes = path.becomes_leaf <= alpha
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    for node in np.flatnonzero(tree.children_left != -1).tolist():  # parents before children
        if goes[node] or not stays[node]:
            stays[left[node]] = stays[right[node]] = False
    pruned = copy(estimator)
    pruned._tree = tree.pruned(stays)
    return pruned


def node_scores(estimator, X, y):
    """Return what each node of a tree is worth as a leaf for samples and their targets.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted, with one output.
    X : array-like of shape (n_samples, n_features)
        Samples.
    y : array-like of shape (n_samples,)
        Their targets.

    Returns
    -------
    ndarray of shape (n_nodes,)
        Classification: how many of the samples that pass a node have its majority class.
        Regression: minus the sum of their squared errors.
    """
    tree = estimator.tree_
    n_nodes = tree.node_count
    leaf = estimator.apply(X)
    y = np.asarray(y)
    left, right = tree.children_left, tree.children_right
    inner = np.flatnonzero(left != -1)[::-1].tolist()
    if hasattr(estimator, "classes_"):
        place = np.searchsorted(estimator.classes_, y)
        place = np.minimum(place, len(estimator.classes_) - 1)
        known = estimator.classes_[place] == y
        counts = np.zeros((n_nodes, len(estimator.classes_)))
        np.add.at(counts, (leaf[known], place[known]), 1.0)
        for node in inner:
            counts[node] = counts[left[node]] + counts[right[node]]
        return counts[np.arange(n_nodes), tree.value[:, 0, :].argmax(axis=1)]
    sums = [np.bincount(leaf, weights=y**power, minlength=n_nodes) for power in (0, 1, 2)]
    for node in inner:
        for total in sums:
            total[node] = total[left[node]] + total[right[node]]
    value = tree.value[:, 0, 0]
    return -(sums[2] - 2 * value * sums[1] + value**2 * sums[0])
