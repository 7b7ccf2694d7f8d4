"""How many times faster than other histogram libraries one tree on bins is grown.

Also its peak memory, and the accuracy that binning costs on the real tables. ``python -m
benchmarks.histogram --help`` shows the options.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks import timing, workloads

MAX_BINS = 255
LARGEST_MEGABYTES = 100.0


class Treelearn:
    """The histogram mode of the product, and its exact trees where ``max_bins`` is None."""

    def __init__(self, max_bins=MAX_BINS):
        import treelearn

        self.version = treelearn.__version__
        self.max_bins = max_bins
        self.estimators = {
            "classification": treelearn.DecisionTreeClassifier,
            "regression": treelearn.DecisionTreeRegressor,
        }

    def make(self, task, limits, n_threads):
        """Return an estimator."""
        return self.estimators[task](max_bins=self.max_bins, n_jobs=n_threads, **limits)

    def fit(self, line, X, y, n_threads):
        """Return a fitted model; this call is what is timed."""
        return self.make(line.task, line.limits, n_threads).fit(X, y)

    def score(self, model, X, y):
        """Return the accuracy or R^2 on the training data."""
        return float(model.score(X, y))


class LightGbm:
    """One boosting round: one tree, one for each class where there are more than two."""

    def __init__(self):
        import lightgbm

        self.version = lightgbm.__version__
        self.library = lightgbm

    def fit(self, line, X, y, n_threads):
        """Return a fitted model; this call is what is timed."""
        depth = line.limits.get("max_depth")
        n_classes = int(y.max()) + 1 if line.task == "classification" else 1
        parameters = {
            "objective": {1: "regression", 2: "binary"}.get(n_classes, "multiclass"),
            "num_class": n_classes if n_classes > 2 else 1,
            "num_leaves": 2**depth if depth else 131_072,
            "max_depth": depth or -1,
            "min_data_in_leaf": line.limits.get("min_samples_leaf", 1),
            "min_sum_hessian_in_leaf": 0.0,
            "learning_rate": 1.0,
            "max_bin": MAX_BINS,
            "num_threads": n_threads,
            "verbose": -1,
        }
        return self.library.train(parameters, self.library.Dataset(X, y), num_boost_round=1)

    def score(self, model, X, y):
        """Return the accuracy or R^2 on the training data."""
        found = model.predict(X, num_threads=1)
        if model.params["objective"] == "regression":
            return float(1 - np.mean((found - y) ** 2) / np.var(y))
        codes = found.argmax(axis=1) if found.ndim == 2 else found > 0.5
        return float(np.mean(codes == y))


class OneDal:
    """A forest of one tree on all samples and features, by scikit-learn-intelex."""

    def __init__(self):
        import sklearnex.ensemble

        self.version = version("scikit-learn-intelex")
        self.estimators = {
            "classification": sklearnex.ensemble.RandomForestClassifier,
            "regression": sklearnex.ensemble.RandomForestRegressor,
        }

    def fit(self, line, X, y, n_threads):
        """Return a fitted model; this call is what is timed."""
        make = self.estimators[line.task]
        forest = make(
            n_estimators=1, bootstrap=False, max_features=None, n_jobs=n_threads, **line.limits
        )
        return forest.fit(X, y)

    score = Treelearn.score


# The high-water mark of a new process; that of getrusage begins with its parent's.
MEMORY_PROGRAM = """
import sys
import numpy as np
import treelearn

def peak():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))

