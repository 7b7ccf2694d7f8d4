"""The table of split criteria.

One row a criterion: its name, unit, what holds for it, and the number of its formula in
``native/impurity.h``.  Nothing else in the package names an impurity.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "CLASSIFICATION_CRITERIA",
    "Criterion",
    "GAUSSIAN_RIDGE",
    "Kernel",
    "REGRESSION_CRITERIA",
    "concavity_bound",
    "criterion_label",
    "kernel_of",
    "parse_criterion",
    "takes_order",
]

GAUSSIAN_RIDGE = 1e-3
"""Share of the root's variance that gaussian_entropy adds to every variance.

Two equal targets would otherwise have entropy minus infinity and decide every split.
"""

SHANNON_TIES_FROM = 20.0
"""Order of renyi from which equal gains are decided by Shannon's gain."""

_BITS = 1.0 / math.log(2.0)

# The enumeration of native/impurity.h.
GINI, SHANNON, TSALLIS, RENYI, RENYI_MEAN, ERROR_RATE, MIN_ENTROPY = range(7)
SQUARED_ERROR, ABSOLUTE_ERROR, POISSON, GAUSSIAN = range(7, 11)


@dataclass(frozen=True)
class Criterion:
    """One split criterion.

    Attributes
    ----------
    name : str
        The value of the estimator's ``criterion`` parameter.
    formula : int
        Number of its formula in ``native/impurity.h``.
    unit : str
        Unit of the impurity that a tree reports.
    scale : float
        Factor from the formula's unit (nats) to the reported one.
    takes_order : bool
        Whether the ``order`` parameter matters.
    order_may_be_infinite : bool
        Whether ``order=inf`` has a meaning.
    """

    name: str
    formula: int
    unit: str = "1"
    scale: float = 1.0
    takes_order: bool = False
    order_may_be_infinite: bool = False


CLASSIFICATION_CRITERIA = {
    row.name: row
    for row in (
        Criterion("gini", GINI),
        Criterion("entropy", SHANNON, unit="bit", scale=_BITS),
        Criterion("log_loss", SHANNON, unit="bit", scale=_BITS),
        Criterion("renyi", RENYI, takes_order=True, order_may_be_infinite=True),
        Criterion(
            "renyi_mean",
            RENYI_MEAN,
            unit="bit",
            scale=_BITS,
            takes_order=True,
            order_may_be_infinite=True,
        ),
        Criterion("tsallis", TSALLIS, takes_order=True),
        Criterion("misclassification", ERROR_RATE),
    )
}

REGRESSION_CRITERIA = {
    row.name: row
    for row in (
        Criterion("squared_error", SQUARED_ERROR, unit="y^2"),
        Criterion("absolute_error", ABSOLUTE_ERROR, unit="y"),
        Criterion("poisson", POISSON),
        Criterion("gaussian_entropy", GAUSSIAN, unit="nat"),
    )
}


class Kernel(NamedTuple):
    """What the compiled core needs to know of a criterion.

    Attributes
    ----------
    formula : int
        Number of the formula in ``native/impurity.h``; limits are already taken, so that
        ``order`` is finite and not 1 wherever the formula uses it.
    order : float
        Order of the Renyi and Tsallis families.
    scale : float
        Factor to the reported unit.
    shannon_ties : bool
        Whether equal gains are decided by Shannon's gain.
    """

    formula: int
    order: float
    scale: float
    shannon_ties: bool

    def is_concave_for(self, n_classes):
        """Return whether no split of so many classes has a negative gain."""
        if self.formula == MIN_ENTROPY:
            return False
        return self.formula != RENYI_MEAN or self.order <= concavity_bound(n_classes)


def kernel_of(name, order=2.0):
    """Return the kernel of a criterion, with the limits of the order taken.

    Parameters
    ----------
    name : str
        Name of a criterion.
    order : float, default=2.0
        Order of the Renyi and Tsallis families; ignored by the others.

    Returns
    -------
    Kernel
        Formula, order, scale and tie rule.

    Raises
    ------
    ValueError
        If the name is unknown or the order out of range.

    Examples
    --------
    >>> from treelearn.criteria import kernel_of
    >>> kernel_of("tsallis", 2.0) == kernel_of("gini")
    True
    >>> kernel_of("renyi", float("inf")) == kernel_of("misclassification")
    True
    """
    row = CLASSIFICATION_CRITERIA.get(name) or REGRESSION_CRITERIA.get(name)
    if row is None:
        raise ValueError(f"Unknown criterion {name!r}; known are {', '.join(_all_names())}.")
    if not row.takes_order:
        return Kernel(row.formula, 2.0, row.scale, row.formula == ERROR_RATE)
    order = check_order(row, order)
    formula = row.formula
    if order == 1.0:
        formula = SHANNON
    elif formula == TSALLIS and order == 2.0:
        formula = GINI
    elif math.isinf(order):
        formula = ERROR_RATE if formula == RENYI else MIN_ENTROPY
    shannon_ties = row.formula == RENYI and order >= SHANNON_TIES_FROM
    uses_order = formula in (TSALLIS, RENYI, RENYI_MEAN)
    return Kernel(formula, order if uses_order else 2.0, row.scale, shannon_ties)


