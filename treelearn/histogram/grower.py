"""Growth level by level: an array program over a module of kernels.

The nodes of a level are dicts of arrays, one element or row a node:

``id``
    Number of the node, by levels.
``start``, ``n_samples``
    Where its samples stand among all, and how many they are.
``weight``, ``stats``
    Weight and statistics vector, in whole units.
``seed``, ``lower``, ``upper``
    Seed of what is drawn; bounds of its value under monotonic constraints.
``impurity``, ``is_pure``, ``value``
    What the kernel `finish` makes of its samples.

A level is four steps: `fill` sums the histograms of its nodes, `scan` finds their splits,
`partition` divides their samples, `finish` describes the children. Between `fill` and `scan` stands
the only sum over samples, which is where growth is shared out among machines. No step depends on
another node of the level, and all sums are whole numbers: the tree is that of the other engines,
bit for bit.
"""

import heapq

import numpy as np

from ._formulas import child_seeds, thresholds

__all__ = ["grow_by_levels"]

_LEAF = -1
_UNDEFINED = -2

HISTOGRAM_BYTES = 2**28
"""Histograms that are held at a time; those of a level that fits serve its children as well."""

# A gain this far from zero, as a share of the node term, is rounding (_node.pyx).
_ROUNDING = 1e-13


def grow_by_levels(table, bins, kernels, total=lambda histograms: histograms):
    """Grow a tree.

    Parameters
    ----------
    table : Table
        The binned samples, in the library of the kernels.
    bins : Bins
        The bins.
    kernels : module
        ``numpy_kernels`` or ``cuda_kernels``: ``fill``, ``scan``, ``partition``, ``finish``.
    total : callable, default=identity
        Applied to every histogram between `fill` and `scan`: the sum over machines.

    Returns
    -------
    dict of ndarray
        The arrays of ``Tree``, as ``Grower.grow`` returns them.
    """
    growth = _Growth(table, bins, kernels, total)
    level = growth.root()
    while len(level["id"]):
        level = growth.grow_level(level)
    return growth.tree_arrays()


