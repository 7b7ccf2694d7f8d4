"""A tree from left to right: one row a leaf, so that long names have room."""

import textwrap

from sklearn.utils.validation import check_is_fitted

from ._style import add_legend, axes, colour, shorten

__all__ = ["TreeDisplay", "plot_tree"]

_INCHES_A_ROW = 0.27
_INCHES_A_LEVEL = 1.85
_CHARACTERS_A_LINE = 24
_MOST_ROWS = 400
_MOST_CLASSES_IN_LEGEND = 12


class TreeDisplay:
    """A drawn tree.

    Make one with `from_estimator` or `plot_tree`.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        The tree.
    feature_names : list of str
        Names of the features.
    class_names : list of str or None
        Names of the classes; None in regression.
    max_depth : int
        Deepest level that is drawn; what lies below is a node that says how much that is.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Axes with the tree.
    figure_ : matplotlib.figure.Figure
        Figure of the axes.
    texts_ : dict of matplotlib.text.Text
        The text of every drawn node, by its number.
    """

    def __init__(self, tree, feature_names, class_names, max_depth):
        self.tree = tree
        self.feature_names = feature_names
        self.class_names = class_names
        self.max_depth = max_depth

    @classmethod
    def from_estimator(
        cls, estimator, *, max_depth=5, feature_names=None, class_names=None, ax=None
    ):
        """Draw the tree of a fitted estimator.

        Parameters
        ----------
        estimator : DecisionTreeClassifier or DecisionTreeRegressor
            Fitted, with one output; scikit-learn's will do.
        max_depth : int, default=5
            Deepest level to draw.
        feature_names : list of str, default=None
            Names of the features; by default those of the training frame, else x0, x1, ...
        class_names : list of str, default=None
            Names of the classes; by default the labels.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; by default those of a new figure that is large enough.

        Returns
        -------
        TreeDisplay
            With the axes it was drawn on.

        Raises
        ------
        ValueError
            If names do not fit the tree, or there are too many leaves to read.
        """
        check_is_fitted(estimator)
        tree = estimator.tree_
        if tree.n_outputs != 1:
            raise ValueError("Only trees with one output can be drawn.")
        if max_depth < 0:
            raise ValueError(f"max_depth == {max_depth}, must be >= 0.")
        n_features = tree.n_features
        if feature_names is None:
            feature_names = getattr(
                estimator, "feature_names_in_", [f"x{j}" for j in range(n_features)]
            )
        if len(feature_names) != n_features:
            raise ValueError(
                f"There are {len(feature_names)} feature names for {n_features} features."
            )
        if hasattr(estimator, "classes_"):
            class_names = estimator.classes_ if class_names is None else class_names
            if len(class_names) != len(estimator.classes_):
                raise ValueError(
                    f"There are {len(class_names)} class names for "
                    f"{len(estimator.classes_)} classes."
                )
            class_names = [str(name) for name in class_names]
        return cls(tree, [str(name) for name in feature_names], class_names, max_depth).plot(ax)

    def plot(self, ax=None):
        """Draw the tree.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; by default those of a new figure that is large enough.

        Returns
        -------
        TreeDisplay
            Itself.
        """
        rows, depths, hidden = self._layout()
        n_rows = int(max(rows.values())) + 1
        n_levels = max(depths.values()) + 1
        if n_rows > _MOST_ROWS:
            raise ValueError(
                f"{n_rows} leaves cannot be read in a picture; draw fewer with max_depth."
            )
        size = (n_levels * _INCHES_A_LEVEL + 0.4, max(1.2, n_rows * _INCHES_A_ROW + 0.7))
        is_own = ax is None
        ax = axes(ax, size)
        height = size[1] if is_own else ax.get_window_extent().height / ax.figure.dpi
        font_size = min(8.0, max(3.0, 72 * height / (n_rows + 1) * 0.42))
        self.texts_ = {}
        for node, row in rows.items():
            self._draw_node(ax, node, depths[node], row, node in hidden, font_size)
            if node not in hidden and self.tree.children_left[node] != -1:
                children = self.tree.children_left[node], self.tree.children_right[node]
                for child, answer in zip(children, ("yes", "no"), strict=True):
                    self._draw_edge(ax, depths[node], row, rows[child], answer, font_size)
        ax.set_xlim(-0.05, n_levels)
        ax.set_ylim(n_rows - 0.3, -0.8)
        ax.set_axis_off()
        self._draw_legend(ax, font_size)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _layout(self):
        """Return row and depth of every drawn node, and the nodes that hide what lies below."""
        left, right = self.tree.children_left, self.tree.children_right
        rows, depths, hidden = {}, {0: 0}, set()
        order, waiting = [], [0]
        while waiting:
            node = waiting.pop()
            order.append(node)
            if left[node] == -1:
                continue
            if depths[node] == self.max_depth:
                hidden.add(node)
                continue
            for child in (right[node], left[node]):
                depths[child] = depths[node] + 1
                waiting.append(child)
        n_rows = 0
        for node in order:  # in pre-order: ends from top to bottom
            if left[node] == -1 or node in hidden:
                rows[node] = float(n_rows)
                n_rows += 1
        for node in reversed(order):
            if node not in rows:
                rows[node] = (rows[left[node]] + rows[right[node]]) / 2
        return rows, depths, hidden

    def _draw_node(self, ax, node, depth, row, is_hidden, font_size):
        is_leaf = self.tree.children_left[node] == -1
        box = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "#999999"}
        box["linewidth"] = 0.7
        if is_leaf or is_hidden:
            text = self._prediction(node)
            if is_hidden:
                n_below = self._n_leaves_below(node)
                text = f"\N{HORIZONTAL ELLIPSIS} {n_below:,} leaves, {text}"
                box["linestyle"] = ":"
            if self.class_names is not None:
                box["edgecolor"] = colour(int(self.tree.value[node, 0].argmax()))
                box["linewidth"] = 1.4
        else:
            text = self._question(node)
        self.texts_[node] = ax.text(
            *(depth, row, text),
            fontsize=font_size,
            va="center",
            ha="left",
            bbox=box,
            parse_math=False,
            zorder=3,
        )

    def _question(self, node):
        name = self.feature_names[self.tree.feature[node]]
        threshold = f"\N{LESS-THAN OR EQUAL TO} {self.tree.threshold[node]:.6g}"
        if len(name) + len(threshold) < _CHARACTERS_A_LINE:
            return f"{name} {threshold}"
        lines = textwrap.wrap(name, _CHARACTERS_A_LINE) or [""]
        first = shorten(lines[0], _CHARACTERS_A_LINE)
        if len(lines) == 1:
            return f"{first}\n{threshold}"
        rest = _CHARACTERS_A_LINE - len(threshold) - 1
        return f"{first}\n{shorten(' '.join(lines[1:]), rest)} {threshold}"

    def _prediction(self, node):
        n = f"n = {self.tree.n_node_samples[node]:,}"
        values = self.tree.value[node, 0]
        if self.class_names is None:
            return f"{values[0]:.4g}, {n}"
        best = int(values.argmax())
        name = shorten(self.class_names[best], _CHARACTERS_A_LINE - 8)
        return f"{name} {100 * values[best]:.3g} %, {n}"

    def _n_leaves_below(self, node):
        n_leaves, waiting = 0, [node]
        while waiting:
            here = waiting.pop()
            if self.tree.children_left[here] == -1:
                n_leaves += 1
            else:
                waiting += [self.tree.children_left[here], self.tree.children_right[here]]
        return n_leaves

    def _draw_edge(self, ax, depth, row, row_of_child, answer, font_size):
        start, turn = depth + 0.06, depth + 0.9
        ax.plot(
            [start, start, turn, depth + 1],
            [row, row_of_child, row_of_child, row_of_child],
            color="#999999",
            linewidth=0.8,
            solid_joinstyle="round",
            zorder=1,
        )
        ax.text(
            *(depth + 0.97, row_of_child, answer),
            fontsize=0.85 * font_size,
            color="#666666",
            ha="right",
            va="center",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            zorder=2,
        )

    def _draw_legend(self, ax, font_size):
        if self.class_names is None or len(self.class_names) > _MOST_CLASSES_IN_LEGEND:
            return
        handles = [
            ax.plot([], [], color=colour(k), linewidth=2)[0] for k in range(len(self.class_names))
        ]
        labels = [shorten(name, _CHARACTERS_A_LINE) for name in self.class_names]
        add_legend(ax, handles, labels, loc="upper left", fontsize=max(6.0, font_size))


