"""How long scikit-learn's grid search takes with our trees, with and without sharing of work.

The grid searches criterion, order, depth and leaf size: 12 candidates on 5 folds, so that each
fold's rows are fitted 12 times. ``python -m benchmarks.grid_search --help`` shows the options;
benchmarks/README.md says how to read the output.
"""

import sys
from contextlib import contextmanager, nullcontext
from functools import partial

import numpy as np

from benchmarks import command, peers, timing, workloads

MAX_DEPTH, N_FOLDS = 6, 5
GRID = [
    {"criterion": ["gini", "entropy"], "max_depth": [4, MAX_DEPTH], "min_samples_leaf": [1, 20]},
    {"criterion": ["renyi"], "order": [0.5, 2.0], "max_depth": [4, MAX_DEPTH]},
]
# scikit-learn knows no order: as many candidates, of its own two criteria.
REFERENCE_GRID = {
    "criterion": ["gini", "entropy"],
    "max_depth": [4, MAX_DEPTH],
    "min_samples_leaf": [1, 10, 20],
}
QUICK_ROWS = 20_000
SPEED_UP = 2.0  # asked of sharing
LINE = "{:<28} {:>9} {:>7} {:>9} {:>7} {:>13} {:>7} {:>6}"
HEADER = LINE.format("search", "rows", "fits", "time", "ratio", "quartiles", "cpu", "rounds")


def parse_arguments(arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    parser = command.parser("grid_search", "Time a grid search over our trees.")
    add = parser.add_argument
    add("--threads", type=int, default=1, metavar="N", help="of every fit")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add("--reference", action="store_true", help="also scikit-learn's trees, minutes a round")
    add("--check", action="store_true", help="exit with status 1 where less is gained than asked")
    options = command.parse(parser, arguments)
    if options.quick and options.rows is None:
        options.rows = QUICK_ROWS
    return options


@contextmanager
def with_sharing():
    """Start with nothing that another search has left behind."""
    import treelearn

    treelearn.clear_training_cache()
    yield


@contextmanager
def without_sharing():
    """Keep no sorted data while in this context."""
    import treelearn

    size = treelearn.training_cache_info()["max_bytes"]
    treelearn.set_training_cache_size(0)
    try:
        yield
    finally:
        treelearn.set_training_cache_size(size)


def search(estimator, grid, workload, switch):
    """Return a finished search, refitted on everything; this call is what is timed."""
    from sklearn.model_selection import GridSearchCV

    with switch():
        return GridSearchCV(estimator, grid, cv=N_FOLDS).fit(workload.X, workload.y)


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    from sklearn.model_selection import ParameterGrid

    options = parse_arguments(arguments)
    _, heading = command.begin("grid_search", ["treelearn", peers.REFERENCE])
    import sklearn.tree

    import treelearn

    workload = workloads.load_synthetic("100k_2_classes", options.seed, options.dtype, options.rows)
    ours = treelearn.DecisionTreeClassifier(n_jobs=options.threads, random_state=options.seed)
    calls = {"treelearn": partial(search, ours, GRID, workload, with_sharing)}
    calls["treelearn, nothing shared"] = partial(search, ours, GRID, workload, without_sharing)
    if options.reference:
        theirs = sklearn.tree.DecisionTreeClassifier(random_state=options.seed)
        calls[peers.REFERENCE] = partial(search, theirs, REFERENCE_GRID, workload, nullcontext)
    for call in calls.values():
        small = workloads.load_synthetic("100k_2_classes", options.seed, options.dtype, 500)
        search(*call.args[:2], small, call.args[3])
    wall, cpu, found = timing.interleave(calls, options.budget * len(calls), options.rounds, 1)
    rows = []
    print(HEADER)
    for name in calls:
        row = {
            "search": name,
            "n_samples": len(workload.X),
            "n_fits": N_FOLDS * len(ParameterGrid(GRID)) + 1,
            "threads": options.threads,
            "wall": float(np.median(wall[name])),
            **timing.compare(wall[name], wall["treelearn"]),
            "cpu_ratio": timing.compare(cpu[name], cpu["treelearn"])["ratio"],
            "n_rounds": len(wall[name]),
        }
        rows.append(row)
        print(
            LINE.format(
                name,
                row["n_samples"],
                row["n_fits"],
                timing.format_seconds(row["wall"]),
                f"{row['ratio']:.2f}",
                f"{row['lower']:.2f}-{row['upper']:.2f}",
                f"{row['cpu_ratio']:.2f}",
                row["n_rounds"],
            )
        )
    command.end(options, heading, rows)
    ratio = rows[1]["cpu_ratio"]
    scores = [one.cv_results_["mean_test_score"] for one in list(found.values())[:2]]
    is_equal = np.array_equal(*scores)
    print(f"sharing: {ratio:.2f} times faster, asked {SPEED_UP:g}; the same scores: {is_equal}")
    return int(options.check and not (is_equal and ratio >= SPEED_UP))


if __name__ == "__main__":
    sys.exit(main())
