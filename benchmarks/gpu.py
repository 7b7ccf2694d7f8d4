"""Fits and predictions on a GPU: time, the bytes that must move, and the floor that they give.

Data are made on the device, calls are warm, and times are the device's own, between two events;
a copy of a large array on the same device says how fast bytes can move. ``python -m benchmarks.gpu
--help`` shows the options.
"""

import dataclasses
import sys
import time

import numpy as np

import treelearn
from benchmarks import command, timing
from treelearn import _device
from treelearn.criteria import kernel_of

MAX_BINS = 255
MAX_DEPTH = 10
COPIED_BYTES = 2**30
SECTOR = 32  # bytes that a GPU fetches where it reads one


@dataclasses.dataclass(frozen=True)
class Table:
    """What is fitted, and what is asked of one H200."""

    name: str
    n_rows: int
    n_features: int
    most_seconds: float


TABLES = [Table("10m_50", 10_000_000, 50, 0.3), Table("100m_20", 100_000_000, 20, 1.5)]
LEAST_COPY_SHARE = 0.25
LEAST_ROW_LEVELS = 1e9
LEAST_IMPURITY_SHARE = 0.6
N_CLASSES = 10
LINE = "{:<34} {:>10} {:>10} {:>9} {:>12} {:>12}  {}"


class DeviceClock:
    """Seconds between two events of the device."""

    def __init__(self, cupy):
        self.cuda = cupy.cuda
        self.start, self.end = cupy.cuda.Event(), cupy.cuda.Event()

    def seconds(self, call):
        """Return the seconds that a call takes, and its result."""
        self.start.record()
        result = call()
        self.end.record()
        self.end.synchronize()
        return self.cuda.get_elapsed_time(self.start, self.end) / 1e3, result


class HostClock:
    """The same where the device is the CPU: for tests of this script."""

    def seconds(self, call):
        """Return the seconds that a call takes, and its result."""
        begin = time.perf_counter()
        result = call()
        return time.perf_counter() - begin, result


class Steps:
    """A module of kernels of which every call is timed."""

    def __init__(self, module, clock, seconds):
        self.module, self.clock, self.times = module, clock, seconds

    def __getattr__(self, name):
        step = getattr(self.module, name)

        def timed(*arguments):
            seconds, result = self.clock.seconds(lambda: step(*arguments))
            self.times[name] = self.times.get(name, 0.0) + seconds
            return result

        return timed


def median_seconds(clock, call, options):
    """Return the median of several warm calls, and the last result."""
    result = call()
    seconds, begin = [], time.perf_counter()
    while len(seconds) < (options.rounds or 3) or (
        options.rounds is None and time.perf_counter() - begin < options.budget
    ):
        result = None
        taken, result = clock.seconds(call)
        seconds.append(taken)
    return float(np.median(seconds)), result


def make_data(xp, table, n_rows, seed):
    """Return float32 values and labels of two classes, made on the device."""
    rng = xp.random.default_rng(seed)
    X = rng.random((n_rows, table.n_features), dtype=np.float32)
    score = X[:, 0] + X[:, 1] * X[:, 2] - X[:, 3]
    score += 0.25 * rng.random(n_rows, dtype=np.float32)
    return X, (score > float(score[: 2**20].mean())).astype(np.int32)


