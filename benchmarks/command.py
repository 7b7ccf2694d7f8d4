"""The options that the scripts share, and how a run begins and ends."""

import argparse
import atexit
import re
import subprocess
import sys

import numpy as np

from benchmarks import peers, timing


def parser(name, description):
    """Return a parser with the options of every script."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    add = made.add_argument
    add("--quick", action="store_true", help="a small selection, under two minutes")
    add("--seed", type=int, default=0, help="of the synthetic data and of the trees")
    add("--rows", type=int, metavar="N", help="no more rows than this, to try something out")
    add("--rounds", type=int, help="a fixed number of rounds instead of the time budget")
    add("--budget", type=float, help="seconds for each row (default: 10; with --quick 6)")
    add("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    add("--neighbour", action="store_true", help="keep the last core busy meanwhile (Linux)")
    return made


def parse(made, arguments=None):
    """Return the options of a run, complete and checked, or end the process with a message."""
    options = made.parse_args(arguments)
    threads = getattr(options, "threads", [])
    if options.save and not re.fullmatch(r"\w[\w.-]*", options.save):
        made.error("--save takes a plain name: letters, digits, '_', '-' and '.'")
    counts = [options.rounds, options.rows, *np.atleast_1d(threads)]
    if any(count is not None and count < 1 for count in counts):
        made.error("--rounds, --rows and --threads take numbers from 1 up")
    options.budget = options.budget or (6.0 if options.quick else 10.0)
    if options.neighbour:
        start_neighbour()
    return options


def start_neighbour():
    """Start a process that keeps the last core busy until this one ends."""
    work = (
        "import os; parent = os.getppid(); os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})"
        "\nwhile os.getppid() == parent: sum(range(1000000))"
    )
    neighbour = subprocess.Popen([sys.executable, "-c", work])
    atexit.register(stop_neighbour, neighbour)


def stop_neighbour(neighbour):
    """Stop the process, and say so if it has ended before."""
    if neighbour.poll() is not None:
        print("the busy neighbour ended too soon: the figures are those of a quiet core")
    neighbour.kill()
    neighbour.wait()


def begin(name, peer_names):
    """Import the peers, print what runs where, and return the peers by name and the heading."""
    try:
        library = {peer: peers.PEERS[peer]() for peer in dict.fromkeys(peer_names)}
    except ImportError as error:
        sys.exit(f'a peer cannot be imported ({error}); they come with pip install ".[bench]"')
    heading = timing.describe_run(name, {peer: library[peer].version for peer in library})
    print(timing.format_heading(heading))
    inexact = [peer for peer in library if not library[peer].is_exact]
    if inexact:
        print(f"not exact, for they search among bins of values: {', '.join(inexact)}\n")
    return library, heading


def end(options, heading, rows):
    """Save the rows where that was asked for."""
    if options.save:
        print(f"saved: benchmarks/results/{timing.save(options.save, heading, rows).name}")
