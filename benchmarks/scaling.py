"""How the cost of a tree grows with rows, features, classes and threads, and its memory.

``python -m benchmarks.scaling --help`` shows the options; benchmarks/README.md says how to read
the output.
"""

import sys
from functools import partial

import numpy as np

from benchmarks import command, memory, peers, timing, workloads

# What varies, with its values; everything else stays as in BASE.
BASE = {"n_samples": 100_000, "n_features": 20, "n_classes": 2, "n_threads": 1}
SERIES = {
    "rows": ("n_samples", [25_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000]),
    "features": ("n_features", [5, 10, 20, 50, 100]),
    "classes": ("n_classes", [2, 3, 10, 30, 100]),
    "threads": ("n_threads", [1, 2, 4, 8]),
}
QUICK = {"rows": 3, "features": 3, "classes": 4, "threads": 2}  # the first so many values
THREADS_ROWS = 1_000_000  # where the threads are compared
GROWTH = 1.5  # asked: largest cost of a cell over the least, along the rows
SPEED_UP = 1.6  # asked of two threads
MEMORY_ROWS, MEMORY_MB = 1_000_000, 200  # asked: at most so much above X
LINE = "{:<9} {:>9} {:>8} {:>7} {:>7} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6}"
HEADER = LINE.format(
    *("series", "rows", "features", "classes", "threads", "wall", "cpu", "depth", "per cell"),
    *("above X", "rounds"),
)


def parse_arguments(arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    parser = command.parser("scaling", "Time one tree along a growing workload.")
    add = parser.add_argument
    add("--over", nargs="+", choices=SERIES, default=list(SERIES), metavar="SERIES")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add("--peer", choices=peers.PEERS, default="treelearn")
    add("--max-depth", type=int)
    add("--memory", action="store_true", help="also the peak of the memory, in a fresh process")
    add("--check", action="store_true", help="exit with status 1 where a floor is missed")
    options = command.parse(parser, arguments)
    if options.quick:
        options.budget = min(options.budget, 2.0)  # there are eleven points
    return options


def shapes(series, options):
    """Yield the shape of every point of a series."""
    name, values = SERIES[series]
    values = values[: QUICK[series]] if options.quick else values
    most_rows = options.rows or max(SERIES["rows"][1])
    for value in values:
        shape = {**BASE, name: value}
        if series == "threads" and not options.quick:
            shape["n_samples"] = THREADS_ROWS
        if shape["n_threads"] > max(2, timing.n_cores()):
            continue
        if series == "rows" and shape["n_samples"] > most_rows:
            continue
        yield {**shape, "n_samples": min(shape["n_samples"], most_rows)}


def run_series(series, options, library):
    """Time the points of a series, one round after the other over all of them."""
    adapter = library[options.peer]
    limits = {} if options.max_depth is None else {"max_depth": options.max_depth}
    calls, tables = [], {}
    for shape in shapes(series, options):
        size = {key: shape[key] for key in ("n_samples", "n_features")}
        key = (*size.values(), shape["n_classes"])
        if key not in tables:
            made = workloads.classification(shape["n_classes"], options.seed, options.dtype, **size)
            tables[key] = made["X"], made["y"]
        settings = peers.Settings(
            "classification", n_threads=shape["n_threads"], seed=options.seed, limits=limits
        )
        calls.append((shape, settings, partial(adapter.fit, *tables[key], settings)))
    # One point after the other: together they would need the memory of all of them.
    for shape, settings, call in calls:
        X, y = call.args[:2]
        wall, cpu, models = timing.interleave({"fit": call}, options.budget, options.rounds)
        levels = None
        if hasattr(models["fit"], "tree_"):
            levels = timing.mean_depth(models["fit"].tree_)
        seconds = float(np.median(cpu["fit"]))
        yield {
            "series": series,
            **shape,
            "peer": options.peer,
            "dtype": options.dtype,
            "wall": float(np.median(wall["fit"])),
            "cpu": seconds,
            "mean_depth": levels,
            "ns_per_cell": seconds * 1e9 / (X.size * max(levels, 1)) if levels else None,
            "peak_mb": memory.peak_above(X, y, options.peer, settings) if options.memory else None,
            "n_rounds": len(wall["fit"]),
        }


def format_row(row):
    """Write a row as one line below `HEADER`."""
    shown = {name: "-" for name in ("mean_depth", "ns_per_cell", "peak_mb")}
    forms = {"mean_depth": "{:.1f}", "ns_per_cell": "{:.2f} ns", "peak_mb": "{:.0f} MB"}
    shown |= {name: forms[name].format(row[name]) for name in shown if row[name] is not None}
    return LINE.format(
        row["series"],
        *(row[name] for name in BASE),
        timing.format_seconds(row["wall"]),
        timing.format_seconds(row["cpu"]),
        *shown.values(),
        row["n_rounds"],
    )


def judge(rows):
    """Return lines of (what, measured, asked, whether it is held) that the rows tell of."""
    lines = []
    costs = [r["ns_per_cell"] for r in rows if r["series"] == "rows" and r["ns_per_cell"]]
    if len(costs) > 1:
        growth = max(costs) / min(costs)
        lines.append(("largest over least cost of a cell", growth, GROWTH, growth <= GROWTH))
    walls = {r["n_threads"]: r["wall"] for r in rows if r["series"] == "threads"}
    if {1, 2} <= set(walls):
        speed_up = walls[1] / walls[2]
        lines.append(("two threads over one", speed_up, SPEED_UP, speed_up >= SPEED_UP))
    for row in rows:
        is_asked = row["n_samples"] == MEMORY_ROWS and row["n_features"] == BASE["n_features"]
        if is_asked and row["peak_mb"] is not None:
            held = row["peak_mb"] <= MEMORY_MB
            lines.append(("MB above X at its peak", row["peak_mb"], MEMORY_MB, held))
    return lines


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    options = parse_arguments(arguments)
    library, heading = command.begin("scaling", [options.peer])
    rows = []
    print(HEADER)
    for series in options.over:
        for row in run_series(series, options, library):
            print(format_row(row), flush=True)
            rows.append(row)
    command.end(options, heading, rows)
    lines = judge(rows)
    for what, measured, asked, is_held in lines:
        print(f"{what}: {measured:.2f}, asked {asked:g}: {'held' if is_held else 'missed'}")
    return int(options.check and not all(line[-1] for line in lines))


if __name__ == "__main__":
    sys.exit(main())
