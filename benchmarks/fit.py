"""How many times faster than scikit-learn a tree is grown, validation included.

``python -m benchmarks.fit --help`` shows the options; benchmarks/README.md says how to read the
output.
"""

import argparse
import re
import sys

import numpy as np

from benchmarks import peers, timing, workloads

CRITERIA = {
    "classification": ("gini", "entropy", "log_loss"),
    "regression": ("squared_error", "absolute_error", "poisson"),
}
DEFAULT_CRITERIA = [names[0] for names in CRITERIA.values()]
QUICK_WORKLOADS = ["100k_2_classes", "iris"]
QUICK_TABLES = ["mushroom", "abalone", "letter", "adult"]
NO_TABLES = "no real tables found: set TREELEARN_DATA to a folder with a datasets.json"
LARGE = 3_000  # tables from this number of rows on have geometric means of their own
LINE = "{:<18} {:>14} {:>7} {:<13} {:>7} {:>9} {:>9} {:>6} {:>11} {:>6} {:>6}  {}"
HEADER = LINE.format(
    *("workload", "rows x columns", "classes", "criterion", "threads", "reference", "peer"),
    *("ratio", "quartiles", "cpu", "rounds", "train score"),
)


def parse_arguments(arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fit",
        description="Time the growing of trees against scikit-learn, interleaved in one process.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a small selection, under two minutes")
    add(
        "--workloads",
        nargs="+",
        choices=workloads.SYNTHETIC,
        metavar="NAME",
        help=f"any of {' '.join(workloads.SYNTHETIC)}",
    )
    add("--tables", nargs="+", metavar="NAME", help="real tables, or the word all")
    add("--peers", nargs="+", default=["treelearn"], choices=peers.PEERS, metavar="PEER")
    add("--threads", nargs="+", type=int, default=[1], metavar="N")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add(
        "--criterion",
        nargs="+",
        default=DEFAULT_CRITERIA,
        choices=sum(CRITERIA.values(), ()),
        metavar="NAME",
        help="each runs on the workloads of its task: %(choices)s",
    )
    add("--seed", type=int, default=0, help="of the synthetic data and of the trees")
    add("--rounds", type=int, help="a fixed number of rounds instead of the time budget")
    add("--budget", type=float, help="seconds for each row (default: 10; with --quick 6)")
    add("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    add("--check", action="store_true", help="exit with status 1 where a floor is missed")
    options = parser.parse_args(arguments)
    if options.save and not re.fullmatch(r"\w[\w.-]*", options.save):
        parser.error("--save takes a plain name: letters, digits, '_', '-' and '.'")
    if min(options.threads) < 1 or (options.rounds is not None and options.rounds < 1):
        parser.error("--rounds and --threads take numbers from 1 up")
    options.budget = options.budget or (6.0 if options.quick else 10.0)
    try:
        choose_workloads(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def choose_workloads(options):
    """Fill in the workloads and tables that are run; without a choice all of them."""
    available = workloads.list_tables()
    if options.workloads is None and options.tables is None:
        options.workloads = QUICK_WORKLOADS if options.quick else list(workloads.SYNTHETIC)
        options.tables = [n for n in QUICK_TABLES if n in available] if options.quick else available
        if not available:
            print(NO_TABLES)
    options.workloads = options.workloads or []
    if options.tables and not available:
        raise ValueError(NO_TABLES)
    options.tables = available if options.tables == ["all"] else options.tables or []
    unknown = sorted(set(options.tables) - set(available))
    if unknown:
        raise ValueError(f"unknown tables {' '.join(unknown)}; there are {' '.join(available)}")
    if options.tables:
        try:
            import pyarrow  # noqa: F401, pandas reads Parquet with it
        except ImportError as error:
            raise ValueError(f"the real tables need pandas and pyarrow: {error}") from error


def score(workload, predicted):
    """Return the accuracy on the training data, or R^2 for regression."""
    if workload.task == "classification":
        return float(np.mean(predicted == workload.y))
    return float(1 - np.mean((predicted - workload.y) ** 2) / np.var(workload.y))


def run_workload(workload, criterion, options, library):
    """Time scikit-learn and all peers on one workload.

    Returns one row for each peer and number of threads. `library` maps the name of a peer to its
    adapter.
    """
    X, y = workload.X, workload.y
    thread_counts = [None] if workload.is_default else options.threads
    sides = [(peers.REFERENCE, 1)]
    for name in options.peers:
        counts = thread_counts if library[name].is_threaded else [1]
        sides += [(name, n_threads) for n_threads in counts]

    calls = {}
    warm_up = np.random.default_rng(0).permutation(len(y))[:200]
    for i, (name, n_threads) in enumerate(sides):
        settings = peers.Settings(
            task=workload.task,
            criterion=criterion,
            n_threads=n_threads,
            seed=None if workload.is_default else options.seed,
            limits=workload.limits,
        )
        fit = library[name].fit
        fit(X[warm_up], y[warm_up], settings)
        calls[i] = lambda fit=fit, settings=settings: fit(X, y, settings)

    budget = options.budget * max(len(sides) - 1, 1) * workload.budget_factor
    wall, cpu, models = timing.interleave(calls, budget, options.rounds)
    results = [
        {
            "peer": name,
            "threads": n_threads,
            "wall": float(np.median(wall[i])),
            "cpu": float(np.median(cpu[i])),
            "score": score(workload, library[name].predict(models[i], X)),
            "n_nodes": library[name].n_nodes(models[i]),
        }
        for i, (name, n_threads) in enumerate(sides)
    ]
    described = {
        "workload": workload.name,
        "kind": workload.kind,
        "task": workload.task,
        "n_samples": X.shape[0],
        "n_features": X.shape[1],
        "n_classes": workload.n_classes,
        "dtype": X.dtype.name,
        "criterion": criterion,
        "n_rounds": len(wall[0]),
    }
    return [
        {
            **described,
            **results[i],
            "reference": results[0],
            **timing.compare(wall[0], wall[i]),
            "cpu_ratio": timing.compare(cpu[0], cpu[i])["ratio"],
        }
        for i in range(1, len(sides))
    ]


def format_row(row):
    """Write a row as one line below `HEADER`."""
    difference = row["score"] - row["reference"]["score"]
    equal = "equal" if abs(difference) < 1e-9 else f"{difference:+.2g}"
    return LINE.format(
        row["workload"],
        f"{row['n_samples']} x {row['n_features']}",
        row["n_classes"] or "-",
        row["criterion"],
        row["threads"] or "auto",
        timing.format_seconds(row["reference"]["wall"]),
        timing.format_seconds(row["wall"]),
        f"{row['ratio']:.2f}",
        f"{row['lower']:.2f}-{row['upper']:.2f}",
        f"{row['cpu_ratio']:.2f}",
        row["n_rounds"],
        f"{row['score']:.5f} {equal}",
    )


def summarise(rows):
    """Return lines with the geometric mean and the lowest ratio of each group of rows."""
    groups = {"all": lambda row: True, "synthetic": lambda row: row["kind"] == "synthetic"}
    for task in CRITERIA:
        groups[f"{task} tables of {LARGE} rows or more"] = lambda row, task=task: (
            row["kind"] == "table" and row["task"] == task and row["n_samples"] >= LARGE
        )
    sides = dict.fromkeys((row["peer"], row["threads"]) for row in rows)
    counted = [side for side in sides if side[1] is not None] or list(sides)
    lines = []
    for peer, threads in counted:
        for group, belongs in groups.items():
            # A row with the default number of threads counts beside every number.
            ratios = {
                f"{row['workload']} {row['criterion']}": row["ratio"]
                for row in rows
                if row["peer"] == peer and row["threads"] in (threads, None) and belongs(row)
            }
            if ratios and (len(ratios) > 1 or group == "all"):
                lowest = min(ratios, key=ratios.get)
                lines.append(
                    f"{peer}, threads {threads or 'auto'}, {group} ({len(ratios)}): geometric mean "
                    f"{timing.geometric_mean(ratios.values()):.2f}, "
                    f"lowest {ratios[lowest]:.2f} ({lowest})"
                )
    return lines


def missed_floors(rows):
    """Return a line for every row of treelearn that is slower than it must be."""
    lines = []
    for row in rows:
        is_plain = row["dtype"] == "float32" and row["criterion"] in DEFAULT_CRITERIA
        floor = workloads.FLOORS.get(row["workload"], 1.0) if is_plain else 1.0
        if row["peer"] == "treelearn" and row["ratio"] < floor:
            lines.append(f"floor missed: {row['workload']} {row['ratio']:.2f}, asked {floor:g}")
    return lines


def run(options, library):
    """Run all that was asked for, printing each row as it comes; return rows and faults."""
    loaders = [
        (name, lambda name=name: workloads.load_synthetic(name, options.seed, options.dtype))
        for name in options.workloads
    ]
    loaders += [
        (name, lambda name=name: workloads.load_table(name, options.dtype))
        for name in options.tables
    ]
    rows, faults = [], []
    print(HEADER)
    for name, load in loaders:
        workload = load()
        for criterion in options.criterion:
            if criterion not in CRITERIA[workload.task]:
                continue
            try:
                new_rows = run_workload(workload, criterion, options, library)
            except Exception as error:  # the fault of one peer must not cost the other rows
                faults.append(f"failed: {name} {criterion}: {type(error).__name__}: {error}")
                print(faults[-1], flush=True)
                continue
            rows += new_rows
            print("\n".join(map(format_row, new_rows)), flush=True)
    return rows, faults


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    options = parse_arguments(arguments)
    names = dict.fromkeys([peers.REFERENCE, *options.peers])
    try:
        library = {name: peers.PEERS[name]() for name in names}
    except ImportError as error:
        sys.exit(f"a peer cannot be imported (was it compiled and installed?): {error}")
    heading = timing.describe_run("fit", {name: library[name].version for name in library})
    print(timing.format_heading(heading))
    rows, faults = run(options, library)
    print("\n".join(summarise(rows)))
    if options.save:
        print(f"saved: benchmarks/results/{timing.save(options.save, heading, rows).name}")
    missed = missed_floors(rows)
    if missed:
        print("\n".join(missed))
    elif options.check and not faults:
        print("all floors of the rows above are held")
    return int(bool(faults) or (options.check and bool(missed)))


if __name__ == "__main__":
    sys.exit(main())
