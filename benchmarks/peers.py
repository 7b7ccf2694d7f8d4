"""Adapters: one small class per library, all with the same face.

A new peer is a class with the members of `ScikitLearn` and one entry in `PEERS`. Importing the
library belongs in its ``__init__``, so that an absent library costs only its own rows. Everything
that a user of the library has to do between a NumPy array and a fitted tree belongs in ``fit``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """What a peer is asked to grow; None leaves a setting to the default of the library."""

    task: str  # "classification" or "regression"
    criterion: str | None = None
    n_threads: int | None = None
    seed: int | None = None
    limits: Mapping[str, int] = field(default_factory=dict)  # max_depth, min_samples_leaf, ...

    def arguments(self):
        """Return the settings that scikit-learn's trees know, as keyword arguments."""
        named = {"criterion": self.criterion, "random_state": self.seed, **self.limits}
        return {name: value for name, value in named.items() if value is not None}


class ScikitLearn:
    """The reference: exact (up to its rule that values closer than 1e-7 are equal), one thread."""

    is_exact = True
    is_threaded = False

    def __init__(self):
        import sklearn.tree

        self.version = sklearn.__version__
        self.estimators = {
            "classification": sklearn.tree.DecisionTreeClassifier,
            "regression": sklearn.tree.DecisionTreeRegressor,
        }

    def fit(self, X, y, settings):
        """Return a fitted model; this call is what is timed."""
        return self.estimators[settings.task](**settings.arguments()).fit(X, y)

    def predict(self, model, X):
        """Return class codes or values; not timed here, the training score comes from it."""
        return model.predict(X)

    def n_nodes(self, model):
        """Return the number of nodes, or None where the library does not tell."""
        return int(model.tree_.node_count)


class Treelearn(ScikitLearn):
    """The product: exact, any number of threads."""

    is_threaded = True

    def __init__(self):
        import treelearn

        self.version = treelearn.__version__
        self.estimators = {
            "classification": treelearn.DecisionTreeClassifier,
            "regression": treelearn.DecisionTreeRegressor,
        }

    def fit(self, X, y, settings):
        """Return a fitted model, grown by the number of threads that the settings name."""
        estimator = self.estimators[settings.task]
        return estimator(n_jobs=settings.n_threads, **settings.arguments()).fit(X, y)


REFERENCE = "scikit-learn"
PEERS = {REFERENCE: ScikitLearn, "treelearn": Treelearn}
