"""DecisionTreeRegressor."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.base import _fit_context
from sklearn.tree import DecisionTreeRegressor as _SklearnRegressor
from sklearn.utils._param_validation import Interval, StrOptions

from ._device import choose_engine, is_on_gpu
from ._device_estimator import look_up_on_gpu, targets_on
from ._estimator import TreeEstimator
from ._validation import check_n_labels, check_target_range
from .criteria import REGRESSION_CRITERIA

__all__ = ["DecisionTreeRegressor"]


class DecisionTreeRegressor(TreeEstimator, _SklearnRegressor):
    """A decision tree regressor with exact search and a choice of impurities.

    Takes the parameters of ``sklearn.tree.DecisionTreeRegressor`` with their meaning and
    defaults, and is a subclass of it.

    Parameters
    ----------
    criterion : str, default="squared_error"
        Impurity of a node:

        - "squared_error": variance of its targets; the leaf predicts their mean.
        - "absolute_error": mean distance to their median, which the leaf predicts.
        - "poisson": half the mean Poisson deviance from their mean; targets are not negative.
        - "gaussian_entropy": entropy in nats of the Gaussian with their variance, to which a
          thousandth of the variance of all targets is added: two equal targets would otherwise
          have entropy minus infinity. May be negative. Likes leaves that are quiet, not only
          leaves with different means.
    splitter : {"best", "random"}, default="best"
        "best" searches every cut; "random" draws one threshold a feature, between its extreme
        values in the node.
    max_depth : int or None, default=None
        Largest depth of a leaf.
    min_samples_split : int or float, default=2
        Fewest samples of a node that may be split; a float is a share of the samples.
    min_samples_leaf : int or float, default=1
        Fewest samples on either side of a cut; a float is a share of the samples.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the total weight on either side of a cut.
    max_features : int, float, {"sqrt", "log2"} or None, default=None
        Features drawn in each node; drawing goes on until one was seen that varies there.
    random_state : int, RandomState instance or None, default=None
        Seed of everything drawn. Ties are not drawn: see the notes.
    max_leaf_nodes : int or None, default=None
        Grow best first, to at most so many leaves.
    min_impurity_decrease : float, default=0.0
        Least gain of a split, as a share of the total weight times impurity.
    ccp_alpha : float, default=0.0
        Complexity parameter of minimal cost-complexity pruning.
    monotonic_cst : array-like of int of shape (n_features,) or None, default=None
        1: the prediction grows with the feature; -1: it falls; 0: free.
    max_bins : int or None, default=None
        None searches every cut. A number from 2 to 65535 grows the tree on at most so many
        quantile bins a feature, many times faster on large tables: only cuts between bins are
        searched. A feature with no more distinct values loses nothing. See the notes.
    n_jobs : int or None, default=None
        Threads. None: as many as OpenMP, threadpoolctl and joblib allow. The tree has the same
        bits for any number.
    device : {"cpu", "cuda", "auto"}, default="cpu"
        Where to fit. "cuda": on the current GPU, on bins (255 where ``max_bins`` is None), the
        same tree as the CPU grows on them; X, y and sample_weight may be CuPy arrays or torch
        tensors, which are not copied to the host. "auto": there if there is one and it has
        memory enough, else on the CPU, on the same bins. Predictions are made where the rows
        are. Needs ``pip install "treelearn[gpu]"``; see docs/gpu.md.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Feature names, where X had any.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Features drawn in each node.
    tree_ : sklearn.tree._tree.Tree
        The tree.

    Notes
    -----
    Equal gains are decided by the lowest feature, then the lowest threshold, never by chance.
    Values that differ are different, however close: scikit-learn takes values within 1e-7 of
    each other for equal and compares in float32. Rows of weight zero are no samples.
    64-bit integers are compared as float64: exactly up to 2**53.

    On bins (``max_bins``) a tree is the exact one where every feature has at most ``max_bins``
    distinct values. Other features get bins of about equally many samples, made from one row of
    each of max(50 000, 10 * max_bins) equal stretches of the table, by a fixed seed; a value that
    fills a bin by itself has one of its own, and so have missing values. Thresholds lie half-way
    between the training values next to the cut. Sparse tables are binned column by column.
    splitter="random" and criterion="absolute_error" need the values and are refused.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from treelearn import DecisionTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = DecisionTreeRegressor(max_depth=2).fit(X, y)
    >>> tree.get_n_leaves()
    4
    """

    _parameter_constraints = {
        **_SklearnRegressor._parameter_constraints,
        "criterion": [StrOptions(set(REGRESSION_CRITERIA))],
        "max_bins": [Interval(Integral, 2, 65535, closed="both"), None],
        "n_jobs": [int, None],
        "device": [StrOptions({"cpu", "cuda", "auto"})],
    }
    _sklearn_class = _SklearnRegressor
    _sklearn_criteria = ("squared_error", "absolute_error", "poisson")

    def __init__(
        self,
        *,
        criterion="squared_error",
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        ccp_alpha=0.0,
        monotonic_cst=None,
        max_bins=None,
        n_jobs=None,
        device="cpu",
    ):
        if isinstance(criterion, str) and criterion == "friedman_mse":
            # As scikit-learn 1.9 does, under every supported version.
            criterion = "squared_error"
            warnings.warn(
                'Value `"friedman_mse"` for `criterion` is deprecated and will be removed in '
                '1.11. It maps to `"squared_error"` as both were always equivalent. Use '
                '`criterion="squared_error"` to remove this warning.',
                FutureWarning,
                stacklevel=2,
            )
        super().__init__(
            criterion=criterion,
            splitter=splitter,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            random_state=random_state,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
        )
        self.max_bins = max_bins
        self.n_jobs = n_jobs
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, check_input=True, rows=None):
        """Grow a tree from training data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features) or TrainingSet
            Training rows; NaN is a missing value in dense input. A TrainingSet is checked and
            sorted already, and brings its targets.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; None beside a TrainingSet.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, none negative.
        check_input : bool, default=True
            False skips the checks of X and y, which must then be arrays of floats.
        rows : array-like of int or bool, or None, default=None
            Which rows of a TrainingSet to use: the tree is that of these rows alone.

        Returns
        -------
        DecisionTreeRegressor
            The fitted estimator.
        """
        return self._fit_or_restore(
            lambda: self._fit_targets(X, y, sample_weight, check_input, rows)
        )

    def _fit_targets(self, X, y, sample_weight, check_input, rows):
        """Fit; the estimator may be left half changed."""
        has_squares = self.criterion in ("squared_error", "gaussian_entropy")
        engine = choose_engine(self, X, y, sample_weight, rows, is_classification=False)
        if engine is not None:
            X, targets, weights = targets_on(engine, self, X, y, sample_weight, check_input)
            self._check_targets(targets)
            largest = np.array([[float(targets.min()), float(targets.max())]])
            total = float(X.shape[0] if weights is None else weights.sum())
            check_target_range(largest, np.array([total]), has_squares)
            self._grow(X, targets, None, weights, engine=engine)
            self._prune_tree()
            return
        X, y, sample_weight, selection = self._training_data(X, y, sample_weight, check_input, rows)
        columns = y[:, None] if y.ndim == 1 else y
        targets = np.require(columns.T, dtype=np.float64, requirements=["C", "A", "E"])
        check_n_labels(targets.shape[1], X)
        self._check_targets(targets if selection is None else targets[:, selection.rows])
        weights = self._checked_weights(sample_weight, X)
        check_target_range(targets, weights, has_squares)
        self._grow(X, targets, None, weights, selection)
        self._prune_tree()

    def _check_targets(self, targets):
        """Raise ValueError for targets of which the Poisson deviance is no number."""
        if self.criterion != "poisson":
            return
        if (targets < 0).any():
            raise ValueError(
                "Some value(s) of y are negative which is not allowed for Poisson regression."
            )
        if targets.sum() <= 0:
            raise ValueError("Sum of y is not positive which is necessary for Poisson regression.")

    def predict(self, X, check_input=True):
        """Predict the value of the leaf of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows; for those on a GPU the answer is there too.
        check_input : bool, default=True
            False skips the checks.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Means, medians for absolute_error.
        """
        if vars(self).get("n_outputs_", 1) == 1:
            return self._look_up(X, check_input, "value", _first_value)
        if is_on_gpu(X):
            return look_up_on_gpu(self, X, check_input, "values", _all_values)
        return self._tree.value.take(self._leaves(X, check_input), axis=0)


def _first_value(tree):
    return tree.value[:, 0]


def _all_values(tree):
    return tree.value
