"""How many times faster than scikit-learn a fitted tree predicts, validation included.

``python -m benchmarks.predict --help`` shows the options; benchmarks/README.md says how to read
the output.
"""

import sys
from functools import partial

import numpy as np

from benchmarks import command, peers, timing, workloads

# Times faster than scikit-learn, asked of 100,000 rows at one thread.
FLOORS = {"100k_2_classes": 2.5, "100k_10_classes": 4, "100k_100_classes": 30}
ONE_ROW_FLOOR = 2  # of a call with one row: at most half of the time
WORKLOADS = [*FLOORS, "100k_depth_8", "200k_regression", "200k_missing", "iris"]
QUICK_WORKLOADS = ["100k_2_classes", "100k_10_classes", "iris"]
CALLS_AT_ONCE = 200  # of one row: a clock tells a microsecond badly
BATCHES = [1, 1_000, 100_000]
LINE = "{:<18} {:>9} {:<13} {:>7} {:>9} {:>9} {:>7} {:>13} {:>7} {:>6} {:>6}"
HEADER = LINE.format(
    *("workload", "rows", "peer", "threads", "reference", "time", "ratio", "quartiles", "cpu"),
    *("rounds", "asked"),
)


def parse_arguments(arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    parser = command.parser("predict", "Time predictions against scikit-learn, interleaved.")
    add = parser.add_argument
    add("--workloads", nargs="+", choices=workloads.SYNTHETIC, metavar="NAME")
    add("--peers", nargs="+", default=["treelearn"], choices=peers.PEERS, metavar="PEER")
    add("--threads", nargs="+", type=int, default=[1], metavar="N")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add("--batches", nargs="+", type=int, default=BATCHES, metavar="N", help="rows of one call")
    add("--check", action="store_true", help="exit with status 1 where a floor is missed")
    options = command.parse(parser, arguments)
    if options.workloads is None:
        options.workloads = QUICK_WORKLOADS if options.quick else WORKLOADS
    return options


def grow(workload, options, library):
    """Return a fitted model for every peer and number of threads, scikit-learn's first."""
    models = {}
    for name in dict.fromkeys([peers.REFERENCE, *options.peers]):
        for n_threads in options.threads if library[name].is_threaded else [1]:
            settings = peers.Settings(
                workload.task, n_threads=n_threads, seed=options.seed, limits=workload.limits
            )
            try:
                models[name, n_threads] = library[name].fit(workload.X, workload.y, settings)
            except peers.UnsupportedError as error:
                print(f"skipped: {workload.name}: {name} {error}")
    return models


def predict_often(predict, X, n_calls):
    """Call a method some times and return its last answer."""
    for _ in range(n_calls):
        predicted = predict(X)
    return predicted


def run_batch(workload, n_rows, models, options, library):
    """Time one size of batch; return a row for each peer and number of threads."""
    X = np.resize(workload.X, (n_rows, workload.X.shape[1]))  # repeated where it is too short
    n_calls = CALLS_AT_ONCE if n_rows == 1 else 1
    calls = {}
    for (name, n_threads), model in models.items():
        predict = partial(library[name].predict, model)
        predict(X)  # what a model derives from itself at its first call is not timed
        calls[name, n_threads] = partial(predict_often, predict, X, n_calls)
    wall, cpu, predicted = timing.interleave(calls, options.budget, options.rounds)
    reference, *contenders = calls
    floor = ONE_ROW_FLOOR if n_rows == 1 else None
    if n_rows == 100_000 and options.dtype == "float32":
        floor = FLOORS.get(workload.name)
    return [
        {
            "workload": workload.name,
            "n_rows": n_rows,
            "n_features": X.shape[1],
            "n_classes": workload.n_classes,
            "dtype": X.dtype.name,
            "peer": name,
            "threads": n_threads,
            "is_exact": library[name].is_exact,
            "reference_wall": float(np.median(wall[reference])) / n_calls,
            "wall": float(np.median(wall[name, n_threads])) / n_calls,
            **timing.compare(wall[reference], wall[name, n_threads]),
            "cpu_ratio": timing.compare(cpu[reference], cpu[name, n_threads])["ratio"],
            "n_rounds": len(wall[reference]),
            "n_different": int(np.sum(predicted[name, n_threads] != predicted[reference])),
            "asked": floor if name == "treelearn" and n_threads == 1 else None,
        }
        for name, n_threads in contenders
    ]


def format_row(row):
    """Write a row as one line below `HEADER`."""
    return LINE.format(
        row["workload"],
        row["n_rows"],
        row["peer"],
        row["threads"],
        timing.format_seconds(row["reference_wall"]),
        timing.format_seconds(row["wall"]),
        f"{row['ratio']:.2f}",
        f"{row['lower']:.2f}-{row['upper']:.2f}",
        f"{row['cpu_ratio']:.2f}",
        row["n_rounds"],
        "-" if row["asked"] is None else f"{row['asked']:g}",
    )


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    options = parse_arguments(arguments)
    library, heading = command.begin("predict", [peers.REFERENCE, *options.peers])
    rows = []
    print(HEADER)
    for name in options.workloads:
        workload = workloads.load_synthetic(name, options.seed, options.dtype, options.rows)
        models = grow(workload, options, library)
        for n_rows in options.batches:
            new_rows = run_batch(workload, n_rows, models, options, library)
            print("\n".join(map(format_row, new_rows)), flush=True)
            rows += new_rows
    command.end(options, heading, rows)
    missed = [row for row in rows if row["asked"] and row["cpu_ratio"] < row["asked"]]
    for row in missed:
        print(
            f"floor missed: {row['workload']}, {row['n_rows']} rows: "
            f"{row['cpu_ratio']:.2f} in CPU seconds, asked {row['asked']:g}"
        )
    return int(options.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
