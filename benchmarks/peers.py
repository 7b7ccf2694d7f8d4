"""Adapters: one small class per library, all with the same face.

A new peer is a class with the members of `ScikitLearn` and one entry in `PEERS`. Importing the
library belongs in its ``__init__``, so that an absent library costs only its own rows. Everything
that a user of the library has to do between a NumPy array and a fitted tree belongs in ``fit``.
A setting that a library does not know raises `UnsupportedError`. Libraries of boosted trees grow
one tree, for several classes one a class, with nothing that shrinks or regularises it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


class UnsupportedError(Exception):
    """A peer cannot do what a workload asks for."""


@dataclass(frozen=True)
class Settings:
    """What a peer is asked to grow; None leaves a setting to the default of the library."""

    task: str  # "classification" or "regression"
    criterion: str | None = None
    n_threads: int | None = None
    seed: int | None = None
    limits: Mapping[str, object] = field(default_factory=dict)  # max_depth, min_samples_leaf, ...

    def arguments(self):
        """Return the settings that scikit-learn's trees know, as keyword arguments."""
        named = {"criterion": self.criterion, "random_state": self.seed, **self.limits}
        return {name: value for name, value in named.items() if value is not None}

    def limit(self, name, default):
        """Return one of the limits, or a default."""
        return self.limits.get(name, default)

    def feature_share(self, n_features):
        """Return the share of the features that is drawn in each node."""
        drawn = self.limit("max_features", None)
        if drawn not in (None, "sqrt"):
            raise UnsupportedError(f"max_features={drawn!r} is not translated")
        return 1.0 if drawn is None else max(1, int(np.sqrt(n_features))) / n_features

    def refuse(self, *names):
        """Raise `UnsupportedError` where one of the limits is set."""
        refused = [name for name in names if name in self.limits]
        if refused:
            raise UnsupportedError(f"knows no {' and no '.join(refused)}")


class Peer:
    """What most libraries do alike."""

    def predict(self, model, X):
        """Return class codes or values."""
        return model.predict(X)


class ScikitLearn(Peer):
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

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model; this call is what is timed."""
        estimator = self.estimators[settings.task](**settings.arguments())
        return estimator.fit(X, y, sample_weight=sample_weight)

    def n_nodes(self, model):
        """Return the number of nodes, or None where the library does not tell."""
        return int(model.tree_.node_count)


class Treelearn(ScikitLearn):
    """The product: exact, any number of threads."""

    is_threaded = True

    def __init__(self):
        import treelearn

        self.version = treelearn.__version__
        self.forget = treelearn.clear_training_cache
        self.estimators = {
            "classification": treelearn.DecisionTreeClassifier,
            "regression": treelearn.DecisionTreeRegressor,
        }

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model, grown by the number of threads that the settings name.

        What an earlier round has sorted is forgotten: every round is a first fit.
        """
        self.forget()
        estimator = self.estimators[settings.task]
        estimator = estimator(n_jobs=settings.n_threads, **settings.arguments())
        return estimator.fit(X, y, sample_weight=sample_weight)


