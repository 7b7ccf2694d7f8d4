"""The public TrainingSet: data validated and sorted once, for many trees."""

import numpy as np
from sklearn.base import BaseEstimator

from ._validation import check_n_labels, check_training_data, check_weights

__all__ = ["Selection", "TrainingSet"]


class _Probe(BaseEstimator):
    """Takes what scikit-learn's validation notes down: names and number of the features."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


_Probe.__name__ = "TrainingSet"  # who speaks in scikit-learn's messages


class TrainingSet:
    """Training data that many trees share: checked and sorted once.

    Pass it to ``fit`` in the place of ``X``: other criteria, depths and leaf sizes, the folds of a
    cross-validation (``rows=``) and the trees of an ensemble start from the same sorted lists.
    The trees are the same, bit for bit, as those grown from the arrays.

    The first fit sorts, once for classification and once for regression. ``X`` is kept by
    reference and must not be changed afterwards.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training rows, as the estimators take them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or targets.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights, none negative.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns, where X has names that are all strings.

    Raises
    ------
    ValueError
        For what the estimators refuse: wrong shapes, infinite values, negative weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from treelearn import DecisionTreeClassifier, TrainingSet
    >>> X, y = load_wine(return_X_y=True)
    >>> data = TrainingSet(X, y)
    >>> trees = [DecisionTreeClassifier(criterion=c).fit(data) for c in ("gini", "entropy")]
    >>> fold = DecisionTreeClassifier(random_state=0).fit(data, rows=np.arange(0, 178, 2))
    >>> same = DecisionTreeClassifier(random_state=0).fit(X[::2], y[::2])
    >>> bool((fold.tree_.threshold == same.tree_.threshold).all())
    True
    """

    def __init__(self, X, y, sample_weight=None):
        probe = _Probe()
        self.X, self.y = check_training_data(probe, X, y)
        check_n_labels(len(self.y), self.X)
        self.sample_weight = check_weights(sample_weight, self.X)
        self.lists = {}
        self.n_features_in_ = probe.n_features_in_
        if hasattr(probe, "feature_names_in_"):
            self.feature_names_in_ = probe.feature_names_in_

    def __len__(self):
        return self.X.shape[0]

    def select(self, rows):
        """Return the numbers of the rows that a fit is to use.

        Parameters
        ----------
        rows : array-like of int or bool, or None
            Numbers of rows, none twice, in any order; or a mask; None for all.

        Returns
        -------
        ndarray of int of shape (n_selected,)
            Increasing.

        Raises
        ------
        IndexError
            If a number is out of range or a mask has another length.
        ValueError
            If a row is named twice, or none at all.
        """
        if rows is None:
            return np.arange(len(self))
        rows = np.asarray(rows)
        if rows.dtype == bool:
            if rows.shape != (len(self),):
                raise IndexError(f"rows is a mask of shape {rows.shape}, not ({len(self)},).")
            rows = np.flatnonzero(rows)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise IndexError("rows must be a vector of integers or a mask.")
        if rows.size == 0:
            raise ValueError("rows names no row: at least 1 is required.")
        if int(rows.min()) < -len(self) or int(rows.max()) >= len(self):
            raise IndexError(f"rows must be within [0, {len(self)}).")
        rows = rows.astype(np.int64)  # a narrow type may not hold the number of samples
        is_selected = np.zeros(len(self), dtype=bool)
        is_selected[rows] = True
        selected = np.flatnonzero(is_selected)
        if len(selected) < len(rows):
            raise ValueError("rows names a row twice; use sample_weight to repeat samples.")
        return selected


class Selection:
    """The rows of a TrainingSet that one fit uses.

    Parameters
    ----------
    rows : ndarray of int of shape (n_selected,)
        Increasing.
    n_total : int
        Rows of the TrainingSet.
    lists : dict
        Its sorted lists, as ``grow_tree`` takes them.
    """

    def __init__(self, rows, n_total, lists):
        self.rows = rows
        self.n_total = n_total
        self.lists = lists

    def weights(self, sample_weight):
        """Return weights that are 0 outside the selection; rows of weight 0 are no samples."""
        if len(self.rows) == self.n_total:
            return sample_weight
        selected = np.zeros(self.n_total)
        selected[self.rows] = 1.0 if sample_weight is None else sample_weight[self.rows]
        if not selected.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return selected
