"""What right digits cost: measures of information against NumPy, SciPy, dit and infomeasure.

``python -m benchmarks.information --help`` shows the options; benchmarks/README.md says how to
read the output.
"""

import argparse
import importlib
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import mpmath
import numpy as np
import scipy
from scipy import special, stats

from benchmarks import timing
from treelearn import information as info

N_CLASSES = 10
N_ROWS = 1_000_000
N_QUICK_ROWS = 100_000
N_SLOW_ROWS = 100  # libraries that take one distribution at a time
DIGITS = 700  # 1 + 1e-300 is not 1, nor is its square
DIGITS_OF_COUNTS = 60
LINE = "{:<31} {:<14} {:>9} {:>10} {:>13} {:>7}  {}"
HEADER = LINE.format("measure", "library", "rows", "time", "times plain", "limit", "largest error")


@dataclass(frozen=True)
class Measure:
    """One measure: who computes it, on what, and what is right.

    Attributes
    ----------
    name : str
        Its name in the table.
    plain : callable
        The formula of the textbook in NumPy, over all rows at once: what time is counted in.
    ours : callable
        The same of treelearn.
    exact : callable
        The value of one row in mpmath.
    peers : dict of str to callable
        Other libraries, over all rows at once.
    slow_peers : dict of str to callable
        Other libraries, one row at a time.
    limit : float, optional
        How many times the plain formula's time ours may take, at the full number of rows: fewer
        fit the cache, where the plain formula is the faster of the two by more.
    arguments : int
        Distributions that it compares.
    takes_counts : bool
        Whether it takes counts instead of probabilities.
    largest_count : int
        Largest of the hard counts; infomeasure takes one label for each.
    """

    name: str
    plain: Callable
    ours: Callable
    exact: Callable
    peers: dict = field(default_factory=dict)
    slow_peers: dict = field(default_factory=dict)
    limit: float | None = None
    arguments: int = 1
    takes_counts: bool = False
    largest_count: int = 10**9


def parse_arguments(arguments=None):
    """Return the options of a run, or end the process with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.information",
        description="Time measures of information and count their right digits.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help=f"{N_QUICK_ROWS:,} rows instead of {N_ROWS:,}")
    add("--measures", nargs="+", metavar="NAME", help="words that the names must contain")
    add("--budget", type=float, default=8.0, help="seconds for each measure (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the distributions")
    add("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    add("--check", action="store_true", help="exit with status 1 where a limit is missed")
    options = parser.parse_args(arguments)
    if options.save and not re.fullmatch(r"\w[\w.-]*", options.save):
        parser.error("--save takes a plain name: letters, digits, '_', '-' and '.'")
    return options


def optional(name):
    """Return a module, or None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        return None