class Ydf:
    """CART of Yggdrasil Decision Forests: exact, sorts in every node, splits by entropy."""

    is_exact = True
    is_threaded = False  # one tree is grown by one thread, whatever is asked for

    def __init__(self):
        import ydf

        ydf.verbose(0)
        self.version, self.ydf = ydf.__version__, ydf

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model; YDF counts levels of nodes where others count those of splits."""
        settings.refuse("max_leaf_nodes")
        weights = {} if sample_weight is None else {"w": sample_weight}
        depth = settings.limit("max_depth", None)
        learner = self.ydf.CartLearner(
            label="y",
            task=self.ydf.Task[settings.task.upper()],
            weights="w" if weights else None,
            validation_ratio=0.0,
            max_depth=-1 if depth is None else depth + 1,
            min_examples=settings.limit("min_samples_leaf", 1),
            num_candidate_attributes_ratio=settings.feature_share(X.shape[1]),
            num_threads=1,
            random_seed=settings.seed or 0,
        )
        return learner.train({"x": X, "y": y, **weights})

    def predict(self, model, X):
        """Return class codes or values."""
        predicted = model.predict({"x": X})
        if model.task() == self.ydf.Task.REGRESSION:
            return predicted
        codes = np.array([int(name) for name in model.label_classes()])
        is_binary = predicted.ndim == 1
        return codes[(predicted > 0.5).astype(int) if is_binary else predicted.argmax(axis=1)]

    def n_nodes(self, model):
        """Return None: counting them would take a walk through the tree."""
        return None


class LightGBM(Peer):
    """Boosting among 255 bins of each feature, leaf by leaf."""

    is_exact = False
    is_threaded = True

    def __init__(self):
        import lightgbm

        self.version = lightgbm.__version__
        self.estimators = {
            "classification": lightgbm.LGBMClassifier,
            "regression": lightgbm.LGBMRegressor,
        }

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model."""
        if sample_weight is not None:
            raise UnsupportedError("ends with a failed check where weighted leaves have no limit")
        depth = settings.limit("max_depth", None)
        most_leaves = min(131_072, max(31, len(y) // 6) if depth is None else 2**depth)
        estimator = self.estimators[settings.task](
            n_estimators=1,
            learning_rate=1.0,
            num_leaves=settings.limit("max_leaf_nodes", most_leaves),
            max_depth=-1 if depth is None else depth,
            min_child_samples=settings.limit("min_samples_leaf", 1),
            min_child_weight=0.0,
            feature_fraction_bynode=settings.feature_share(X.shape[1]),
            force_col_wise=True,  # without, it tries both ways at every fit
            n_jobs=settings.n_threads,
            random_state=settings.seed,
            verbose=-1,
        )
        return estimator.fit(X, y)

    def n_nodes(self, model):
        """Return the number of nodes of all its trees."""
        trees = model.booster_.dump_model()["tree_info"]
        return sum(2 * tree["num_leaves"] - 1 for tree in trees)


class XGBoost(Peer):
    """Boosting among 256 bins of each feature."""

    is_exact = False
    is_threaded = True
    method, deepest = "hist", 0

    def __init__(self):
        import xgboost

        self.version = xgboost.__version__
        self.estimators = {
            "classification": xgboost.XGBClassifier,
            "regression": xgboost.XGBRegressor,
        }

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model; its least leaf is in weight, which regression alone counts in."""
        is_classification = settings.task == "classification"
        if is_classification:
            settings.refuse("min_samples_leaf")
        if self.method == "exact":
            settings.refuse("max_features", "max_leaf_nodes")
        leaves = settings.limit("max_leaf_nodes", 0)
        estimator = self.estimators[settings.task](
            n_estimators=1,
            learning_rate=1.0,
            tree_method=self.method,
            max_depth=settings.limit("max_depth", 0 if leaves else self.deepest),
            max_leaves=leaves,
            grow_policy="lossguide" if leaves else "depthwise",
            min_child_weight=0.0 if is_classification else settings.limit("min_samples_leaf", 1),
            colsample_bynode=settings.feature_share(X.shape[1]),
            reg_lambda=0.0,
            n_jobs=settings.n_threads,
            random_state=settings.seed,
        )
        return estimator.fit(X, y, sample_weight=sample_weight)

    def n_nodes(self, model):
        """Return the number of nodes of all its trees."""
        return sum(tree.count("\n") for tree in model.get_booster().get_dump())


class XGBoostExact(XGBoost):
    """Boosting over all values, presorted; it takes no tree deeper than 64."""

    is_exact = True
    method, deepest = "exact", 64


class OneDAL(Peer):
    """A forest of one tree of Intel's oneDAL, among 256 bins of each feature."""

    is_exact = False
    is_threaded = True

    def __init__(self):
        from importlib.metadata import version

        import sklearnex.ensemble

        self.version = version("scikit-learn-intelex")
        self.estimators = {
            "classification": sklearnex.ensemble.RandomForestClassifier,
            "regression": sklearnex.ensemble.RandomForestRegressor,
        }

    def fit(self, X, y, settings, sample_weight=None):
        """Return a fitted model."""
        if np.isnan(X).any():
            raise UnsupportedError("knows no missing values: scikit-learn's forest would be timed")
        arguments = settings.arguments()
        arguments.pop("criterion", None)
        estimator = self.estimators[settings.task](
            n_estimators=1,
            bootstrap=False,
            n_jobs=settings.n_threads,
            **{"max_features": None, **arguments},
        )
        return estimator.fit(X, y, sample_weight=sample_weight)

    def n_nodes(self, model):
        """Return the number of nodes."""
        return int(model.estimators_[0].tree_.node_count)


REFERENCE = "scikit-learn"
LIKE_SCIKIT_LEARN = (REFERENCE, "treelearn")
PEERS = {
    REFERENCE: ScikitLearn,
    "treelearn": Treelearn,
    "ydf": Ydf,
    "lightgbm": LightGBM,
    "xgboost": XGBoost,
    "xgboost-exact": XGBoostExact,
    "onedal": OneDAL,
}
