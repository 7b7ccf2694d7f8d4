"""Draw the pictures of the documentation: ``python docs/make_pictures.py [FOLDER]``.

Same data, same bytes: SVG without a date, text as text, and a fixed salt for the identifiers.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.calibration import CalibrationDisplay

from treelearn import DecisionTreeClassifier, information_report
from treelearn import information as info

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402, the backend comes first

FOLDER = Path(__file__).parent / "pictures"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "treelearn",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.figsize": (6.4, 3.6),
    "figure.constrained_layout.use": True,
}


def draw_impurities(axes):
    """Impurities of two classes, each divided by its largest value."""
    p = np.linspace(0, 1, 201)
    both = np.stack([p, 1 - p], axis=1)
    curves = {
        "Kearns-Mansour (renyi, order 1/2)": info.r_norm_entropy(both, 0.5),
        "Shannon (entropy)": info.entropy(both, base=2),
        "Gini (tsallis, order 2)": info.gini_impurity(both),
        "error rate (misclassification)": info.misclassification(both),
    }
    for name, values in curves.items():
        axes.plot(p, values / values.max(), label=name)
    axes.set(xlabel="share of one of two classes", ylabel="impurity, of its largest value")
    axes.legend(loc="lower center", fontsize=9)


def draw_orders(axes):
    """Renyi entropy of three distributions by order."""
    orders = np.concatenate([[0], np.geomspace(0.02, 50, 200)])
    distributions = {
        "8 outcomes, equal": np.full(8, 1 / 8),
        "one of 1/2, seven of 1/14": np.array([0.5] + [0.5 / 7] * 7),
        "one of 0.9, seven of 0.1 / 7": np.array([0.9] + [0.1 / 7] * 7),
    }
    for name, p in distributions.items():
        bits = [float(info.renyi_entropy(p, order, base=2)) for order in orders]
        axes.plot(orders, bits, label=name)
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xticks([0, 0.1, 0.5, 1, 2, 10, 50], ["0", "0.1", "0.5", "1", "2", "10", "50"])
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.annotate("Shannon", (1, 0.05), rotation=90, ha="right", va="bottom", color="grey")
    axes.set(xlabel="order", ylabel="Renyi entropy in bits", ylim=(0, 3.2))
    axes.legend(fontsize=9)


def draw_cross_entropy(axes):
    """Cross-entropy of a fixed truth as a constant and a divergence."""
    share = np.linspace(0.02, 0.98, 193)
    q = np.stack([share, 1 - share], axis=1)
    p = np.broadcast_to([0.7, 0.3], q.shape)
    entropy = float(info.entropy([0.7, 0.3], base=2))
    cross = info.cross_entropy(p, q, base=2)
    axes.fill_between(share, 0, entropy, alpha=0.25, label="entropy of the truth: constant")
    axes.fill_between(share, entropy, cross, alpha=0.35, label="divergence: what a model can win")
    axes.plot(share, cross, color="black", label="cross-entropy (log-loss)")
    axes.set(xlabel="what the model says of a class with share 0.7", ylabel="bits", ylim=(0, 4))
    axes.legend(loc="upper center", fontsize=9)


def draw_tree_size(axes):
    """Bits per label by the size of the tree, three ways."""
    X, X_test, y, y_test = synthetic_samples()
    sizes = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
    reports = []
    for size in sizes:
        tree = DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=size).fit(X, y)
        reports.append(information_report(tree, X, y, X_test=X_test, y_test=y_test))
    curves = {
        "labels and tree, coded (code_total)": "code_total",
        "labels held out (held_out_bits)": "held_out_bits",
        "left in the training labels (bits_after)": "bits_after",
    }
    for label, name in curves.items():
        axes.plot(sizes, [report[name] for report in reports], marker=".", label=label)
    axes.axhline(true_bits(), color="grey", linewidth=0.8, linestyle="--")
    axes.annotate("what nobody can know", (256, true_bits()), ha="right", va="bottom", color="grey")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="leaves (4 are true)", ylabel="bits per label", ylim=(0, 4.5))
    axes.legend(fontsize=9)


SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7], [0.4, 0.3, 0.3]])


def synthetic_samples():
    """Return training and test samples of three classes in four true leaves."""
    rng = np.random.default_rng(0)
    X = rng.random((5000, 6))
    true_leaf = 2 * (X[:, 0] > 0.5) + (X[:, 1] > 0.5)
    y = (rng.random(5000)[:, None] > SHARES[true_leaf].cumsum(axis=1)).sum(axis=1)
    return X[:1000], X[1000:], y[:1000], y[1000:]


def true_bits():
    """Return the conditional entropy of the synthetic labels."""
    return float(info.entropy(SHARES, base=2).mean())


def draw_calibration(axes):
    """Confidence against accuracy: the more leaves, the surer and the more often wrong."""
    X, X_test, y, y_test = synthetic_samples()
    for n_leaves in (4, 32, 256):
        tree = DecisionTreeClassifier(criterion="entropy", max_leaf_nodes=n_leaves).fit(X, y)
        confidence, is_right = info.top_label_outcomes(y_test, tree.predict_proba(X_test))
        error = info.expected_calibration_error(confidence, is_right, binning="distinct_values")
        name = f"{n_leaves} leaves: error {100 * float(error):.1f} %"
        CalibrationDisplay.from_predictions(is_right, confidence, n_bins=10, ax=axes, name=name)
    axes.set(xlabel="confidence in the likeliest class", ylabel="share that is right")
    axes.legend(fontsize=9)


PICTURES = {
    "impurities": draw_impurities,
    "orders": draw_orders,
    "cross_entropy": draw_cross_entropy,
    "tree_size": draw_tree_size,
    "calibration": draw_calibration,
}


def main(folder=FOLDER):
    """Draw all pictures into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        with plt.rc_context(STYLE):
            figure, axes = plt.subplots()
            draw(axes)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main(*sys.argv[1:])
