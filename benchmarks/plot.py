"""A chart of a result of `benchmarks.fit`: how many times faster than scikit-learn.

``python -m benchmarks.plot quick`` reads benchmarks/results/quick.json and writes quick.svg
beside it.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import floors, timing

COLOURS = ["#1b6ca8", "#d95f02", "#6a51a3", "#2ca25f", "#b8860b", "#c51b8a", "#666666"]
SALT = {"svg.hashsalt": "treelearn", "svg.fonttype": "none", "font.family": "sans-serif"}


def parse_arguments(arguments=None):
    """Return the options, or end the process with a message."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description=__doc__)
    parser.add_argument("result", help="name in benchmarks/results, or path of a JSON file")
    parser.add_argument("--output", type=Path, help="default: the result's path with .svg")
    options = parser.parse_args(arguments)
    path = Path(options.result)
    if path.suffix != ".json":
        path = timing.RESULTS / f"{options.result}.json"
    if not path.is_file():
        parser.error(f"there is no file {path}")
    options.result = path
    options.output = options.output or path.with_suffix(".svg")
    return options


def name_side(row):
    """Name a peer with its threads."""
    if row["threads"] is None:
        return row["peer"]
    return f"{row['peer']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"


def collect(rows):
    """Return the ratios by side and workload, the workloads in the order of the chart."""
    ratios = {}
    for row in rows:
        if row["criterion"] in floors.DEFAULT_CRITERIA:
            label = (
                f"{row['workload'].replace('_', ' ')}  ({row['n_samples']:,} × {row['n_features']})"
            )
            ratios.setdefault(name_side(row), {})[label] = floors.measured(row)
    best = {}
    for of_side in ratios.values():
        for label, ratio in of_side.items():
            best[label] = max(ratio, best.get(label, 0.0))
    return ratios, sorted(best, key=best.get)


def draw(result, output):
    """Draw a dot for every row of a result and save the chart."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    ratios, labels = collect(result["rows"])
    place = {label: i for i, label in enumerate(labels)}
    with matplotlib.rc_context(SALT):
        figure = Figure(figsize=(8, 1.3 + 0.28 * len(labels)), layout="constrained")
        axes = figure.subplots()
        for (side, of_side), colour in zip(ratios.items(), COLOURS * len(ratios), strict=False):
            places = [place[label] for label in of_side]
            axes.plot(list(of_side.values()), places, "o", color=colour, label=side, ms=7)
        axes.axvline(1.0, color="black", lw=1)
        axes.set_xscale("log")
        largest = max(max(of_side.values()) for of_side in ratios.values())
        ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if tick <= largest]
        smallest = min(min(of_side.values()) for of_side in ratios.values())
        ticks = [tick for tick in ticks if tick >= min(1.0, smallest)]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels([f"{tick:g}×" for tick in ticks])
        axes.set_yticks(range(len(labels)), labels)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="both", color="#dddddd", lw=0.7)
        axes.set_axisbelow(True)
        for edge in ("top", "right", "left"):
            axes.spines[edge].set_visible(False)
        axes.set_xlabel(
            f"times faster than scikit-learn {result['versions']['scikit-learn']} "
            f"(the black line), one fit, {result['machine']['processor']}"
        )
        figure.legend(loc="outside upper center", ncols=min(3, len(ratios)), frameon=False)
        figure.savefig(output, format="svg", metadata={"Date": None})


def main(arguments=None):
    """Draw the chart and return the exit status."""
    options = parse_arguments(arguments)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        sys.exit(f'the chart needs matplotlib ({error}): pip install ".[bench]"')
    result = json.loads(options.result.read_text(encoding="utf-8"))
    if result["benchmark"] != "fit" or not result["rows"]:
        sys.exit(f"{options.result.name} is no result of benchmarks.fit")
    draw(result, options.output)
    print(f"saved: {options.output.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