def plot_tree(estimator, *, max_depth=5, feature_names=None, class_names=None, ax=None):
    """Draw the tree of a fitted estimator, from left to right.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted, with one output; scikit-learn's will do.
    max_depth : int, default=5
        Deepest level to draw.
    feature_names : list of str, default=None
        Names of the features; by default those of the training frame, else x0, x1, ...
    class_names : list of str, default=None
        Names of the classes; by default the labels.
    ax : matplotlib.axes.Axes, default=None
        Axes to draw on; by default those of a new figure that is large enough.

    Returns
    -------
    TreeDisplay
        With the axes it was drawn on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If names do not fit the tree, or there are too many leaves to read.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import DecisionTreeClassifier
    >>> from treelearn.plot import plot_tree
    >>> iris = load_iris()
    >>> tree = DecisionTreeClassifier(max_depth=2).fit(iris.data, iris.target)
    >>> import pytest; _ = pytest.importorskip("matplotlib").use("agg")
    >>> display = plot_tree(tree, feature_names=iris.feature_names)
    >>> display.texts_[0].get_text()
    'petal length (cm) ≤ 2.45'
    """
    return TreeDisplay.from_estimator(
        estimator,
        max_depth=max_depth,
        feature_names=feature_names,
        class_names=class_names,
        ax=ax,
    )
