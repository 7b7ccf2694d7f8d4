"""DecisionTreeClassifier."""

import warnings
from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.tree import DecisionTreeClassifier as _SklearnClassifier
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._checks import count_labels
from ._device import choose_engine, is_on_gpu
from ._device_estimator import labels_on, look_up_on_gpu
from ._estimator import TreeEstimator
from ._validation import check_n_labels
from .criteria import CLASSIFICATION_CRITERIA, concavity_bound

__all__ = ["DecisionTreeClassifier"]

# Labels that stand in the place of a code.
_EIGHT_BYTES = (np.dtype(np.int64), np.dtype(np.uint64), np.dtype(np.float64))


class DecisionTreeClassifier(TreeEstimator, _SklearnClassifier):
    """A decision tree classifier with exact search and a choice of impurities.

    Takes the parameters of ``sklearn.tree.DecisionTreeClassifier`` with their meaning and
    defaults, and is a subclass of it.

    Parameters
    ----------
    criterion : str, default="gini"
        Impurity of a node with class shares p:

        - "gini": ``1 - sum(p**2)``.
        - "entropy", "log_loss": Shannon's entropy in bits.
        - "tsallis": ``(1 - sum(p**order)) / (order - 1)``; order 2 is Gini, order 1 Shannon in
          nats. Hayashi's conditional Renyi entropy picks the same splits.
        - "renyi": Arimoto's conditional Renyi entropy; the impurity of a node is the R-norm
          entropy ``order / (order - 1) * (1 - sum(p**order)**(1 / order))``, Shannon in nats at
          order 1, the error rate at order inf. Its gain is never negative. Order 1/2 with two
          classes is the criterion of Kearns and Mansour.
        - "renyi_mean": the Renyi entropy in bits, averaged over the children. Above a bound
          that depends on the number of classes (2 for two) gains can be negative and nodes get
          stuck; a warning says so.
        - "misclassification": the error rate.
    order : float, default=2.0
        Order of "renyi", "renyi_mean" (both up to inf) and "tsallis"; above 0.
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
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes.
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
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        Class labels.
    n_classes_ : int or ndarray of int
        Number of classes.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Feature names, where X had any.
    n_outputs_ : int
        Number of outputs.
    max_features_ : int
        Features drawn in each node.
    tree_ : sklearn.tree._tree.Tree
        The tree. Its impurity is the criterion's: bits for entropy, log_loss and renyi_mean.

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
    splitter="random" draws its thresholds between values, not bins, and is refused.

    From order 20 of "renyi" on, and for "misclassification", equal gains are decided by
    Shannon's entropy before the feature: such criteria leave many cuts equal.

    References
    ----------
    S. Arimoto, "Information measures and capacity of order alpha for discrete memoryless
    channels", 1977. M. Kearns and Y. Mansour, "On the boosting ability of top-down decision tree
    learning algorithms", 1999. C. Tsallis, "Possible generalization of Boltzmann-Gibbs
    statistics", 1988.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(criterion="renyi", order=0.5, max_depth=3).fit(X, y)
    >>> round(tree.score(X, y), 3)
    0.973
    """

    _parameter_constraints = {
        **_SklearnClassifier._parameter_constraints,
        "criterion": [StrOptions(set(CLASSIFICATION_CRITERIA))],
        "order": [Interval(Real, 0, None, closed="right")],
        "max_bins": [Interval(Integral, 2, 65535, closed="both"), None],
        "n_jobs": [int, None],
        "device": [StrOptions({"cpu", "cuda", "auto"})],
    }
    _sklearn_class = _SklearnClassifier
    _sklearn_criteria = ("gini", "entropy", "log_loss")

    def __init__(
        self,
        *,
        criterion="gini",
        order=2.0,
        splitter="best",
        max_depth=None,
        min_samples_split=2,
        min_samples_leaf=1,
        min_weight_fraction_leaf=0.0,
        max_features=None,
        random_state=None,
        max_leaf_nodes=None,
        min_impurity_decrease=0.0,
        class_weight=None,
        ccp_alpha=0.0,
        monotonic_cst=None,
        max_bins=None,
        n_jobs=None,
        device="cpu",
    ):
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
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            monotonic_cst=monotonic_cst,
        )
        self.order = order
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
            sorted already, and brings its labels.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, integers or strings; None beside a TrainingSet.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, none negative.
        check_input : bool, default=True
            False skips the checks of X and y, which must then be arrays of floats.
        rows : array-like of int or bool, or None, default=None
            Which rows of a TrainingSet to use: the tree is that of these rows alone.

        Returns
        -------
        DecisionTreeClassifier
            The fitted estimator.
        """
        return self._fit_or_restore(
            lambda: self._fit_classes(X, y, sample_weight, check_input, rows)
        )

    def _fit_classes(self, X, y, sample_weight, check_input, rows):
        """Fit; the estimator may be left half changed."""
        engine = choose_engine(self, X, y, sample_weight, rows, is_classification=True)
        if engine is not None:
            X, labels, classes, weights = labels_on(
                engine, self, X, y, sample_weight, check_input, _encode_labels
            )
            n_classes = [len(found) for found in classes]
            self._warn_of_negative_gains(max(n_classes))
            self._grow(X, labels, n_classes, weights, engine=engine)
            self._take_classes(classes)
            return
        X, y, sample_weight, selection = self._training_data(X, y, sample_weight, check_input, rows)
        columns = y[:, None] if y.ndim == 1 else y
        whole = _whole_numbers(y)
        if whole is None and y.dtype.kind != "U":
            # Whole numbers and text are labels whatever they say; scikit-learn sorts them to
            # find that out, which takes as long as a small fit.
            check_classification_targets(columns)
        check_n_labels(len(columns), X)
        coded = columns if whole is None else whole.reshape(columns.shape)
        encoded = [_encode(column) for column in coded.T]
        classes = [found.astype(y.dtype, copy=False) for found, _ in encoded]
        labels = np.stack([codes for _, codes in encoded]).astype(np.int32, copy=False)
        n_classes = [len(found) for found in classes]
        class_weight = None
        if self.class_weight is not None:
            class_weight = self._class_weights(columns, selection)
        weights = self._checked_weights(sample_weight, X, class_weight)
        self._warn_of_negative_gains(max(n_classes))
        self._grow(X, labels, n_classes, weights, selection)
        if selection is not None:
            classes = self._drop_absent(labels, classes, selection.rows)
        self._take_classes(classes)

    def _take_classes(self, classes):
        """Note the classes of every output, and prune."""
        n_classes = [len(found) for found in classes]
        single = len(classes) == 1
        self.classes_ = classes[0] if single else classes
        self.n_classes_ = np.intp(n_classes[0]) if single else np.array(n_classes, dtype=np.intp)
        self._prune_tree()

    def _class_weights(self, columns, selection):
        """Return the weight of every sample by its class, 1 outside a selection."""
        if selection is None:
            return compute_sample_weight(self.class_weight, columns)
        weights = np.ones(len(columns))
        weights[selection.rows] = compute_sample_weight(self.class_weight, columns[selection.rows])
        return weights

    def _drop_absent(self, labels, classes, rows):
        """Renumber the tree's classes so that those of no selected row are not among them."""
        present = [np.flatnonzero(np.bincount(codes[rows])) for codes in labels]
        if any(len(here) < len(found) for here, found in zip(present, classes, strict=True)):
            self._tree = self._tree.with_classes(present)
        return [found[here] for found, here in zip(classes, present, strict=True)]

    def _warn_of_negative_gains(self, n_classes):
        """Warn where the mean of Renyi entropies is not concave."""
        if self.criterion != "renyi_mean" or self.order <= 1.0:
            return
        bound = concavity_bound(n_classes)
        if self.order > bound:
            warnings.warn(
                f"criterion='renyi_mean' of order {self.order:g} is above {bound:.4g}, the "
                f"largest order that is concave with {n_classes} classes: gains can be negative "
                "and nodes stop although their classes could be told apart. "
                "criterion='renyi' has no such bound.",
                UserWarning,
                stacklevel=2,
            )

    def _shares(self, output):
        """Return the class shares of one output at every leaf, kept after the first call."""
        return self._derive(("shares", output), lambda: self._tree.leaf_values(output))

    def predict(self, X, check_input=True):
        """Predict the most frequent class of the leaf of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows; for those on a GPU the answer is there too.
        check_input : bool, default=True
            False skips the checks.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; of equally frequent classes the first.
        """
        if is_on_gpu(X):
            return look_up_on_gpu(self, X, check_input, "labels", self._labels_of_nodes)
        if vars(self).get("n_outputs_", 1) == 1:
            return self._predict_one_output(*self._rows(X, check_input))
        leaves = self._leaves(X, check_input)
        return np.stack(
            [
                self.classes_[output].take(self._majority(output).take(leaves))
                for output in range(self.n_outputs_)
            ],
            axis=1,
        ).astype(self.classes_[0].dtype, copy=False)

    def _predict_one_output(self, X, worst):
        """Return the label of every row, of the only output."""
        classes = self.classes_
        walk = self._walk("majority", _majority, issparse(X) or X.dtype == np.float64)
        if classes.dtype in _EIGHT_BYTES and len(classes) >= walk.n_numbers:
            # Whoever led the rows may as well write their labels.
            held = np.ascontiguousarray(classes).view(np.int64)
            return self._route(X, worst, "majority", _majority, held).view(classes.dtype)
        codes = np.arange(walk.n_numbers)
        return classes.take(self._route(X, worst, "majority", _majority, codes))

    def _labels_of_nodes(self, tree):
        """Return the label that each node predicts, of every output where there are more."""
        classes = [self.classes_] if self.n_outputs_ == 1 else self.classes_
        labels = [found[_majority(tree, output)] for output, found in enumerate(classes)]
        return labels[0] if self.n_outputs_ == 1 else np.stack(labels, axis=1)

    def _majority(self, output):
        """Return the class that each leaf predicts, kept after the first call."""
        return self._derive(("majority", output), lambda: _majority(self._tree, output))

    def predict_proba(self, X, check_input=True):
        """Predict the class shares of the leaf of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows; for those on a GPU the answer is there too.
        check_input : bool, default=True
            False skips the checks.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or list of such arrays
            Shares, in the order of ``classes_``.
        """
        check_is_fitted(self)
        if is_on_gpu(X):
            shares = [
                look_up_on_gpu(self, X, check_input, ("shares", k), partial(_leaf_values, k))
                for k in range(self.n_outputs_)
            ]
            return shares[0] if self.n_outputs_ == 1 else shares
        leaves = self._leaves(X, check_input)
        shares = [self._shares(k).take(leaves, axis=0) for k in range(self.n_outputs_)]
        return shares[0] if self.n_outputs_ == 1 else shares


