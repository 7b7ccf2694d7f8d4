"""Joint tables with their margins: what measures of two variables read of them."""

import array_api_compat

from ._arrays import as_floating, from_weights, stop_gradient, total
from ._terms import poisson_term

__all__ = ["Table"]


class Table:
    """Checked joint tables with their margins.

    Attributes
    ----------
    xp : namespace
        The array API namespace of the arrays.
    cells : array of shape (..., n_rows, n_columns)
        Weights, scaled by a power of two so that no product of two overflows and integer counts
        stay exact.
    rows, columns : array of shape (..., n_rows, 1) and (..., 1, n_columns)
        Sums over the other axis.
    weight : array of shape (..., 1, 1)
        Sum of all cells.
    """

    def __init__(self, joint, normalize, name="joint"):
        xp, joint = as_floating(joint)
        if joint.ndim < 2:
            raise ValueError(f"{name} must have two axes or more; got {joint.ndim}.")
        self.xp, self.shape = xp, joint.shape
        # Checks the cells; what rounding loses of their shares plays no part below.
        self.outcomes = from_weights(self._flat(joint), normalize=normalize, name=name)
        cells = joint if array_api_compat.size(joint) == 0 else self._scaled(joint)
        self.cells = cells
        self.rows = total(xp, cells, -1, keepdims=True)
        self.columns = total(xp, cells, -2, keepdims=True)
        self.weight = total(xp, self.rows, -2, keepdims=True)

    def _flat(self, values):
        """Return values with the two axes of the table as one."""
        return self.xp.reshape(values, (*self.shape[:-2], self.shape[-2] * self.shape[-1]))

    def _scaled(self, joint):
        """Return cells whose largest is about 1."""
        xp = self.xp
        largest = xp.max(stop_gradient(joint), axis=(-2, -1), keepdims=True)
        return joint / 2 ** xp.floor(xp.log2(largest))

    def sum(self, values):
        """Return the sum of values over the cells."""
        return total(self.xp, self._flat(values), -1)

    def over_weight(self, values):
        """Return values of one number a table over its weight."""
        return values / self.xp.squeeze(self.weight, axis=(-2, -1))

    def row_distribution(self):
        """Return the outcomes of X."""
        return from_weights(self.xp.squeeze(self.rows, axis=-1), normalize=True)

    def column_distribution(self):
        """Return the outcomes of Y."""
        return from_weights(self.xp.squeeze(self.columns, axis=-2), normalize=True)

    def distributions_in_rows(self):
        """Return the outcomes of Y in every row; an empty row has equal chances and no weight."""
        xp = self.xp
        cells = xp.where(self.rows > 0, self.cells, xp.ones_like(self.cells))
        return from_weights(cells, normalize=True)

    def mean_over_rows(self, values):
        """Return the mean of one value a row, by the weights of the rows."""
        return total(self.xp, self.row_distribution().p * values, -1)

    def mutual_information(self):
        """Return the mutual information in nats.

        A sum of terms that are never negative, so that it keeps its digits for variables that are
        nearly independent, and is exactly 0 for integer counts that are.
        """
        xp, cells = self.xp, self.cells
        products = self.rows * self.columns
        differences = (cells * self.weight - products) / self.weight
        terms = poisson_term(xp, cells, products / self.weight, differences)
        return self.over_weight(self.sum(terms))