def copy_bandwidth(engine, clock, options):
    """Return the bytes a second that a copy reads and writes."""
    source = engine.xp.zeros(COPIED_BYTES // (1 if not options.quick else 16), dtype=np.uint8)
    target = engine.xp.empty_like(source)
    seconds, _ = median_seconds(clock, lambda: engine.xp.copyto(target, source), options)
    return 2 * source.nbytes / seconds


def fit_traffic(n_rows, n_features, n_levels):
    """Return the bytes that a fit of two classes must move, by step.

    Binning reads every value and writes its code. A level counts half of the samples, the other
    half by difference (all of them at the root): index, label, and the codes of a sample. It
    divides all of them: reads index and one code, writes the index.
    """
    codes = n_features
    n_counted = 1 + (n_levels - 1) / 2
    return {
        "encode": n_rows * n_features * (4 + 1),
        "fill": n_rows * n_counted * (codes + 8),
        "partition": n_rows * n_levels * (4 + 1 + 4),
    }


def line(what, seconds, floor, asked, measured, is_held):
    """Return one result."""
    return {
        "what": what,
        "seconds": seconds,
        "floor_seconds": floor,
        "times_the_floor": seconds / floor,
        "asked": asked,
        "measured": measured,
        "is_held": is_held,
    }


def format_line(row):
    """Write a result as one line of text."""
    is_held = {None: "", True: "held", False: "missed"}[row["is_held"]]
    return LINE.format(
        row["what"],
        timing.format_seconds(row["seconds"]),
        timing.format_seconds(row["floor_seconds"]),
        f"{row['times_the_floor']:.1f}",
        row["asked"],
        row["measured"],
        is_held,
    )


def run_table(table, engine, clock, bandwidth, options):
    """Yield the results of one table."""
    n_rows = max(1000, table.n_rows // 100) if options.quick else table.n_rows
    n_rows = min(n_rows, options.rows or n_rows)
    X, y = make_data(engine.xp, table, n_rows, options.seed)
    is_whole = n_rows == table.n_rows
    tree = treelearn.DecisionTreeClassifier(
        max_depth=MAX_DEPTH, max_bins=MAX_BINS, device="cuda", random_state=options.seed
    )
    seconds, _ = median_seconds(clock, lambda: tree.fit(X, y), options)
    moved = fit_traffic(n_rows, table.n_features, tree.get_depth())
    yield line(
        f"{table.name} fit",
        seconds,
        sum(moved.values()) / bandwidth,
        f"{table.most_seconds:g} s",
        timing.format_seconds(seconds),
        seconds <= table.most_seconds if is_whole else None,
    )
    times = {}
    whole_engine = _device.open_engine
    timed = dataclasses.replace(
        engine,
        kernels=Steps(engine.kernels, clock, times),
        values=Steps(engine.values, clock, times),
    )
    _device.open_engine = lambda: timed
    try:
        tree.fit(X, y)
    finally:
        _device.open_engine = whole_engine
    for step, taken in times.items():
        floor = moved.get(step, X.nbytes if step == "find_worst" else 0) / bandwidth
        share = moved[step] / taken / bandwidth if step in moved else None
        asked, is_held = "", None
        if step == "fill":
            # Codes alone: what a copy of them would take is what is asked for.
            share = n_rows * (1 + (tree.get_depth() - 1) / 2) * table.n_features / taken / bandwidth
            asked, is_held = f"{LEAST_COPY_SHARE:.0%}", share >= LEAST_COPY_SHARE
        measured = "" if share is None else f"{share:.0%} of copy"
        yield line(
            *(f"{table.name} {step}", taken, floor or taken, asked, measured),
            is_held if is_whole else None,
        )
    seconds, _ = median_seconds(clock, lambda: tree.predict(X), options)
    levels = timing.mean_depth(tree.tree_)
    rate = n_rows * levels / seconds
    read = min(4 * table.n_features, SECTOR * levels)
    yield line(
        f"{table.name} predict",
        seconds,
        n_rows * (read + 4) / bandwidth,
        f"{LEAST_ROW_LEVELS:.0e}/s",
        f"{rate:.2e}/s",
        rate >= LEAST_ROW_LEVELS if is_whole else None,
    )
    if options.cpu:
        yield compare_with_cpu(table, engine, clock, tree, X, y, options)


def run_impurities(engine, clock, bandwidth, options):
    """Return the result of Gini's impurity of many nodes."""
    n_nodes = 100_000 if options.quick else 20_000_000
    n_nodes = min(n_nodes, options.rows or n_nodes)
    rng = engine.xp.random.default_rng(options.seed)
    counts = rng.random((n_nodes, N_CLASSES))
    kernel = kernel_of("gini", 2.0)
    seconds, _ = median_seconds(clock, lambda: engine.kernels.impurities(counts, kernel), options)
    floor = (counts.nbytes + 8 * n_nodes) / bandwidth
    is_held = floor / seconds >= LEAST_IMPURITY_SHARE if n_nodes == 20_000_000 else None
    asked, measured = f"{LEAST_IMPURITY_SHARE:.0%}", f"{floor / seconds:.0%} of copy"
    return line("gini of 10 classes", seconds, floor, asked, measured, is_held)


def compare_with_cpu(table, engine, clock, tree, X, y, options):
    """Return how many times faster than the CPU's histogram mode the device is; same tree."""
    rows, labels = engine.on_host(X), engine.on_host(y)
    on_cpu = treelearn.DecisionTreeClassifier(**{**tree.get_params(), "device": "cpu"})
    on_cpu.set_params(n_jobs=timing.n_cores())
    cpu_seconds, _ = median_seconds(HostClock(), lambda: on_cpu.fit(rows, labels), options)
    seconds, _ = median_seconds(clock, lambda: tree.fit(X, y), options)
    ours, theirs = (t.tree_.__getstate__()["nodes"] for t in (tree, on_cpu))
    if not np.array_equal(ours, theirs):
        raise AssertionError("the trees of the CPU and of the device differ")
    return line(
        f"{table.name} CPU, {timing.n_cores()} threads",
        *(cpu_seconds, seconds, "", f"{cpu_seconds / seconds:.1f} times", None),
    )


def parse_arguments(arguments=None):
    """Return the options of a run."""
    parser = command.parser("gpu", "Time fits and predictions on a GPU beside what must move.")
    names = [table.name for table in TABLES]
    parser.add_argument("--tables", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--cpu", action="store_true", help="also the CPU with all its cores")
    return command.parse(parser, arguments)


def main(arguments=None):
    """Run the benchmark; return 0, 1 where a figure is missed, 2 where there is no GPU."""
    options = parse_arguments(arguments)
    try:
        engine = _device.open_engine()
    except (ImportError, RuntimeError) as error:
        print(f"benchmarks.gpu needs a GPU: {error}", file=sys.stderr)
        return 2
    is_gpu = hasattr(engine.xp, "cuda")
    clock = DeviceClock(engine.xp) if is_gpu else HostClock()
    heading = timing.describe_run("gpu", {"treelearn": treelearn.__version__})
    if is_gpu:
        properties = engine.xp.cuda.runtime.getDeviceProperties(engine.number)
        heading["device"] = properties["name"].decode()
        heading["versions"]["cupy"] = engine.xp.__version__
    print(timing.format_heading(heading) + heading.get("device", "no GPU: the CPU stands in"))
    bandwidth = copy_bandwidth(engine, clock, options)
    print(f"a copy reads and writes {bandwidth / 1e9:.0f} GB/s\n")
    print(LINE.format("what", "time", "floor", "x floor", "asked", "measured", ""))
    rows = [{"what": "copy", "bytes_per_second": bandwidth}]
    rows.append(run_impurities(engine, clock, bandwidth, options))
    print(format_line(rows[-1]), flush=True)
    for table in TABLES:
        if table.name in options.tables:
            for row in run_table(table, engine, clock, bandwidth, options):
                rows.append(row)
                print(format_line(row), flush=True)
    command.end(options, heading, rows)
    return int(any(row.get("is_held") is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