def check_order(row, order):
    """Return the order as a float, or raise ValueError when the criterion cannot take it."""
    order = float(order)
    if math.isnan(order) or order <= 0.0 or (math.isinf(order) and not row.order_may_be_infinite):
        allowed = "(0.0, inf]" if row.order_may_be_infinite else "(0.0, inf)"
        raise ValueError(
            f"The 'order' parameter of criterion={row.name!r} must be a float in the range "
            f"{allowed}. Got {order!r} instead."
        )
    return order


def concavity_bound(n_classes):
    """Return the largest order for which the mean of Renyi entropies never has negative gain.

    The Renyi entropy of order q > 1 is concave on the simplex of ``n_classes`` classes exactly
    while ``S_q(p) * S_{2-q}(p) <= q`` for every p, with ``S_q(p)`` the sum of ``p**q``; the
    maximum of the left side lies at one large share and equal small ones.

    Parameters
    ----------
    n_classes : int
        Number of classes, at least 1.

    Returns
    -------
    float
        The bound: 2 for two classes, less for more; infinity for a single class.

    Examples
    --------
    >>> from treelearn.criteria import concavity_bound
    >>> [round(concavity_bound(k), 3) for k in (2, 3, 10)]
    [2.0, 1.809, 1.407]
    """
    if n_classes < 2:
        return math.inf
    if n_classes == 2:
        return 2.0
    # scipy.optimize takes 50 ms to import and is needed by this one criterion only.
    from scipy.optimize import brentq, minimize_scalar

    rest = n_classes - 1

    def largest_product(order):
        def negative_product(large):
            small = (1.0 - large) / rest
            power = large**order + rest * small**order
            dual = large ** (2.0 - order) + rest * small ** (2.0 - order)
            return -power * dual

        found = minimize_scalar(
            negative_product, bounds=(1.0 / n_classes, 1.0), options={"xatol": 1e-10}
        )
        return -found.fun

    return brentq(lambda order: largest_product(order) - order, 1.0 + 1e-6, 2.0)


def takes_order(name):
    """Return whether a criterion has an order."""
    row = CLASSIFICATION_CRITERIA.get(name)
    return row is not None and row.takes_order


def criterion_label(name, order):
    """Return what `parse_criterion` reads: the name, and the order of a criterion that has one."""
    return f"{name}:{order:g}" if takes_order(name) else name


def parse_criterion(text):
    """Split ``"name"`` or ``"name:order"`` into a name and an order.

    Parameters
    ----------
    text : str
        For example ``"gini"`` or ``"renyi:0.5"``.

    Returns
    -------
    name : str
        A known criterion.
    order : float or None
        None where no order was given.

    Raises
    ------
    ValueError
        If the name is unknown, or the order is no number, out of range or not taken.

    Examples
    --------
    >>> from treelearn.criteria import parse_criterion
    >>> parse_criterion("renyi:0.5")
    ('renyi', 0.5)
    >>> parse_criterion("gini")
    ('gini', None)
    """
    name, colon, number = text.partition(":")
    row = CLASSIFICATION_CRITERIA.get(name) or REGRESSION_CRITERIA.get(name)
    if row is None:
        raise ValueError(f"Unknown criterion {name!r}; known are {', '.join(_all_names())}.")
    if not colon:
        return name, None
    if not row.takes_order:
        raise ValueError(f"The criterion {name!r} takes no order, but {text!r} gives one.")
    try:
        order = float(number)
    except ValueError:
        raise ValueError(f"The order in {text!r} is not a number.") from None
    return name, check_order(row, order)


def _all_names():
    return [*CLASSIFICATION_CRITERIA, *REGRESSION_CRITERIA]
