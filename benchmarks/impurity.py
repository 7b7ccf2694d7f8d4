"""How many class counts a second and thread the batched impurities take, beside plain NumPy.

``python -m benchmarks.impurity --help`` shows the options. Counts a second are those of CPU time,
which hardly feels what else the machine does.
"""

import argparse

import numpy as np

from benchmarks import timing
from treelearn import batched

CASES = [
    ("gini", None),
    ("entropy", None),
    ("renyi", 0.5),
    ("renyi", 1.02),
    ("renyi", 3.0),
    ("renyi", 7.3),
    ("renyi_mean", 1.5),
    ("tsallis", 1.5),
    ("misclassification", None),
]
LINE = "{:<20} {:>8} {:>8} {:>12} {:>8} {:>10}"


def plain(counts, criterion, order):
    """Return impurities as one would write them in NumPy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = counts / counts.sum(axis=1, keepdims=True)
        if criterion == "gini":
            return 1.0 - (shares * shares).sum(axis=1)
        if criterion == "misclassification":
            return 1.0 - shares.max(axis=1)
        if criterion == "entropy":
            return -np.where(shares > 0.0, shares * np.log2(shares), 0.0).sum(axis=1)
        power_sum = (shares**order).sum(axis=1)
        if criterion == "renyi_mean":
            return np.log2(power_sum) / (1.0 - order)
        if criterion == "tsallis":
            return (1.0 - power_sum) / (order - 1.0)
        return order / (order - 1.0) * (1.0 - power_sum ** (1.0 / order))


def measure(n_classes, n_counts, dtype, budget_s):
    """Yield one row of results per criterion."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 100, (n_counts // n_classes, n_classes)).astype(dtype)
    counts[:, 0] += 1
    for criterion, order in CASES:
        calls = {
            "plain": lambda c=criterion, o=order: plain(counts, c, o),
            "treelearn": lambda c=criterion, o=order: batched.impurity(counts, c, o, n_jobs=1),
        }
        _, cpu, last = timing.interleave(calls, budget_s)
        np.testing.assert_allclose(last["treelearn"], last["plain"], rtol=1e-4, atol=1e-5)
        yield {
            "criterion": criterion if order is None else f"{criterion}:{order:g}",
            "n_classes": n_classes,
            "dtype": np.dtype(dtype).name,
            "counts_per_second": counts.size / float(np.median(cpu["treelearn"])),
            "times_faster_than_numpy": timing.compare(cpu["plain"], cpu["treelearn"]),
            "n_rounds": len(cpu["plain"]),
        }


def main(arguments=None):
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.impurity", description=__doc__)
    parser.add_argument("--classes", nargs="+", type=int, default=[2, 10, 100], metavar="N")
    parser.add_argument("--dtypes", nargs="+", default=["float64", "float32"], metavar="DTYPE")
    parser.add_argument("--counts", type=int, default=2_000_000, help="counts of a call")
    parser.add_argument("--budget", type=float, default=1.0, help="seconds for each row")
    parser.add_argument("--save", metavar="NAME", help="also write results/NAME.json")
    options = parser.parse_args(arguments)
    run = timing.describe_run("impurity", {})
    print(timing.format_heading(run))
    print(LINE.format("criterion", "classes", "dtype", "1e8 counts/s", "x NumPy", "rounds"))
    rows = []
    for dtype in options.dtypes:
        for n_classes in options.classes:
            for row in measure(n_classes, options.counts, dtype, options.budget):
                rows.append(row)
                print(
                    LINE.format(
                        *(row["criterion"], n_classes, dtype),
                        f"{row['counts_per_second'] / 1e8:.2f}",
                        f"{row['times_faster_than_numpy']['ratio']:.1f}",
                        row["n_rounds"],
                    ),
                    flush=True,
                )
    if options.save:
        print(f"\nwritten to {timing.save(options.save, run, rows)}")


if __name__ == "__main__":
    main()