def measures():
    """Return all measures, with the peers that are installed."""
    dit, infomeasure = optional("dit"), optional("infomeasure")

    def of_dit(call):
        def one(*rows):
            names = [str(i) for i in range(N_CLASSES)]
            return call(*(dit.Distribution(names, row.tolist(), trim=False) for row in rows))

        return {"dit": one} if dit else {}

    def of_infomeasure(call):
        """Infomeasure takes samples, so counts become labels."""

        def one(counts):
            return call(np.repeat(np.arange(len(counts)), counts))

        return {"infomeasure": one} if infomeasure else {}

    # What 1 and 1e-300 lack or have too much of one is no fault of the measure.
    def exact_sum(p):
        return sum(map(mpmath.mpf, p.tolist()))

    def exact_power_sum(p, order):
        return sum(mpmath.mpf(x) ** mpmath.mpf(order) for x in p.tolist() if x > 0)

    def exact_entropy(p):
        return -sum(mpmath.mpf(x) * mpmath.log(x) for x in p.tolist() if x > 0)

    def exact_kl(p, q):
        pairs = zip(p.tolist(), q.tolist(), strict=True)
        return sum(x * mpmath.log(mpmath.mpf(x) / y) for x, y in pairs if x > 0)

    def exact_kt(counts):
        half, n = mpmath.mpf(0.5), int(counts.sum())
        parts = sum(mpmath.loggamma(int(c) + half) - mpmath.loggamma(half) for c in counts)
        whole = mpmath.loggamma(n + len(counts) * half) - mpmath.loggamma(len(counts) * half)
        return (whole - parts) / mpmath.log(2)

    def exact_miller_madow(counts):
        n = int(counts.sum())
        p = [mpmath.mpf(int(c)) / n for c in counts if c]
        return -sum(x * mpmath.log(x) for x in p) + mpmath.mpf(len(p) - 1) / (2 * n)

    def plain_kt(counts):
        n, k = counts.sum(-1), counts.shape[-1]
        parts = (special.gammaln(counts + 0.5) - special.gammaln(0.5)).sum(-1)
        return (special.gammaln(n + k / 2) - special.gammaln(k / 2) - parts) / np.log(2)

    def plain_miller_madow(counts):
        n = counts.sum(-1)
        p = counts / n[:, None]
        return -special.xlogy(p, p).sum(-1) + (np.count_nonzero(counts, axis=-1) - 1) / (2 * n)

    found = [
        Measure(
            "entropy",
            plain=lambda p: -(p * np.log(p)).sum(-1),
            ours=info.entropy,
            exact=exact_entropy,
            peers={
                "scipy": lambda p: stats.entropy(p, axis=-1),
                "scipy entr": lambda p: special.entr(p).sum(-1),
            },
            slow_peers=of_dit(lambda d: float(dit.shannon.entropy(d)) * np.log(2)),
            limit=1.3,
        )
    ]
    for order in (0.5, 2.0, 1 + 1e-9, 30.0):
        found.append(
            Measure(
                f"renyi_entropy, order {order:.10g}",
                plain=lambda p, order=order: np.log((p**order).sum(-1)) / (1 - order),
                ours=lambda p, order=order: info.renyi_entropy(p, order),
                exact=lambda p, order=order: (
                    mpmath.log(1 + exact_power_sum(p, order) - exact_sum(p))
                    / (1 - mpmath.mpf(order))
                ),
                slow_peers=of_dit(
                    lambda d, order=order: float(dit.other.renyi_entropy(d, order)) * np.log(2)
                ),
                limit=2.0,
            )
        )
    found += [
        Measure(
            "tsallis_entropy, order 1.5",
            plain=lambda p: (1 - (p**1.5).sum(-1)) / 0.5,
            ours=lambda p: info.tsallis_entropy(p, 1.5),
            exact=lambda p: (exact_sum(p) - exact_power_sum(p, 1.5)) * 2,
            slow_peers=of_dit(lambda d: float(dit.other.tsallis_entropy(d, 1.5))),
        ),
        Measure(
            "kl_divergence",
            plain=lambda p, q: (p * np.log(p / q)).sum(-1),
            ours=info.kl_divergence,
            exact=exact_kl,
            peers={
                "scipy": lambda p, q: stats.entropy(p, q, axis=-1),
                "scipy rel_entr": lambda p, q: special.rel_entr(p, q).sum(-1),
            },
            slow_peers=of_dit(
                lambda d, e: float(dit.divergences.kullback_leibler_divergence(d, e)) * np.log(2)
            ),
            arguments=2,
        ),
        Measure(
            "kt_code_length",
            plain=plain_kt,
            ours=info.kt_code_length,
            exact=exact_kt,
            takes_counts=True,
        ),
        Measure(
            "entropy, Miller-Madow",
            plain=plain_miller_madow,
            ours=lambda counts: info.entropy_from_counts(counts, estimator="miller_madow"),
            exact=exact_miller_madow,
            slow_peers=of_infomeasure(
                lambda x: infomeasure.entropy(x, approach="miller_madow", base="e")
            ),
            takes_counts=True,
            largest_count=1000,
        ),
    ]
    return found


def usual_rows(measure, n_rows, rng):
    """Return what is timed: random distributions without zeros, or counts below 100."""
    if measure.takes_counts:
        return [rng.integers(1, 100, (n_rows, N_CLASSES))]
    return [rng.dirichlet(np.ones(N_CLASSES), n_rows) for _ in range(measure.arguments)]


def hard_rows(measure, rng, n_rows=60):
    """Return what is checked: nearly sure, with zeros, and from 1 down to 1e-300.

    Shares are whole multiples of 2**-50, so that they sum to one exactly and a wrong sum is not
    to blame for a wrong digit.
    """
    if measure.takes_counts:
        spread = rng.choice([0, 1, 10, 100, measure.largest_count], (n_rows, N_CLASSES))
        counts = rng.integers(0, spread + 1)
        counts[:, 0] += 1
        return [counts]
    rows = []
    for _ in range(measure.arguments):
        shares = rng.dirichlet(np.full(N_CLASSES, 0.1), n_rows)
        whole = np.floor(shares * 2.0**50)
        whole[:, 0] += 2.0**50 - whole.sum(1)
        rows.append(whole / 2.0**50)
    if measure.arguments == 1:
        sure = np.zeros((4, N_CLASSES))
        sure[:, 0] = 1.0
        sure[1:, 1] = 1e-20, 1e-100, 1e-300
        return [np.vstack([rows[0], sure])]
    # A divergence of nearly equal distributions is where the digits are lost.
    p = np.maximum(rows[0] * 2.0**50, 0) + 1
    q = p.copy()
    q[:, 0] += 1024
    q[:, 1] = np.maximum(q[:, 1] - 1024, 1)
    q[:, 0] += p.sum(1) - q.sum(1)
    total = 2.0 ** np.ceil(np.log2(p.sum(1)))
    for side in (p, q):
        side[:, 2] += total - side.sum(1)
    return [p / total[:, None], q / total[:, None]]


