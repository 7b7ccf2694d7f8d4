"""What is asked of the growing of trees, and what a run has measured of it.

Every number is how many times faster than scikit-learn 1.9, at one thread and at two, validation
included, float32, Gini or squared error. One thread is judged by CPU seconds, which hardly feel
what else the machine does; two are judged by wall seconds.
"""

from benchmarks import timing

SYNTHETIC = {
    "100k_2_classes": (45, 80),
    "1m_2_classes": (60, 100),
    "100k_10_classes": (22, 38),
    "1m_10_classes": (28, 52),
    "100k_100_classes": (28, 48),
    "100k_depth_8": (35, 62),
    "1m_depth_8": (70, 105),
    "images": (13, 25),
    "200k_regression": (22, 44),
    "200k_sqrt_features": (6, 11),
    "200k_missing": (25, 42),
    "100k_weights": (20, 35),
    "100k_best_first": (25, 40),
    "20k_real_weights": (3, 3),
    "20k_two_outputs": (3, 3),
    "20k_two_targets": (3, 3),
    "20k_monotonic": (3, 3),
    "5k_absolute_error": (3, 3),
    "iris": (1, 1),
}
TABLES = {
    "covertype": (33, 55),
    "letter": (18, 18),
    "skin": (25, 30),
    "mnist_10k": (16, 30),
    "pendigits": (22, 34),
    "adult": (10, 15),
    "electricity": (16, 25),
    "credit_default": (20, 30),
    "spambase": (9, 14),
    "mushroom": (5, 5),
}
LARGE = 3_000  # tables from this number of rows on are asked for more than not to be slower
LOWEST = {"classification": (7, 9), "regression": (6, 6)}
LOWEST_WITH_MISSING = 0.5  # of that
MEANS = {"classification": (18, 25), "regression": (12, 18)}
FLOAT64 = 0.7  # of what is asked of float32
NOT_SLOWER = 1.0
DEFAULT_CRITERIA = ("gini", "squared_error")


def measured(row):
    """Return the ratio of a row that counts: in CPU seconds at one thread, else in wall seconds."""
    return row["cpu_ratio"] if row["threads"] == 1 else row["ratio"]


def asked(row):
    """Return how many times faster than scikit-learn the fit of a row must be."""
    if row["criterion"] not in DEFAULT_CRITERIA:
        return NOT_SLOWER
    place = 0 if row["threads"] in (1, None) else 1
    floors = (SYNTHETIC | TABLES).get(row["workload"])
    floor = NOT_SLOWER
    if floors is not None:
        floor = floors[place]
    elif row["kind"] == "table" and row["n_samples"] >= LARGE:
        floor = LOWEST[row["task"]][place] * (LOWEST_WITH_MISSING if row["has_missing"] else 1.0)
    is_narrow = row["dtype"] == "float32" or row["workload"] == "iris"
    return floor if is_narrow or floor <= NOT_SLOWER else FLOAT64 * floor


def compare(rows):
    """Return one line for every floor that the rows of treelearn tell of.

    Returns
    -------
    list of tuple
        (what, threads, asked, measured).
    """
    own = [row for row in rows if row["peer"] == "treelearn"]
    lines = [
        (f"{row['workload']} {row['criterion']}", row["threads"], asked(row), measured(row))
        for row in own
    ]
    for threads in dict.fromkeys(row["threads"] for row in own):
        for task, floors in MEANS.items():
            ratios = [measured(row) for row in own if threads and _counts(row, task, threads)]
            if len(ratios) > 1:
                what = f"geometric mean of {len(ratios)} {task} tables"
                floor = floors[0 if threads == 1 else 1]
                lines.append((what, threads, floor, timing.geometric_mean(ratios)))
    return lines


def _counts(row, task, threads):
    """Return whether a row belongs to the geometric mean of a task."""
    is_measured = (row["kind"], row["task"], row["threads"]) == ("table", task, threads)
    is_default = row["dtype"] == "float32" and row["criterion"] in DEFAULT_CRITERIA
    return is_measured and is_default and row["n_samples"] >= LARGE


def format_lines(lines):
    """Write lines of `compare`, the worst beside what is asked of it first."""
    text = "{:<46} {:>7} {:>8} {:>9}  {}".format
    written = [text("floor", "threads", "asked", "measured", "")]
    for what, threads, floor, ratio in sorted(lines, key=lambda line: line[3] / line[2]):
        verdict = "held" if ratio >= floor else f"missed: {ratio / floor:.0%}"
        written.append(text(what, threads or "auto", f"{floor:g}", f"{ratio:.2f}", verdict))
    return "\n".join(written)
