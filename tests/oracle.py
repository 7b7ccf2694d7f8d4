"""Slow and obvious: impurities from their formulas, and the best split of a node by trying all.

Nothing here is imported by the package, and nothing here knows how the package works.  A node
is a list of row numbers; every statistic is computed anew from the rows.

Invariant: weights are positive for every row that is mentioned in a node.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.class_weight import compute_sample_weight

GAUSSIAN_RIDGE = 1e-3


# -- impurities ---------------------------------------------------------------------------------


def _shares(weights):
    total = math.fsum(weights)
    return [w / total for w in weights if w > 0.0]


def shannon(weights):
    """Shannon entropy in nats."""
    return -math.fsum(p * math.log(p) for p in _shares(weights)) + 0.0


def gini(weights):
    """One minus the chance that two draws agree."""
    return math.fsum(p * (1.0 - p) for p in _shares(weights))


def tsallis(weights, order):
    """(1 - sum p^q) / (q - 1), with its limit Shannon at order 1."""
    if order == 1.0:
        return shannon(weights)
    return (1.0 - math.fsum(p**order for p in _shares(weights))) / (order - 1.0)


def renyi_entropy(weights, order):
    """Renyi entropy of a distribution in nats."""
    shares = _shares(weights)
    if order == 1.0:
        return shannon(weights)
    largest = max(shares)
    if math.isinf(order):
        return -math.log(largest)
    rest = math.log(math.fsum((p / largest) ** order for p in shares))
    return (order * math.log(largest) + rest) / (1.0 - order)


def r_norm(weights, order):
    """order / (order - 1) * (1 - ||p||_order): Arimoto's node term over the weight."""
    shares = _shares(weights)
    if order == 1.0:
        return shannon(weights)
    largest = max(shares)
    if math.isinf(order):
        return 1.0 - largest
    norm = largest * math.fsum((p / largest) ** order for p in shares) ** (1.0 / order)
    return order / (order - 1.0) * (1.0 - norm)


def misclassification(weights):
    """One minus the largest share."""
    return 1.0 - max(_shares(weights))


def class_impurity(criterion, order, weights):
    """Impurity of a node from its class weights, in the unit that a tree reports."""
    if criterion in ("entropy", "log_loss"):
        return shannon(weights) / math.log(2.0)
    if criterion == "renyi_mean":
        return renyi_entropy(weights, order) / math.log(2.0)
    if criterion == "renyi":
        return r_norm(weights, order)
    if criterion == "tsallis":
        return tsallis(weights, order)
    return {"gini": gini, "misclassification": misclassification}[criterion](weights)


def mean(y, w):
    """Weighted mean."""
    return math.fsum(a * b for a, b in zip(y, w, strict=True)) / math.fsum(w)


def variance(y, w):
    """Weighted variance, in two passes; rounding makes none of equal numbers."""
    if min(y) == max(y):
        return 0.0
    centre = mean(y, w)
    return mean([(a - centre) ** 2 for a in y], w)


def median(y, w):
    """Middle of the interval of all weighted medians."""
    pairs = sorted(zip(y, w, strict=True))
    half = math.fsum(w) / 2.0
    below = 0.0
    for i, (value, weight) in enumerate(pairs):
        below += weight
        if math.isclose(below, half, rel_tol=1e-12):
            return (value + pairs[i + 1][0]) / 2.0
        if below > half:
            return value
    raise AssertionError("unreachable: the weights sum to more than half of themselves")


def absolute_error(y, w):
    """Mean distance from the median."""
    centre = median(y, w)
    return mean([abs(a - centre) for a in y], w)


def half_poisson_deviance(y, w):
    """Mean of y ln(y / mean), the y-only part of the deviance included; zero when y is zero."""
    centre = mean(y, w)
    if centre == 0.0:
        return 0.0
    # y - mean sums to zero; taken from every term, it leaves nothing that cancels.
    gaps = [(a, a - centre) for a in y]
    return mean([a * math.log1p(gap / centre) - gap if a > 0.0 else centre for a, gap in gaps], w)