def _majority(tree, output=0):
    """Return the class that each leaf predicts for one output; of equally frequent the first."""
    return tree.leaf_values(output).argmax(axis=1)


def _leaf_values(output, tree):
    return tree.leaf_values(output)


def _encode_labels(labels):
    """Return the distinct labels, sorted, and the place of each: whole numbers are counted."""
    whole = _whole_numbers(labels)
    return _encode(labels if whole is None else whole)


def _whole_numbers(y):
    """Return labels as int32 or int64, None where they are anything else than whole numbers."""
    if y.dtype in (np.int32, np.int64):
        return y
    if y.dtype.kind not in "iubf":
        return None
    with np.errstate(invalid="ignore"):
        whole = y.astype(np.int64)
    return whole if np.array_equal(whole, y) else None


def _encode(labels):
    """Return the distinct labels, sorted, and the place of each label among them."""
    if labels.dtype in (np.int32, np.int64) and len(labels):
        codes = np.empty(len(labels), dtype=np.int32)
        found = count_labels(np.require(labels, requirements=["C", "A", "E"]), codes)
        if found is not None:
            return found, codes
    if labels.dtype.kind in "UO":
        # A dictionary is several times faster than sorting text.
        names = labels.tolist()
        found = sorted(set(names))
        places = {name: place for place, name in enumerate(found)}
        codes = np.fromiter(map(places.__getitem__, names), np.int32, len(names))
        return np.array(found, dtype=labels.dtype), codes
    return np.unique(labels, return_inverse=True)