def largest_error(call, rows, exact):
    """Return the largest relative error, infinite where a value is missing."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = np.asarray(call(*rows), dtype=float)
    worst = 0.0
    for value, right in zip(found.tolist(), exact, strict=True):
        if not np.isfinite(value):
            return float("inf")
        error = abs(mpmath.mpf(value) - right)
        worst = max(worst, float(error / abs(right)) if right else float(error > 0))
    return worst


def one_by_one(call):
    """Return a call over all rows from a call for one."""
    return lambda *rows: np.array([call(*row) for row in zip(*rows, strict=True)])


def run_measure(measure, n_rows, options):
    """Return one row for every library that has the measure."""
    rng = np.random.default_rng(options.seed)
    usual, hard = usual_rows(measure, n_rows, rng), hard_rows(measure, rng)
    few = [array[:N_SLOW_ROWS] for array in usual]
    digits = DIGITS_OF_COUNTS if measure.takes_counts else DIGITS
    with mpmath.workdps(digits):
        exact = [measure.exact(*row) for row in zip(*hard, strict=True)]
    sides = {"plain": measure.plain, "treelearn": measure.ours, **measure.peers}
    slow = {name: one_by_one(call) for name, call in measure.slow_peers.items()}
    calls = {name: lambda call=call: call(*usual) for name, call in sides.items()}
    calls |= {name: lambda call=call: call(*few) for name, call in slow.items()}
    _, cpu, _ = timing.interleave(calls, options.budget)
    rows = []
    for name, call in (sides | slow).items():
        # Ratios are paired round by round and count CPU time: a busy machine hits both sides.
        scale = n_rows / len(few[0]) if name in slow else 1.0
        cost = timing.compare(cpu[name] * scale, cpu["plain"])
        with mpmath.workdps(digits):
            error = largest_error(call, hard, exact)
        rows.append(
            {
                "measure": measure.name,
                "library": name,
                "n_rows": len(few[0]) if name in slow else n_rows,
                "n_classes": N_CLASSES,
                "cpu": float(np.median(cpu[name])),
                "times_plain": cost["ratio"],
                "lower": cost["lower"],
                "upper": cost["upper"],
                "limit": measure.limit if name == "treelearn" and n_rows == N_ROWS else None,
                "largest_error": error,
                "n_rounds": len(cpu[name]),
            }
        )
    return rows


def format_row(row):
    """Write a row as one line below `HEADER`."""
    return LINE.format(
        row["measure"],
        row["library"],
        row["n_rows"],
        timing.format_seconds(row["cpu"]),
        f"{row['times_plain']:.3g}",
        "" if row["limit"] is None else f"{row['limit']:g}",
        f"{row['largest_error']:.1e}",
    )


def main(arguments=None):
    """Run the benchmark and return the exit status."""
    options = parse_arguments(arguments)
    chosen = [
        measure
        for measure in measures()
        if not options.measures or any(word in measure.name for word in options.measures)
    ]
    if not chosen:
        sys.exit(f"no measure is called {' or '.join(options.measures)}")
    versions = {"scipy": scipy.__version__, "mpmath": mpmath.__version__}
    for name in ("treelearn", "dit", "infomeasure"):
        module = optional(name)
        versions[name] = getattr(module, "__version__", "absent")
    heading = timing.describe_run("information", versions)
    print(timing.format_heading(heading))
    print(HEADER)
    rows = []
    for measure in chosen:
        new_rows = run_measure(measure, N_QUICK_ROWS if options.quick else N_ROWS, options)
        rows += new_rows
        print("\n".join(map(format_row, new_rows)), flush=True)
    if options.save:
        for row in rows:  # JSON has no infinity
            row["largest_error"] = row["largest_error"] if row["largest_error"] < np.inf else "inf"
        print(f"saved: benchmarks/results/{timing.save(options.save, heading, rows).name}")
    missed = [row for row in rows if row["limit"] and row["times_plain"] > row["limit"]]
    for row in missed:
        print(f"limit missed: {row['measure']} {row['times_plain']:.2f}, asked {row['limit']:g}")
    if options.check and not missed:
        print("all limits of the rows above are held")
    return int(options.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