X, y = np.load(sys.argv[1]), np.load(sys.argv[2])
limits = {} if sys.argv[3] == "0" else {"max_depth": int(sys.argv[3])}
tree = treelearn.DecisionTreeClassifier(max_bins=255, **limits)
tree.fit(X[:1000], y[:1000])
before = peak()
tree.fit(X, y)
print(peak() - before)
"""

PEERS = {"lightgbm": LightGbm, "onedal": OneDal}


@dataclass(frozen=True)
class Line:
    """One comparison: what is grown, and how many times faster than a peer it must be."""

    name: str
    task: str
    n_samples: int
    floors: dict  # peer: (at one thread, at two)
    n_classes: int = 2
    limits: dict = field(default_factory=dict)

    def load(self, seed):
        """Make the data."""
        if self.task == "regression":
            made = workloads.regression(seed, np.float32, n_samples=self.n_samples)
        else:
            made = workloads.classification(
                self.n_classes, seed, np.float32, n_samples=self.n_samples
            )
        return made["X"], made["y"]


LINES = {
    line.name: line
    for line in (
        Line(
            "100k_depth_8",
            "classification",
            100_000,
            {"lightgbm": (8, 8)},
            limits={"max_depth": 8},
        ),
        Line(
            "1m_depth_8",
            "classification",
            1_000_000,
            {"lightgbm": (6, 6)},
            limits={"max_depth": 8},
        ),
        Line(
            "100k_10_classes_depth_8",
            "classification",
            100_000,
            {"lightgbm": (4, 4)},
            n_classes=10,
            limits={"max_depth": 8},
        ),
        Line(
            "200k_regression",
            "regression",
            200_000,
            {"lightgbm": (4, 4)},
            limits={"min_samples_leaf": 5},
        ),
        Line("1m_purity", "classification", 1_000_000, {"onedal": (9, 12)}),
        Line("1m_purity_lightgbm", "classification", 1_000_000, {"lightgbm": (40, 40)}),
    )
}
QUICK = ["100k_depth_8", "100k_10_classes_depth_8", "200k_regression"]
TEXT = "{:<24} {:>7} {:<9} {:>9} {:>9} {:>7} {:>13} {:>7} {:>6} {:>6}  {}"


def parse_arguments(arguments=None):
    """Return the options of a run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.histogram",
        description="Time one tree on bins against other libraries, interleaved in one process.",
    )
    add = parser.add_argument
    add("--lines", nargs="+", choices=LINES, metavar="NAME", help=" ".join(LINES))
    add("--quick", action="store_true", help=" ".join(QUICK))
    add("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    add("--seed", type=int, default=0)
    add("--rounds", type=int, help="a fixed number of rounds instead of the time budget")
    add("--budget", type=float, default=30.0, help="seconds for each row (default: 30)")
    add("--memory", action="store_true", help="peak memory above X at 1,000,000 x 20 (Linux)")
    add("--tables", nargs="*", metavar="NAME", help="accuracy on real tables, without names all")
    add("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    options = parser.parse_args(arguments)
    if options.lines is None:
        chosen = options.memory or options.tables is not None
        options.lines = QUICK if options.quick else [] if chosen else list(LINES)
    return options


def run_line(line, options):
    """Time the product and its peers on one line, printing each row."""
    X, y = line.load(options.seed)
    ours = Treelearn()
    rows = []
    for n_threads in options.threads:
        for peer, floors in line.floors.items():
            sides = {"peer": PEERS[peer](), "treelearn": ours}
            for side in sides.values():
                side.fit(line, X[:2000], y[:2000], n_threads)
            calls = {
                name: lambda side=side, n=n_threads: side.fit(line, X, y, n)
                for name, side in sides.items()
            }
            wall, cpu, models = timing.interleave(calls, options.budget, options.rounds)
            scores = {name: sides[name].score(models[name], X, y) for name in sides}
            # At one thread the CPU time counts: what others use of the machine is not in it.
            measured = cpu if n_threads == 1 else wall
            row = {
                "line": line.name,
                "threads": n_threads,
                "peer": peer,
                "clock": "cpu" if n_threads == 1 else "wall",
                "peer_seconds": float(np.median(measured["peer"])),
                "seconds": float(np.median(measured["treelearn"])),
                **timing.compare(measured["peer"], measured["treelearn"]),
                "best_ratio": float(measured["peer"].min() / measured["treelearn"].min()),
                "floor": floors[min(n_threads, 2) - 1],
                "n_rounds": len(wall["peer"]),
                "score": scores["treelearn"],
                "peer_score": scores["peer"],
            }
            rows.append(row)
            print(format_row(row), flush=True)
    return rows


def format_row(row):
    """Write a row as one line of text."""
    return TEXT.format(
        row["line"],
        row["threads"],
        row["peer"],
        timing.format_seconds(row["peer_seconds"]),
        timing.format_seconds(row["seconds"]),
        f"{row['ratio']:.2f}",
        f"{row['lower']:.2f}-{row['upper']:.2f}",
        f"{row['best_ratio']:.2f}",
        row["floor"],
        row["n_rounds"],
        f"{row['score']:.5f} {row['peer_score']:.5f}",
    )


def peak_megabytes(seed):
    """Return by how much the peak memory of a process grows with trees on bins; Linux only."""
    X, y = LINES["1m_depth_8"].load(seed)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("X.npy", "y.npy")]
        np.save(files[0], X)
        np.save(files[1], y)
        for depth in (8, 0):
            done = subprocess.run(
                [sys.executable, "-c", MEMORY_PROGRAM, *files, str(depth)],
                capture_output=True,
                text=True,
                check=True,
            )
            rows.append(
                {
                    "line": f"1m_{f'depth_{depth}' if depth else 'purity'}_memory",
                    "megabytes": int(done.stdout) * 1024 / 1e6,
                    "ceiling": LARGEST_MEGABYTES,
                }
            )
            print(f"{rows[-1]['line']}: {rows[-1]['megabytes']:.1f} MB above X", flush=True)
    return rows


def lost_by_binning(name):
    """Return the accuracy (R^2) of exact trees and of trees on bins on a table, of five folds."""
    from sklearn.model_selection import cross_val_score

    table = workloads.load_table(name)
    row = {"line": f"table_{name}", "task": table.task, "n_samples": len(table.y)}
    order = np.random.default_rng(0).permutation(len(table.y))
    for key, max_bins in (("exact", None), ("binned", MAX_BINS)):
        for kind, limits in (("purity", {}), ("leaf_20", {"min_samples_leaf": 20})):
            tree = Treelearn(max_bins).make(table.task, {**limits, "random_state": 0}, 1)
            scores = cross_val_score(tree, table.X[order], table.y[order], cv=5)
            row[f"{key}_{kind}"] = float(scores.mean())
    print(
        f"{name:<20} {table.task:<14} to purity {row['exact_purity']:.4f} "
        f"{row['binned_purity'] - row['exact_purity']:+.4f}   20 samples a leaf "
        f"{row['exact_leaf_20']:.4f} {row['binned_leaf_20'] - row['exact_leaf_20']:+.4f}",
        flush=True,
    )
    return row


def main(arguments=None):
    """Run the benchmark and return the exit status: 1 where a figure is missed."""
    options = parse_arguments(arguments)
    peers = dict.fromkeys(peer for name in options.lines for peer in LINES[name].floors)
    try:
        versions = {peer: PEERS[peer]().version for peer in peers}
    except ImportError as error:
        sys.exit(f"a peer cannot be imported: {error}")
    heading = timing.describe_run("histogram", {"treelearn": Treelearn().version, **versions})
    print(timing.format_heading(heading))
    rows = []
    if options.lines:
        print(
            TEXT.format(
                *("line", "threads", "peer", "peer", "ours", "ratio", "quartiles", "best"),
                *("asked", "rounds", "training score, ours and the peer's"),
            )
        )
    for name in options.lines:
        rows += run_line(LINES[name], options)
    if options.memory:
        rows += peak_megabytes(options.seed)
    if options.tables is not None:
        rows += [lost_by_binning(name) for name in options.tables or workloads.list_tables()]
    if options.save:
        print(f"saved: benchmarks/results/{timing.save(options.save, heading, rows).name}")
    missed = [row for row in rows if "floor" in row and row["ratio"] < row["floor"]]
    missed += [row for row in rows if row.get("megabytes", 0.0) > LARGEST_MEGABYTES]
    for row in missed:
        print(f"missed: {row['line']}, threads {row.get('threads')}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
