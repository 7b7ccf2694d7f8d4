"""How many times faster than scikit-learn a tree is grown, validation included.

``python -m benchmarks.fit --help`` shows the options; benchmarks/README.md says how to read the
output.
"""

import sys
from functools import partial

import numpy as np

from benchmarks import command, floors, peers, timing, workloads

CRITERIA = {
    "classification": ("gini", "entropy", "log_loss"),
    "regression": ("squared_error", "absolute_error", "poisson"),
}
QUICK_WORKLOADS = ["100k_2_classes", "iris"]
QUICK_TABLES = ["mushroom", "abalone", "letter", "adult"]
NO_TABLES = "no real tables found: set TREELEARN_DATA to a folder with a datasets.json"
LINE = "{:<18} {:>14} {:>7} {:<13} {:<13} {:>7} {:>9} {:>9} {:>7} {:>13} {:>7} {:>6}  {}"
HEADER = LINE.format(
    *("workload", "rows x columns", "classes", "criterion", "peer", "threads", "reference", "time"),
    *("ratio", "quartiles", "cpu", "rounds", "train score"),
)


def parse_arguments(arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    parser = command.parser(
        "fit", "Time the growing of trees against scikit-learn, interleaved in one process."
    )
    add = parser.add_argument
    add(
        "--workloads",
        nargs="+",
        choices=[*workloads.SYNTHETIC, "all"],
        metavar="NAME",
        help=f"any of {' '.join(workloads.SYNTHETIC)}, or the word all",
    )
    add("--tables", nargs="+", metavar="NAME", help="real tables, or the word all")
    add("--peers", nargs="+", default=["treelearn"], choices=peers.PEERS, metavar="PEER")
    add("--threads", nargs="+", type=int, default=[1], metavar="N")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add(
        "--criterion",
        nargs="+",
        default=floors.DEFAULT_CRITERIA,
        choices=sum(CRITERIA.values(), ()),
        metavar="NAME",
        help="each runs on the workloads of its task: %(choices)s",
    )
    add("--floors", action="store_true", help="end with what is asked beside what was measured")
    add("--check", action="store_true", help="the same; exit with status 1 where a floor is missed")
    options = command.parse(parser, arguments)
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
    if "all" in options.workloads:
        options.workloads = list(workloads.SYNTHETIC)
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


def choose_warm_up(workload):
    """Return some hundred rows, every class among them: some peers refuse a gap between codes."""
    chosen = np.random.default_rng(0).permutation(len(workload.y))[:200]
    if workload.task == "regression" or workload.y.ndim > 1:
        return chosen
    return np.concatenate([chosen, np.unique(workload.y, return_index=True)[1]])


def prepare(workload, criterion, options, library):
    """Return the fit of every side, warmed up, and a line for each peer that refuses."""
    X, y, weights = workload.X, workload.y, workload.sample_weight
    thread_counts = [None] if workload.is_default else options.threads
    sides, skipped = [(peers.REFERENCE, 1)], []
    for name in options.peers:
        if workload.is_for_few and name not in peers.LIKE_SCIKIT_LEARN:
            skipped.append(f"skipped: {workload.name}: {name} has nothing like it")
            continue
        counts = thread_counts if library[name].is_threaded else [1]
        sides += [(name, n_threads) for n_threads in counts]

    calls = {}
    warm_up = choose_warm_up(workload)
    for name, n_threads in sides:
        settings = peers.Settings(
            task=workload.task,
            criterion=criterion,
            n_threads=n_threads,
            seed=None if workload.is_default else options.seed,
            limits=workload.limits,
        )
        fit = library[name].fit
        try:
            fit(X[warm_up], y[warm_up], settings, None if weights is None else weights[warm_up])
        except peers.UnsupportedError as error:
            skipped.append(f"skipped: {workload.name}: {name} {error}")
            continue
        calls[name, n_threads] = partial(fit, X, y, settings, weights)
    return calls, skipped


def run_workload(workload, criterion, options, library):
    """Time scikit-learn and all peers on one workload.

    Returns one row for each peer and number of threads, and a line for each peer that cannot do
    what the workload asks for. `library` maps the name of a peer to its adapter.
    """
    calls, skipped = prepare(workload, criterion, options, library)
    budget = options.budget * max(len(calls) - 1, 1) * workload.budget_factor
    wall, cpu, models = timing.interleave(calls, budget, options.rounds, workload.min_rounds)
    results = {
        (name, n_threads): {
            "peer": name,
            "threads": n_threads,
            "is_exact": library[name].is_exact,
            "wall": float(np.median(wall[name, n_threads])),
            "cpu": float(np.median(cpu[name, n_threads])),
            "score": score(workload, library[name].predict(model, workload.X)),
            "n_nodes": library[name].n_nodes(model),
        }
        for (name, n_threads), model in models.items()
    }
    reference, *contenders = results
    described = {
        "workload": workload.name,
        "kind": workload.kind,
        "task": workload.task,
        "n_samples": workload.X.shape[0],
        "n_features": workload.X.shape[1],
        "n_classes": workload.n_classes,
        "has_missing": workload.has_missing,
        "dtype": workload.X.dtype.name,
        "criterion": criterion,
        "n_rounds": len(wall[reference]),
    }
    rows = [
        {
            **described,
            **results[side],
            "reference": results[reference],
            **timing.compare(wall[reference], wall[side]),
            "cpu_ratio": timing.compare(cpu[reference], cpu[side])["ratio"],
        }
        for side in contenders
    ]
    return rows, list(dict.fromkeys(skipped))


def format_row(row):
    """Write a row as one line below `HEADER`."""
    difference = row["score"] - row["reference"]["score"]
    equal = "equal" if abs(difference) < 1e-9 else f"{difference:+.2g}"
    return LINE.format(
        row["workload"],
        f"{row['n_samples']} x {row['n_features']}",
        row["n_classes"] or "-",
        row["criterion"],
        row["peer"],
        row["threads"] or "auto",
        timing.format_seconds(row["reference"]["wall"]),
        timing.format_seconds(row["wall"]),
        f"{row['ratio']:.2f}",
        f"{row['lower']:.2f}-{row['upper']:.2f}",
        f"{row['cpu_ratio']:.2f}",
        row["n_rounds"],
        f"{row['score']:.5f} {equal}",
    )


def run(options, library):
    """Run all that was asked for, printing each row as it comes; return rows and faults."""
    size = {"dtype": options.dtype, "most_rows": options.rows}
    loaders = [
        (name, partial(workloads.load_synthetic, name, options.seed, **size))
        for name in options.workloads
    ]
    loaders += [(name, partial(workloads.load_table, name, **size)) for name in options.tables]
    rows, faults = [], []
    print(HEADER)
    for name, load in loaders:
        workload = load()
        for criterion in options.criterion:
            if criterion not in CRITERIA[workload.task]:
                continue
            try:
                new_rows, skipped = run_workload(workload, criterion, options, library)
            except Exception as error:  # the fault of one peer must not cost the other rows
                faults.append(f"failed: {name} {criterion}: {type(error).__name__}: {error}")
                print(faults[-1], flush=True)
                continue
            rows += new_rows
            print("\n".join([*map(format_row, new_rows), *skipped]), flush=True)
    return rows, faults


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    options = parse_arguments(arguments)
    library, heading = command.begin("fit", [peers.REFERENCE, *options.peers])
    rows, faults = run(options, library)
    command.end(options, heading, rows)
    lines = floors.compare(rows)
    if options.floors or options.check:
        print("\n" + floors.format_lines(lines))
    is_missed = any(measured < floor for _, _, floor, measured in lines)
    return int(bool(faults) or (options.check and is_missed))


if __name__ == "__main__":
    sys.exit(main())
