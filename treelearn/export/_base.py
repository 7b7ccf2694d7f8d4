"""What all exports share: the routing as plain arrays, saving, and the check against the tree."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse import issparse

from .._files import write_whole
from ._probes import probe_rows

__all__ = [
    "Export",
    "Leaves",
    "Verification",
    "VerificationError",
    "check_known_arrays",
    "predicted",
]

_KNOWN_ARRAYS = {
    *("n_features", "n_classes", "n_outputs", "children_left", "children_right", "feature"),
    *("threshold", "missing_go_to_left", "needs_float64", "impurity", "n_node_samples"),
    *("weighted_n_node_samples", "value", "class_starts", "classes", "class_weights"),
}
_MOST_SHOWN = 5


class VerificationError(AssertionError):
    """An export that does not agree with its tree.

    Attributes
    ----------
    differences : list of dict
        One per row and thing that differ: ``row`` (counted from 0, the probes after the given
        rows), ``what`` ("leaf", "prediction" or "probability", with the output where there are
        several), ``expected``, ``got`` and ``values``, the features of the row.
    """

    def __init__(self, differences, n_rows):
        self.differences = differences
        rows = sorted({difference["row"] for difference in differences})
        lines = [f"The export differs from the tree on {len(rows)} of {n_rows} rows."]
        for found in differences[:_MOST_SHOWN]:
            lines.append(
                "row {row}: {what} {got!r} instead of {expected!r}; features {values}".format(
                    **found
                )
            )
        if len(differences) > _MOST_SHOWN:
            lines.append(f"... and {len(differences) - _MOST_SHOWN} more, in .differences")
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class Verification:
    """What an export was found to agree on with its tree.

    Attributes
    ----------
    n_rows : int
        Rows that were given.
    n_probes : int
        Rows made beside them: next to thresholds, on them, and with missing values.
    n_nodes_probed, n_inner_nodes : int
        Inner nodes that probes were made for, and how many there are.
    checked : tuple of str
        What was compared on all of them, to the last bit.
    """

    n_rows: int
    n_probes: int
    n_nodes_probed: int
    n_inner_nodes: int
    checked: tuple = field(default=("prediction",))

    def __str__(self):
        what = " and ".join([", ".join(self.checked[:-1]), self.checked[-1]]).removeprefix(" and ")
        return (
            f"Equal {what} on {self.n_rows:,} rows and {self.n_probes:,} probes beside the "
            f"thresholds of {self.n_nodes_probed:,} of {self.n_inner_nodes:,} inner nodes."
        )


class Export:
    """A tree in another language, and the way to run it there.

    Attributes
    ----------
    model : Model
        What was exported.
    content : str or bytes
        The export itself.
    """

    def __init__(self, model, content):
        self.model = model
        self.content = content

    def __str__(self):
        return self.content if isinstance(self.content, str) else repr(self)

    def __repr__(self):
        return f"<{type(self).__name__} of {self.model.estimator._tree.node_count} nodes>"

    def save(self, path, force=False):
        """Write the export to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Where to.
        force : bool, default=False
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError
            If there is a file already, or no folder to put it in.
        OSError
            If writing fails.
        """
        write_whole(Path(path), self.content, force, option="The file")

    def verify(self, X, n_probed=1000, **how):
        """Run the export for real, and compare it with the tree to the last bit.

        Parameters
        ----------
        X : ndarray or frame of shape (n_samples, n_features)
            Rows to compare on. Rows on, just below and just above thresholds and with missing
            values are added.
        n_probed : int, default=1000
            For so many inner nodes at most, spread over the tree, four rows are added.
        **how
            What the export needs in order to run.

        Returns
        -------
        Verification
            What was compared.

        Raises
        ------
        VerificationError
            If there is a difference; it names the rows.
        ImportError, OSError
            If what runs the export is not there.
        """
        model = self.model
        rows = model.rows(X, unknown="missing")
        rows = np.asarray(rows.toarray() if issparse(rows) else rows, dtype=np.float64)
        probes, n_nodes = probe_rows(model, n_probed)
        rows = self._representable(np.concatenate([rows, probes]))
        got = self._run(rows, **how)
        differences = _differences(predicted(model, rows), got, rows)
        if differences:
            raise VerificationError(differences, len(rows))
        return Verification(
            n_rows=len(rows) - len(probes),
            n_probes=len(probes),
            n_nodes_probed=n_nodes,
            n_inner_nodes=int(np.count_nonzero(model.estimator._tree.children_left != -1)),
            checked=tuple(dict.fromkeys(name.split()[0] for name in got)),
        )

    def _representable(self, rows):
        """Return rows that can be handed to the export as they are."""
        return rows

    def _run(self, rows):
        """Return what the export says: name to array, names as in `predicted`."""
        raise NotImplementedError


def predicted(model, rows):
    """Return what a tree says of checked rows: ``leaf``, ``prediction`` and ``probability``.

    Of several outputs the last two are numbered, and class shares are there for classes alone.
    """
    estimator = model.estimator
    found = {"leaf": estimator.apply(rows, check_input=False)}
    predictions = estimator.predict(rows, check_input=False)
    shares = estimator.predict_proba(rows, check_input=False) if model.is_classifier else None
    if model.n_outputs == 1:
        predictions, shares = predictions[:, None], [shares]
    for output, mark in enumerate(model.output_marks()):
        found[f"prediction{mark}"] = predictions[:, output]
        if model.is_classifier:
            found[f"probability{mark}"] = shares[output]
    return found


def _differences(expected, got, rows):
    differences = []
    for name, values in got.items():
        wanted = expected[name]
        values = np.asarray(values)
        if values.shape != wanted.shape:
            raise VerificationError(
                [
                    {
                        "row": 0,
                        "what": f"shape of {name}",
                        "expected": wanted.shape,
                        "got": values.shape,
                        "values": [],
                    }
                ],
                len(rows),
            )
        differs = values != wanted
        differs = differs.reshape(len(rows), -1).any(axis=1)
        for row in np.flatnonzero(differs).tolist():
            differences.append(
                {
                    "row": row,
                    "what": name,
                    "expected": wanted[row].tolist(),
                    "got": values[row].tolist(),
                    "values": rows[row].tolist(),
                }
            )
    return differences


class Leaves:
    """What every node of a tree predicts where it is a leaf, for exports that list leaves.

    Parameters
    ----------
    model : Model
        Whose leaves.
    """

    def __init__(self, model):
        check_known_arrays(model.estimator._tree)
        self.model = model
        self.tree = model.estimator._tree
        self.nodes = np.flatnonzero(self.tree.children_left == -1)

    @cached_property
    def shares(self):
        """Class shares of every output: list of ndarray of shape (n_leaves, n_classes)."""
        return [self.tree.leaf_values(k)[self.nodes] for k in range(self.model.n_outputs)]

    def predictions(self, output):
        """Return class numbers, or the predicted numbers, of shape (n_leaves,)."""
        if self.model.is_classifier:
            return self.shares[output].argmax(axis=1)
        return self.tree.value[self.nodes, output]

    def labels(self, output):
        """Return predicted labels or numbers as a list of Python values."""
        predictions = self.predictions(output)
        if self.model.is_classifier:
            predictions = self.model.classes[output][predictions]
        return predictions.tolist()


def check_known_arrays(tree):
    """Refuse a tree with parts that exports do not read, rather than leave them out."""
    for name, part in tree.__getstate__().items():
        if name not in _KNOWN_ARRAYS and part is not None and np.size(part):
            raise ValueError(f"Exports cannot express the tree's {name!r}.")