def target_impurity(criterion, y, w, ridge=0.0):
    """Impurity of a node from its targets."""
    if criterion == "gaussian_entropy":
        if max(y) == min(y) and ridge == 0.0:
            return 0.0  # a target that never varies has a density of no width: leave it out
        return 0.5 * math.log(2.0 * math.pi * math.e * (variance(y, w) + ridge))
    formulas = {
        "squared_error": variance,
        "friedman_mse": variance,
        "absolute_error": absolute_error,
        "poisson": half_poisson_deviance,
    }
    return formulas[criterion](y, w)


# -- the problem that a fit solves --------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """Training rows and rules of one fit; everything that decides which split is best."""

    X: list  # rows of floats, NaN where missing
    y: list  # rows of targets: class numbers or floats, one per output
    weight: list
    criterion: str
    order: float
    n_classes: tuple  # one per output; empty for regression
    ridge: tuple  # one per output
    min_samples_split: int = 2
    min_samples_leaf: int = 1
    min_weight_leaf: float = 0.0
    min_impurity_decrease: float = 0.0
    max_depth: float = math.inf
    monotonic: tuple = ()

    @property
    def root(self):
        """Rows that count as samples: those of positive weight."""
        return [i for i, w in enumerate(self.weight) if w > 0.0]

    def column(self, rows, feature):
        """Values of one feature."""
        return [self.X[i][feature] for i in rows]


def problem_of(estimator, X, y, sample_weight=None):
    """Return what an estimator with these parameters, fitted on this table, had to solve."""
    X = np.asarray(X, dtype=np.float64)
    y = np.asarray(y)
    y = y.reshape(len(y), -1)
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    rules = estimator.get_params()
    n_classes, ridge = (), ()
    if is_classifier(estimator):
        if rules["class_weight"] is not None:
            weight = weight * compute_sample_weight(rules["class_weight"], y)
        codes = [np.unique(column, return_inverse=True) for column in y.T]
        n_classes = tuple(len(classes) for classes, _ in codes)
        y = np.column_stack([inverse for _, inverse in codes])
    else:
        w = weight[weight > 0].tolist()
        ridge = tuple(GAUSSIAN_RIDGE * variance(c.tolist(), w) for c in y[weight > 0].T)
    leaf, split = rules["min_samples_leaf"], rules["min_samples_split"]
    leaf = leaf if leaf >= 1 and leaf == int(leaf) else math.ceil(leaf * len(X))
    if isinstance(split, float):
        split = max(2, math.ceil(split * len(X)))
    return Problem(
        X=X.tolist(),
        y=y.tolist(),
        weight=weight.tolist(),
        criterion=rules["criterion"],
        order=rules.get("order", 2.0),
        n_classes=n_classes,
        ridge=ridge,
        min_samples_split=max(split, 2 * leaf),
        min_samples_leaf=leaf,
        min_weight_leaf=rules["min_weight_fraction_leaf"] * float(weight.sum()),
        min_impurity_decrease=rules["min_impurity_decrease"],
        max_depth=math.inf if rules["max_depth"] is None else rules["max_depth"],
        monotonic=tuple(rules["monotonic_cst"]) if rules["monotonic_cst"] is not None else (),
    )


def weight_of(problem, rows):
    """Weight of a node."""
    return math.fsum([problem.weight[i] for i in rows])


def class_weights(problem, rows, output):
    """Weight of every class in a node."""
    weights = [[] for _ in range(problem.n_classes[output])]
    for i in rows:
        weights[problem.y[i][output]].append(problem.weight[i])
    return [math.fsum(w) for w in weights]


def impurity(problem, rows):
    """Impurity of a node: the mean over the outputs."""
    terms = []
    w = [problem.weight[i] for i in rows]
    for k in range(len(problem.y[0])):
        if problem.n_classes:
            weights = class_weights(problem, rows, k)
            terms.append(class_impurity(problem.criterion, problem.order, weights))
        else:
            y = [problem.y[i][k] for i in rows]
            terms.append(target_impurity(problem.criterion, y, w, problem.ridge[k]))
    return math.fsum(terms) / len(terms)


