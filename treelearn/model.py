"""A fitted tree together with what is needed to read new tables as its own was read."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ._columns import Column, columns_of, read_rows
from ._estimator import TreeEstimator
from ._tables import is_frame, target_values

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """A fitted tree and the columns that it was fitted on.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        A fitted tree of treelearn.
    columns : sequence of Column, default=None
        One per feature. None: numbers, called as in ``feature_names_in_``, else x0, x1, ...
    target : str, default=None
        What is predicted.

    Raises
    ------
    TypeError
        If the estimator is no tree of treelearn.
    ValueError
        If it is not fitted, or the columns are not as many as its features.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.model import Model
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Model(DecisionTreeClassifier(max_depth=2).fit(X, y))
    >>> model.feature_names
    ['x0', 'x1', 'x2', 'x3']
    """

    estimator: TreeEstimator
    columns: tuple | None = None
    target: str | None = None

    def __post_init__(self):
        if not isinstance(self.estimator, TreeEstimator):
            raise TypeError(
                "A treelearn DecisionTreeClassifier or DecisionTreeRegressor is needed, not a "
                f"{type(self.estimator).__name__}."
            )
        check_is_fitted(self.estimator)
        n_features = self.estimator.n_features_in_
        columns = self.columns
        if columns is None:
            names = getattr(self.estimator, "feature_names_in_", None)
            names = [f"x{j}" for j in range(n_features)] if names is None else names
            columns = [Column(str(name)) for name in names]
        if len(columns) != n_features:
            raise ValueError(
                f"{len(columns)} columns were given for the {n_features} features of the tree."
            )
        object.__setattr__(self, "columns", tuple(columns))

    @classmethod
    def of(cls, tree, feature_names=None):
        """Return a model: what is one already, or a fitted estimator with names.

        Parameters
        ----------
        tree : Model or fitted estimator
            What somebody gave.
        feature_names : sequence of str, default=None
            Names that replace those which it has.

        Returns
        -------
        Model
        """
        model = tree if isinstance(tree, cls) else cls(tree)
        if feature_names is None:
            return model
        if len(feature_names) != len(model.columns):
            raise ValueError(
                f"{len(feature_names)} feature names were given for {len(model.columns)} features."
            )
        columns = [
            replace(column, name=str(name))
            for name, column in zip(feature_names, model.columns, strict=True)
        ]
        return cls(model.estimator, tuple(columns), model.target)

    @classmethod
    def fit(cls, estimator, X, y, target=None, feature_names=None):
        """Fit an estimator on a table.

        Parameters
        ----------
        estimator : DecisionTreeClassifier or DecisionTreeRegressor
            Fitted in place.
        X : ndarray or frame of shape (n_samples, n_features)
            Features; text, categories, booleans, dates and missing values as
            `treelearn.compare_criteria` takes them.
        y : array-like of shape (n_samples,)
            Target; samples without one are left out.
        target : str, default=None
            Name of the target.
        feature_names : sequence of str, default=None
            Names of the columns of an array.

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            If features, target and estimator do not go together.
        """
        y, is_missing = target_values(y)
        X = X if is_frame(X) else np.asarray(X, dtype=np.float64)
        X, columns = columns_of(X, feature_names)
        if X.shape[0] != len(is_missing):
            raise ValueError(
                f"The features have {X.shape[0]} rows and the target has {len(is_missing)}."
            )
        if is_missing.any():
            X = X[~is_missing]
        estimator.fit(X, y)
        return cls(estimator, columns, target)

    @property
    def is_classifier(self):
        """Whether classes are predicted."""
        return self.estimator._tree.n_classes is not None

    @property
    def n_outputs(self):
        """Number of targets."""
        return self.estimator.n_outputs_

    def output_marks(self, separator=" "):
        """Return what names of each output end in: its number, nothing where there is one."""
        if self.n_outputs == 1:
            return [""]
        return [f"{separator}{output}" for output in range(self.n_outputs)]

    @property
    def feature_names(self):
        """Names of the features, a list of str."""
        return [column.name for column in self.columns]

    @cached_property
    def classes(self):
        """Class labels of every output, a list of ndarray; None for regression."""
        if not self.is_classifier:
            return None
        classes = self.estimator.classes_
        return classes if isinstance(classes, list) else [classes]

    def rows(self, X, unknown="error"):
        """Return new data as the estimator reads it.

        Parameters
        ----------
        X : ndarray or frame of shape (n_samples, n_columns)
            An array must have the features in their order; the columns of a frame are found by
            name.
        unknown : {"error", "missing"}, default="error"
            Whether a category that the training data did not have is refused, or goes where a
            missing value goes.

        Returns
        -------
        ndarray or CSR matrix of shape (n_samples, n_features)
            Checked: the estimator's methods may be called with ``check_input=False``, by which
            they do not look for the names that an array has not.

        Raises
        ------
        ValueError
            If a column is not there, or holds what the model cannot read.
        """
        rows = read_rows(self.columns, X, unknown)
        is_finite = True if issparse(rows) else "allow-nan"
        rows = check_array(rows, accept_sparse="csr", ensure_all_finite=is_finite, input_name="X")
        if rows.shape[1] != len(self.columns):
            raise ValueError(
                f"X has {rows.shape[1]} features, but the model was fitted on {len(self.columns)}."
            )
        return rows

    def predict(self, X, unknown="error"):
        """Return the prediction for every row of new data, see `rows`."""
        return self.estimator.predict(self.rows(X, unknown), check_input=False)

    def predict_proba(self, X, unknown="error"):
        """Return the class shares for every row of new data, see `rows`."""
        if not self.is_classifier:
            raise ValueError("A regression tree has no class probabilities.")
        return self.estimator.predict_proba(self.rows(X, unknown), check_input=False)