class _Growth:
    """A tree on its way: the levels that are done, and the samples in their order."""

    def __init__(self, table, bins, kernels, total):
        self.table = table
        self.facts = table.facts
        self.bins = bins
        self.kernels = kernels
        self.total = total
        self.samples = table.xp.arange(table.n_samples, dtype=np.int32)
        self.n_nodes = 1
        self.depth = 0
        self.levels = []  # per level: the nodes with the number of their left child
        self.splits = []  # per level: the splits of the nodes that have one
        self.kept = None  # histograms of the level before, row by row
        self.max_depth = self.facts["max_depth"]
        if self.facts["max_leaf_nodes"]:
            # So deep a leaf can be where every split gains one.
            self.max_depth = min(self.max_depth, self.facts["max_leaf_nodes"] - 1)

    def root(self):
        """Return the first level: the root, unless it stays a leaf."""
        start, n_samples = np.zeros(1, np.int64), np.array([self.table.n_samples])
        # The sums over one code of one feature, or more, are those of the node.
        histogram = self.total(self.kernels.fill(self.table, self.samples, start, n_samples))
        sums = _on_host(histogram[0, 0].sum(axis=0))
        nodes = {
            "id": np.zeros(1, np.int64),
            "start": start,
            "n_samples": sums[:1],
            "weight": sums[self.table.weight_channel][None],
            "stats": sums[None, self.table.first_stat :],
            "seed": np.array([self.facts["seed"]], dtype=np.uint64),
            "lower": np.full(1, -np.inf),
            "upper": np.full(1, np.inf),
        }
        self._finish(nodes)
        return self._open_level(nodes)

    def _finish(self, nodes):
        """Add what nodes store."""
        nodes["impurity"], nodes["is_pure"], nodes["value"] = self.kernels.finish(
            self.table,
            self.samples,
            *(nodes[name] for name in ("start", "n_samples", "stats", "weight")),
        )

    def _open_level(self, nodes):
        """Write nodes down, and return those that may be split."""
        facts = self.facts
        n_samples = nodes["n_samples"]
        is_terminal = (
            (n_samples < facts["min_samples_split"])
            | (n_samples < 2 * facts["min_samples_leaf"])
            | (nodes["weight"] < 2 * facts["min_weight_leaf"])
            | (nodes["is_pure"] != 0)
        )
        if self.depth >= self.max_depth:
            is_terminal[:] = True
        nodes["left"] = np.full(len(n_samples), _LEAF, dtype=np.int64)
        self.levels.append(nodes)
        # Places within the level: a split is written back by them.
        return {name: array[~is_terminal] for name, array in nodes.items()} | {
            "place": np.flatnonzero(~is_terminal)
        }

    def grow_level(self, level):
        """Split the nodes of a level; return those of the next that may be split."""
        splits = self._find_splits(level)
        found = np.flatnonzero(splits["feature"] >= 0)
        parents = {name: array[found] for name, array in level.items()}
        splits = {name: array[found] for name, array in splits.items()}
        divided = self.samples
        self.samples = self.kernels.partition(
            self.table, divided, parents["start"], parents["n_samples"], splits
        )
        children = self._children(parents, splits)
        gain = self._gains(parents, children)
        # A split that gains too little is none: its samples may lie in any order.
        keeps = gain >= self.facts["min_decrease"]
        children = {name: array[np.repeat(keeps, 2)] for name, array in children.items()}
        n_kept = int(np.count_nonzero(keeps))
        children["id"] = self.n_nodes + np.arange(2 * n_kept)
        self.levels[-1]["left"][parents["place"][keeps]] = children["id"][::2]
        self.splits.append(
            {name: splits[name][keeps] for name in ("feature", "bin", "next_bin")}
            | {"missing_goes_left": splits["missing_goes_left"][keeps], "gain": gain[keeps]}
        )
        if self.kept is not None:
            self.kept = self._rows(self.kept, found[keeps])
        self.n_nodes += 2 * n_kept
        self.depth += 1
        return self._open_level(children)

    def _find_splits(self, level):
        """Return the best split of every node of a level."""
        n_nodes = len(level["id"])
        shape = (self.table.n_features, self.table.n_codes, self.table.n_channels)
        n_at_a_time = max(1, HISTOGRAM_BYTES // (8 * int(np.prod(shape))))
        if n_nodes <= n_at_a_time:
            histograms = self._level_histograms(level)
            self.kept = histograms
            return self.kernels.scan(self.table, histograms, level)
        self.kept = None
        parts = []
        for first in range(0, n_nodes, n_at_a_time):
            part = {name: a[first : first + n_at_a_time] for name, a in level.items()}
            parts.append(self.kernels.scan(self.table, self._fill(part), part))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _fill(self, nodes):
        """Return the histograms of nodes, from their samples."""
        return self.total(
            self.kernels.fill(self.table, self.samples, nodes["start"], nodes["n_samples"])
        )

    def _level_histograms(self, level):
        """Return the histograms of a level, those of larger children without their samples."""
        if self.kept is None or self.depth == 0:
            return self._fill(level)
        # Children stand in pairs; pair p are the children of the p-th kept histogram.
        children = self.levels[-1]
        pairs, side = level["place"] // 2, level["place"] % 2
        sizes = children["n_samples"].reshape(-1, 2)
        is_small = (sizes[pairs, 0] <= sizes[pairs, 1]) == (side == 0)
        needed = np.unique(pairs)
        small = 2 * needed + (sizes[needed, 0] > sizes[needed, 1])
        filled = self._fill({name: children[name][small] for name in ("start", "n_samples")})
        row = np.searchsorted(needed, pairs)
        both = self.table.xp.concat([filled, self._rows(self.kept, needed) - filled])
        return self._rows(both, np.where(is_small, row, len(needed) + row))

    def _rows(self, array, places):
        """Return rows of an array of the table's library, by a NumPy array of their places."""
        return array[self.table.xp.asarray(places)]

    def _children(self, parents, splits):
        """Return the children of split nodes, left and right by turns."""
        left = {name: splits[name] for name in ("n_samples", "weight", "stats")}
        right = {name: parents[name] - left[name] for name in left}
        left["start"] = parents["start"]
        right["start"] = parents["start"] + left["n_samples"]
        left["seed"], right["seed"] = child_seeds(parents["seed"])
        for side in (left, right):
            side["lower"], side["upper"] = parents["lower"].copy(), parents["upper"].copy()
        children = {
            name: np.stack([left[name], right[name]], axis=1).reshape(-1, *np.shape(left[name])[1:])
            for name in left
        }
        self._finish(children)
        if self.facts["monotonic"] is not None:
            self._set_bounds(children, splits["feature"])
        return children

    def _set_bounds(self, children, feature):
        """Bound the values of children by the middle of the two, as scikit-learn does."""
        direction = np.asarray(self.facts["monotonic"])[feature]
        value = children["value"][:, 0]
        middle = (value[::2] + value[1::2]) / 2.0
        lower, upper = children["lower"], children["upper"]
        upper[::2] = np.where(direction > 0, middle, upper[::2])
        lower[1::2] = np.where(direction > 0, middle, lower[1::2])
        lower[::2] = np.where(direction < 0, middle, lower[::2])
        upper[1::2] = np.where(direction < 0, middle, upper[1::2])

    def _gains(self, parents, children):
        """Return what splits gain, in weight times impurity."""
        unit = self.facts["weight_unit"]
        term = parents["weight"] * parents["impurity"]
        left, right = ((children["weight"] * children["impurity"])[side::2] for side in (0, 1))
        gain = (term - left - right) * unit
        gain[np.abs(gain) < _ROUNDING * np.abs(term) * unit] = 0.0
        return gain

    def tree_arrays(self):
        """Return the arrays of the tree, its nodes in pre-order."""
        facts = self.facts
        nodes = {
            name: np.concatenate([level[name] for level in self.levels]) for name in self.levels[0]
        }
        splits = {
            name: np.concatenate([split[name] for split in self.splits])
            for name in (self.splits[0] if self.splits else ())
        }
        left = nodes["left"]
        inner = np.flatnonzero(left != _LEAF)
        if facts["max_leaf_nodes"] and len(inner):
            stays = _best_first(left, inner, splits["gain"], facts["max_leaf_nodes"])
            splits = {name: array[stays[inner]] for name, array in splits.items()}
            left[~stays] = _LEAF
            inner = np.flatnonzero(stays)
        number = _pre_order(left, [len(level["id"]) for level in self.levels])
        kept = np.flatnonzero(number >= 0)
        order = kept[np.argsort(number[kept])]
        n_nodes = len(order)
        is_inner = left[order] != _LEAF
        new_inner = number[inner]

        unit = facts["weight_unit"] * facts["weight_scale"]
        arrays = {
            "children_left": np.full(n_nodes, _LEAF, dtype=np.int32),
            "children_right": np.full(n_nodes, _LEAF, dtype=np.int32),
            "feature": np.full(n_nodes, _UNDEFINED, dtype=np.int32),
            "threshold": np.full(n_nodes, float(_UNDEFINED)),
            "missing_go_to_left": np.zeros(n_nodes, dtype=np.uint8),
            "needs_float64": np.zeros(n_nodes, dtype=np.uint8),
            "impurity": nodes["impurity"][order] * facts["scale"],
            "n_node_samples": nodes["n_samples"][order],
            "weighted_n_node_samples": nodes["weight"][order] * unit,
            "value": self._values(nodes, order),
        }
        if len(inner):
            arrays["children_left"][new_inner] = number[left[inner]]
            arrays["children_right"][new_inner] = number[left[inner] + 1]
            arrays["feature"][new_inner] = splits["feature"]
            arrays["missing_go_to_left"][new_inner] = splits["missing_goes_left"]
            first = self.bins.bin_starts[splits["feature"]]
            low = self.bins.highest[first + splits["bin"]]
            has_next = splits["next_bin"] >= 0
            high = self.bins.lowest[first + np.maximum(splits["next_bin"], 0)]
            threshold, needs_double = thresholds(low, np.where(has_next, high, np.inf))
            arrays["threshold"][new_inner] = threshold
            arrays["needs_float64"][new_inner] = needs_double
        arrays.update(self._leaf_classes(nodes["stats"][order], is_inner, unit))
        return arrays

    def _values(self, nodes, order):
        """Return the values that the tree stores, within their bounds."""
        value = nodes["value"][order]
        if self.facts["is_classification"] and self.facts["monotonic"] is None:
            return value[:, :0]
        return np.minimum(
            np.maximum(value, nodes["lower"][order, None]), nodes["upper"][order, None]
        )

    def _leaf_classes(self, stats, is_inner, unit):
        """Return the classes of the leaves and their weights."""
        if not self.facts["is_classification"]:
            stats = stats[:, :0]
        present = (stats > 0) & ~is_inner[:, None]
        node, classes = np.nonzero(present)
        counts = np.bincount(node, minlength=len(stats))
        return {
            "class_starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            "classes": classes.astype(np.int32),
            "class_weights": stats[node, classes] * unit,
        }


def _on_host(array):
    """Return an array of any library as a NumPy array."""
    return array.get() if hasattr(array, "get") else array


def _pre_order(left, level_sizes):
    """Return the pre-order number of every node, -1 for those that do not hang on the root.

    Parameters
    ----------
    left : ndarray of shape (n_nodes,)
        Left child of nodes numbered by levels, -1 for a leaf; the right one follows it.
    level_sizes : list of int
        Nodes of every level.
    """
    size = np.ones(len(left), dtype=np.int64)
    number = np.full(len(left), -1, dtype=np.int64)
    number[0] = 0
    starts = np.concatenate([[0], np.cumsum(level_sizes)])
    levels = [np.arange(a, b) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    levels = [level[left[level] != _LEAF] for level in levels]
    for level in reversed(levels):
        size[level] += size[left[level]] + size[left[level] + 1]
    for level in levels:
        level = level[number[level] >= 0]
        number[left[level]] = number[level] + 1
        number[left[level] + 1] = number[level] + 1 + size[left[level]]
    return number


def _best_first(left, inner, gain, max_leaf_nodes):
    """Return which nodes are split when the largest gain goes first, a bool array.

    What a node gains does not depend on when it is split, so that best-first growth is a choice
    among the splits of the whole tree. Of equal gains the node that was made first goes first.
    """
    gain_of = dict(zip(inner.tolist(), gain.tolist(), strict=True))
    stays = np.zeros(len(left), dtype=bool)
    n_made = 1
    heap = [(-gain_of[0], 0, 0)] if 0 in gain_of else []
    for _ in range(max_leaf_nodes - 1):
        if not heap:
            break
        _, _, node = heapq.heappop(heap)
        stays[node] = True
        for child in (int(left[node]), int(left[node]) + 1):
            if child in gain_of:
                heapq.heappush(heap, (-gain_of[child], n_made, child))
            n_made += 1
    return stays
