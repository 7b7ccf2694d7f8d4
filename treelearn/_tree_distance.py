"""How different the trees of several criteria are: splits, predictions, rankings at the root."""

from collections import Counter
from itertools import combinations

import numpy as np
from scipy.stats import kendalltau
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from ._scores import fitted_tree
from ._study_data import checked_classes, checked_data, checked_task, feature_names, parsed_criteria

__all__ = ["equal_splits", "root_gains", "tree_differences"]


def equal_splits(first, second):
    """Return the share of splits that two trees have in common, wherever they stand.

    Parameters
    ----------
    first, second : Tree or sklearn.tree._tree.Tree
        Trees on the same features.

    Returns
    -------
    float
        Twice the common pairs of feature and threshold, counted with repetition, over those of
        both trees (Dice, 1945); 1 for two trees without splits.
    """
    counts = [_splits(tree) for tree in (first, second)]
    n_splits = sum(count.total() for count in counts)
    return 2 * (counts[0] & counts[1]).total() / n_splits if n_splits else 1.0


def _splits(tree):
    inner = tree.children_left != -1
    return Counter(zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True))


def root_gains(X, y, task, name, parameters):
    """Return the best gain of every feature at the root.

    Parameters
    ----------
    X, y : arrays
        Training samples; X dense.
    task : {"classification", "regression"}
        Which estimator.
    name : str
        Criterion.
    parameters : dict
        Further parameters of the estimator, such as the order.

    Returns
    -------
    ndarray of shape (n_features,)
        Impurity of the root less that of the best two children, in the unit of the criterion;
        0 where no cut has a positive gain.
    """
    gains = np.zeros(X.shape[1])
    for j in range(X.shape[1]):
        tree = fitted_tree(task, name, {**parameters, "max_depth": 1}, X[:, [j]], y)[0].tree_
        if tree.node_count == 3:
            weights = tree.weighted_n_node_samples
            children = weights[1:] @ tree.impurity[1:] / weights[0]
            gains[j] = max(0.0, tree.impurity[0] - children)
    return gains


def tree_differences(X, y, criteria, *, max_depth=None, random_state=0, n_jobs=None, task=None):
    """Compare the trees that several criteria grow on the same three quarters of a table.

    Parameters
    ----------
    X, y : arrays or frame
        The table, as `compare_criteria` takes it; dense.
    criteria : list of str
        Two criteria or more, as ``"name"`` or ``"name:order"``.
    max_depth : int, default=None
        Largest depth of the trees.
    random_state : int, default=0
        Seed of the samples held out and of the trees.
    n_jobs : int, default=None
        Threads of each fit.
    task : {"classification", "regression"}, default=None
        What the target is; found out by default.

    Returns
    -------
    dict
        ``pairs``: one dict per pair with ``equal_splits`` (as `equal_splits` defines it),
        ``equal_predictions`` (share of the samples held out, a quarter), ``same_root`` and
        ``kendall_tau`` of the rankings of the features at the root; ``roots``: one dict per
        criterion with the gain of every feature, by name, the largest first.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn._tree_distance import tree_differences
    >>> X, y = load_iris(return_X_y=True)
    >>> found = tree_differences(X, y, ["gini", "entropy"], max_depth=2)
    >>> found["pairs"][0]["equal_predictions"]
    1.0
    """
    notes = []
    names = feature_names(X, np.shape(X)[1])
    X, y, _ = checked_data(X, y, None, notes)
    specs = parsed_criteria(criteria)
    if checked_task(y, specs, task, notes) == "classification":
        task, y = "classification", checked_classes(y, 1, notes)[0]
    else:
        task = "regression"
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    # On the samples they were grown on, trees with pure leaves all say the same.
    X, X_test, y, _ = train_test_split(X, y, test_size=0.25, random_state=seed)
    trees, predictions, gains = [], [], []
    for _, name, order in specs:
        parameters = {"random_state": seed, "n_jobs": n_jobs}
        if order is not None:
            parameters["order"] = order
        tree, _ = fitted_tree(task, name, {**parameters, "max_depth": max_depth}, X, y)
        trees.append(tree.tree_)
        predictions.append(tree.predict(X_test))
        gains.append(root_gains(X, y, task, name, parameters))
    pairs = []
    for i, j in combinations(range(len(specs)), 2):
        # One feature has no ranking, and neither have gains that are all the same.
        tau = kendalltau(gains[i], gains[j]).statistic if X.shape[1] > 1 else np.nan
        pairs.append(
            {
                "first": specs[i][0],
                "second": specs[j][0],
                "equal_splits": equal_splits(trees[i], trees[j]),
                "equal_predictions": float((predictions[i] == predictions[j]).mean()),
                "same_root": bool(
                    trees[i].feature[0] == trees[j].feature[0]
                    and trees[i].threshold[0] == trees[j].threshold[0]
                ),
                "kendall_tau": None if np.isnan(tau) else float(tau),
            }
        )
    roots = []
    for (label, _, _), gain in zip(specs, gains, strict=True):
        order = np.argsort(-gain, kind="stable")
        roots.append({"criterion": label, "gains": {names[k]: float(gain[k]) for k in order}})
    return {"pairs": pairs, "roots": roots}