def node_term(problem, rows):
    """Weight times impurity: what a search adds up."""
    return weight_of(problem, rows) * impurity(problem, rows)


def is_pure(problem, rows):
    """Whether all targets of a node are the same."""
    return all(problem.y[i] == problem.y[rows[0]] for i in rows)


def value(problem, rows, output=0):
    """Class shares, mean or median of a node."""
    if problem.n_classes:
        total = weight_of(problem, rows)
        return [w / total for w in class_weights(problem, rows, output)]
    y = [problem.y[i][output] for i in rows]
    w = [problem.weight[i] for i in rows]
    return [(median if problem.criterion == "absolute_error" else mean)(y, w)]


def constrained_value(problem, rows):
    """The number that monotone constraints bound: share of the second class, mean or median."""
    return value(problem, rows)[-1]


# -- splits -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """One way to cut a node: values up to ``low`` go left, those from ``high`` go right."""

    feature: int
    low: float
    high: float  # infinite where only the missing values go right
    missing_left: bool
    left: tuple
    right: tuple

    def gain(self, problem, term):
        """Decrease of the summed node terms, given that of the node."""
        return math.fsum((term, -node_term(problem, self.left), -node_term(problem, self.right)))


def all_cuts(problem, rows, feature):
    """Yield every cut of one feature, feasible or not."""
    missing = tuple(i for i in rows if math.isnan(problem.X[i][feature]))
    present = [i for i in rows if not math.isnan(problem.X[i][feature])]
    values = sorted(set(problem.column(present, feature)))
    for low, high in zip(values[:-1], values[1:], strict=True):
        left = tuple(i for i in present if problem.X[i][feature] <= low)
        right = tuple(i for i in present if problem.X[i][feature] > low)
        yield Split(feature, low, high, False, left, right + missing)
        if missing:
            yield Split(feature, low, high, True, left + missing, right)
    if missing and present:
        yield Split(feature, values[-1], math.inf, False, tuple(present), missing)


def is_feasible(problem, split, bounds=(-math.inf, math.inf), slack=0.0):
    """Whether the rules allow a cut; positive slack forgives, negative slack is strict.

    Parameters
    ----------
    problem : Problem
        The fit.
    split : Split
        The cut.
    bounds : tuple of float
        Lowest and highest value that monotone constraints leave to the children.
    slack : float
        Share by which weights and values may be off: rounding is no fault of a tree.
    """
    for side in (split.left, split.right):
        if len(side) < problem.min_samples_leaf:
            return False
        if weight_of(problem, side) < problem.min_weight_leaf * (1.0 - slack):
            return False
        if problem.criterion == "poisson":
            sums = [sum(problem.y[i][k] for i in side) for k in range(len(problem.y[0]))]
            if min(sums) <= 0.0:
                return False
    sign = problem.monotonic[split.feature] if problem.monotonic else 0
    if sign == 0:
        return True
    left = constrained_value(problem, split.left)
    right = constrained_value(problem, split.right)
    room = slack * (1.0 + abs(left) + abs(right))
    low, high = bounds
    inside = low - room <= min(left, right) and max(left, right) <= high + room
    return inside and (left - right) * sign <= room


def ranked_cuts(problem, rows, features=None):
    """Return (gain, split) of every cut of a node, feasible or not, by falling gain."""
    features = range(len(problem.X[0])) if features is None else features
    term = node_term(problem, rows)
    cuts = [
        (split.gain(problem, term), split)
        for feature in features
        for split in all_cuts(problem, rows, feature)
    ]
    return sorted(cuts, key=lambda cut: -cut[0])


def best_gain(problem, cuts, bounds=(-math.inf, math.inf), slack=0.0):
    """Return the largest gain of the ranked cuts that are feasible, minus infinity without any."""
    return next(
        (gain for gain, split in cuts if is_feasible(problem, split, bounds, slack)), -math.inf
    )


def with_criterion(problem, criterion, order=2.0):
    """Return the same fit under another criterion."""
    return replace(problem, criterion=criterion, order=order)
