"""What a classification tree knows of its labels, in bits per label.

Three numbers say how good a tree is, and only together: the entropy that its leaves leave in the
training labels, which falls to 0 as the tree grows and means little alone; what it costs to send
the labels and the tree itself; and what labels cost that the tree has not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted

from .information import (
    code_length,
    conditional_entropy,
    entropy,
    expected_calibration_error,
    kt_code_length,
    mutual_information,
)

__all__ = ["InformationReport", "information_report"]

_SHUFFLE_SEED = 0


@dataclass(frozen=True, repr=False, eq=False)
class InformationReport(Mapping):
    """What `information_report` found: a mapping of names to numbers that prints as a table.

    All but the counts, ``calibration_error`` and ``held_out_by`` are bits per label.

    Attributes
    ----------
    n_samples, n_classes, n_leaves : int
        Samples and classes of the training data, leaves of the tree.
    bits_before, bits_after : float
        Entropy of the training labels, and what the leaves leave of it (plug-in).
    mutual_information : float
        What the leaves tell of the labels: the one minus the other.
    leaf_bits : float
        Entropy of the leaf that a sample falls into, the most that leaves could tell.
    code_before, code_after : float
        Code length of the training labels (Krichevsky and Trofimov), without the tree and given
        the leaves.
    tree_code : float
        Code length of the tree itself.
    code_total : float
        ``code_after + tree_code``.  Below ``code_before`` where the tree has found something.
    held_out_before, held_out_bits : float
        Code length of labels that were held out, without a tree and with one, one half added to
        every count.  NaN where nothing was held out.
    held_out_bits_raw : float
        The same with the plain shares of ``predict_proba``: infinite as soon as one label had
        probability 0.
    calibration_error : float
        Mean gap between the confidence in the likeliest class and its accuracy on held-out
        samples, which are grouped by confidence.
    held_out_by : str
        What was held out.
    """

    n_samples: int
    n_classes: int
    n_leaves: int
    bits_before: float
    bits_after: float
    mutual_information: float
    leaf_bits: float
    code_before: float
    code_after: float
    tree_code: float
    code_total: float
    held_out_before: float
    held_out_bits: float
    held_out_bits_raw: float
    calibration_error: float
    held_out_by: str

    def __getitem__(self, name):
        if name not in set(self):
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self):
        return (field.name for field in fields(self))

    def __len__(self):
        return len(fields(self))

    def __repr__(self):
        return (
            f"<InformationReport: {self.bits_before:.3f} bits per label before the tree, "
            f"{self.bits_after:.3f} after>"
        )

    def __str__(self):
        share = self.mutual_information / self.bits_before if self.bits_before else 0.0
        lines = [
            f"{self.n_samples:,} samples, {self.n_classes} classes, {self.n_leaves} leaves",
            "",
            "bits per label                    no tree     tree",
            _line("entropy of the labels", self.bits_before, self.bits_after),
            _line("code of the labels", self.code_before, self.code_after),
            _line("  and of the tree itself", 0.0, self.tree_code),
            _line("  in all", self.code_before, self.code_total),
        ]
        if self.held_out_by != "nothing":
            lines += [
                _line("labels held out", self.held_out_before, self.held_out_bits),
                _line("  with plain shares", None, self.held_out_bits_raw),
            ]
        lines += [
            "",
            f"The leaves tell {self.mutual_information:.3f} of {self.bits_before:.3f} bits "
            f"({100 * share:.1f} %), in {self.leaf_bits:.3f} bits of their own.",
        ]
        if self.held_out_by != "nothing":
            lines.append(
                f"Held out: {self.held_out_by}.  Calibration error there: "
                f"{100 * self.calibration_error:.2f} %."
            )
        return "\n".join(lines)


def _line(name, before, after):
    """Return one line of the table."""
    left = "" if before is None else f"{before:.4f}"
    return f"{name:<32}{left:>9}{after:>9.4f}"


def information_report(tree, X, y, *, X_test=None, y_test=None, cv=5):
    """Measure in bits per label what a classification tree knows.

    Parameters
    ----------
    tree : estimator
        A fitted classification tree with one output, of treelearn or of scikit-learn.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The samples that the tree was grown on.
    y : array-like of shape (n_samples,)
        Their labels.
    X_test, y_test : array-like, optional
        Samples that were held out; the tree is judged by them.
    cv : int or None, default=5
        Where nothing was held out: judge trees with the same parameters in a cross-validation of
        so many shuffled folds, the same ones every time.  None holds nothing out.

    Returns
    -------
    InformationReport
        A mapping of names to numbers, which prints as a table.

    Raises
    ------
    ValueError
        If the tree is no classification tree with one output, samples and labels do not fit each
        other, or only one of ``X_test`` and ``y_test`` is given.
    sklearn.exceptions.NotFittedError
        If the tree was not fitted.

    Notes
    -----
    Labels of one leaf are coded with the code of Krichevsky and Trofimov, one half added to every
    count.  The receiver knows the samples and is sent the tree first: 1 bit for each node, leaf
    or not; ``log2(n_features)`` bits for each split, ``log2`` of the number of cuts between the
    distinct values of its feature, and 1 bit for the side of missing values where the feature has
    any.

    Samples count alike, whatever weights the tree was grown with.  A regression tree has no such
    report: the entropy of a number depends on its unit, which only differences do not; see
    `treelearn.information.gaussian_entropy_gain`.

    References
    ----------
    J. R. Quinlan and R. L. Rivest, "Inferring decision trees using the minimum description length
    principle", 1989; R. E. Krichevsky and V. K. Trofimov, "The performance of universal
    encoding", 1981.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import DecisionTreeClassifier, information_report
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y)
    >>> report = information_report(tree, X, y)
    >>> round(report["bits_before"], 3), round(report["bits_after"], 3)
    (1.585, 0.207)
    >>> report["code_total"] < report["code_before"]
    True
    """
    X, y, cv = _check(tree, X, y, X_test, y_test, cv)
    has_test = X_test is not None
    classes = unique_labels(tree.classes_, y, *([y_test] if has_test else []))
    labels = np.searchsorted(classes, y)
    leaves = tree.apply(X)
    counts = _counts(leaves, labels, len(classes))
    joint = counts[counts.any(axis=1)]
    of_class = joint.sum(axis=0)
    n_samples = len(labels)
    code_after = float(kt_code_length(joint).sum()) / n_samples
    tree_code = _tree_bits(tree, X) / n_samples
    if has_test:
        held_out = [(tree, counts, of_class, X_test, np.searchsorted(classes, y_test))]
        by = f"{len(y_test):,} samples of their own"
    elif cv is not None:
        held_out = _folds(tree, X, y, labels, len(classes), cv)
        by = f"{cv} folds of a cross-validation"
    else:
        held_out, by = [], "nothing"
    return InformationReport(
        n_samples=n_samples,
        n_classes=int(np.count_nonzero(of_class)),
        n_leaves=int(np.count_nonzero(tree.tree_.children_left == -1)),
        bits_before=float(entropy(of_class, base=2, normalize=True)),
        bits_after=float(conditional_entropy(joint, base=2, normalize=True)),
        mutual_information=float(mutual_information(joint, base=2, normalize=True)),
        leaf_bits=float(entropy(joint.sum(axis=1), base=2, normalize=True)),
        code_before=float(kt_code_length(of_class)) / n_samples,
        code_after=code_after,
        tree_code=tree_code,
        code_total=code_after + tree_code,
        **_judged(held_out, classes),
        held_out_by=by,
    )


def _check(tree, X, y, X_test, y_test, cv):
    """Return X as an array or CSR matrix, y one-dimensional, and the number of folds."""
    if not (hasattr(tree, "apply") and is_classifier(tree)):
        raise ValueError(
            f"information_report needs a classification tree, got {type(tree).__name__}: the "
            "entropy of numbers depends on their unit."
        )
    check_is_fitted(tree)
    if not hasattr(tree, "tree_"):
        raise ValueError(f"information_report needs one tree, got {type(tree).__name__}.")
    if tree.n_outputs_ != 1:
        raise ValueError(f"information_report needs one output; the tree has {tree.n_outputs_}.")
    if (X_test is None) != (y_test is None):
        raise ValueError("X_test and y_test must be given together.")
    y = column_or_1d(y)
    check_classification_targets(y)
    check_consistent_length(X, y)
    if y_test is not None:
        check_classification_targets(column_or_1d(y_test))
        check_consistent_length(X_test, y_test)
    if cv is not None and (not isinstance(cv, int | np.integer) or cv < 2):
        raise ValueError(f"cv must be a whole number from 2 up, or None; got {cv!r}.")
    return X, y, cv


def _counts(leaves, labels, n_classes):
    """Return the number of samples of each class at each node, of shape (n_nodes, n_classes)."""
    n_nodes = int(leaves.max()) + 1
    flat = np.bincount(leaves * n_classes + labels, minlength=n_nodes * n_classes)
    return flat.reshape(n_nodes, n_classes)


def _as_table(X):
    """Return samples as an array or CSR matrix whose rows can be chosen."""
    return check_array(X, accept_sparse="csr", ensure_all_finite=False)


def _tree_bits(tree, X):
    """Return the code length of a tree, in bits, for a receiver who knows the samples."""
    structure = tree.tree_
    feature = structure.feature[structure.children_left != -1]
    bits = float(structure.node_count) + len(feature) * float(np.log2(tree.n_features_in_))
    X = _as_table(X)
    X = X.tocsc() if issparse(X) else X
    for column, n_splits in zip(*np.unique(feature, return_counts=True), strict=True):
        values = X[:, [column]]
        values = values.toarray()[:, 0] if issparse(values) else values[:, 0]
        present = values[values == values]  # neither NaN nor NaT
        n_cuts = max(len(np.unique(present)) - 1, 1)
        bits += float(n_splits) * (float(np.log2(n_cuts)) + (len(present) < len(values)))
    return bits


def _folds(tree, X, y, labels, n_classes, cv):
    """Yield a tree of each training fold, its counts, and the samples and labels it is tested on.

    Folds are not stratified: rare classes then need no exception, and each fold is judged by all
    of its labels anyhow.
    """
    X = _as_table(X)
    for train, test in KFold(cv, shuffle=True, random_state=_SHUFFLE_SEED).split(labels):
        grown = clone(tree).fit(X[train], y[train])
        counts = _counts(grown.apply(X[train]), labels[train], n_classes)
        of_class = np.bincount(labels[train], minlength=n_classes)
        yield grown, counts, of_class, X[test], labels[test]


def _judged(held_out, classes):
    """Return what held-out labels cost and how well confidences hold, as a dict."""
    bits = dict.fromkeys(("held_out_before", "held_out_bits", "held_out_bits_raw"), 0.0)
    confidences, correct, n_samples = [], [], 0
    for tree, counts, of_class, X, labels in held_out:
        leaves = tree.apply(X)
        # Leaves beyond the last one that a training sample reached hold none.
        missing = max(int(leaves.max()) + 1 - len(counts), 0)
        counts = np.pad(counts, ((0, missing), (0, 0)))
        plain = np.zeros((len(labels), len(classes)))
        plain[:, np.searchsorted(classes, tree.classes_)] = tree.predict_proba(X)
        base_rates = np.broadcast_to(_smoothed(of_class[None]), plain.shape)
        bits["held_out_before"] += code_length(labels, base_rates)
        bits["held_out_bits"] += code_length(labels, _smoothed(counts[leaves]))
        bits["held_out_bits_raw"] += code_length(labels, plain)
        confidences.append(plain.max(axis=1))
        correct.append(plain.argmax(axis=1) == labels)
        n_samples += len(labels)
    if not n_samples:
        return dict.fromkeys((*bits, "calibration_error"), float("nan"))
    error = expected_calibration_error(
        np.concatenate(confidences), np.concatenate(correct), binning="distinct_values"
    )
    found = {name: float(total) / n_samples for name, total in bits.items()}
    return found | {"calibration_error": float(error)}


def _smoothed(counts):
    """Return shares of the classes after one half is added to every count."""
    counts = counts + 0.5
    return counts / counts.sum(axis=1, keepdims=True)
