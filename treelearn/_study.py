"""Runs the fits of a study: fold by fold, side by side, and on from where it was stopped.

A fit is known by a key: the hash of the data, of the fold's samples and of all that its result
depends on.  A stored result is used again when its key is wanted again, and never otherwise, so
that one file may hold the fits of many tables and settings.
"""

import hashlib
import json
import os
import signal
import threading
import warnings
from dataclasses import dataclass, field

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, check_cv

from ._scores import chosen_parameters, classification_scores, fitted_tree, regression_scores
from ._version import __version__
from .criteria import takes_order

__all__ = ["FitStore", "StudyPlan", "folds_of", "run_study"]

_HEADER = {"treelearn_study": 1}


@dataclass(frozen=True)
class StudyPlan:
    """What is fitted on every fold.

    Attributes
    ----------
    task : {"classification", "regression"}
        What kind of target it is.
    n_classes : int or None
        Number of classes; None for regression.
    specs : list of (str, str, float or None)
        Label, name and order of every criterion.
    parameters : dict
        Parameters of all trees.
    grid : dict of list
        Parameters to choose by cross-validation within the training samples; may be empty.
    inner : int or splitter
        The folds of that choice.
    data_hash : str
        What the keys of the fits begin with.
    """

    task: str
    n_classes: int | None
    specs: list
    parameters: dict
    grid: dict = field(default_factory=dict)
    inner: object = 3
    data_hash: str = ""

    def grid_of(self, spec):
        """Return the grid of one criterion: an order that is given, or not taken, is not chosen."""
        _, name, order = spec
        is_open = takes_order(name) and order is None
        return {key: list(self.grid[key]) for key in self.grid if key != "order" or is_open}

    def key(self, spec, train, test):
        """Return what a fit is known by."""
        found = hashlib.sha256()
        inner = self.inner if isinstance(self.inner, int) else _description(self.inner)
        # The number of threads changes no bit of a tree.
        parameters = {name: v for name, v in self.parameters.items() if name != "n_jobs"}
        settings = [__version__, self.data_hash, self.task, spec, parameters]
        settings += [self.grid_of(spec), inner if self.grid else None]
        found.update(json.dumps(settings, default=str).encode())
        for samples in (train, test):
            found.update(np.asarray(samples, dtype=np.int64).tobytes())
            found.update(b";")
        return found.hexdigest()[:32]


def _description(splitter):
    return f"{type(splitter).__name__} {sorted(vars(splitter).items())}"


class FitStore:
    """A file of results, one JSON object a line, written as they come.

    Parameters
    ----------
    path : path
        The file; made when the first result comes.

    Raises
    ------
    ValueError
        If the file is there and holds something else.
    """

    def __init__(self, path):
        self.path = path
        self.found = {}
        self._file = None
        # What a stopped process was writing has no end of line: it is written over.
        self._end = 0
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            for n_before, line in enumerate(file):
                if not line.endswith(b"\n"):
                    break
                row = self._parsed(line, n_before)
                if n_before:
                    self.found[row.pop("key")] = row
                self._end += len(line)
            if file.seek(0, os.SEEK_END) and not self._end:
                raise self._refusal()

    def _refusal(self):
        return ValueError(f"{self.path} is there and is no study that treelearn has written.")

    def _parsed(self, line, n_before):
        try:
            row = json.loads(line)
        except ValueError:
            raise self._refusal() from None
        if not isinstance(row, dict) or (row != _HEADER if n_before == 0 else "key" not in row):
            raise self._refusal()
        return row

    def put(self, key, row):
        """Write a result down; it is on its way to the disk when this returns."""
        if self._file is None:
            self._file = open(self.path, "r+b" if os.path.exists(self.path) else "x+b")
            self._file.truncate(self._end)
            self._file.seek(self._end)
            if not self._end:
                self._write(_HEADER)
        self.found[key] = row
        self._write({"key": key, **row})

    def _write(self, row):
        self._file.write(json.dumps(row).encode() + b"\n")
        self._file.flush()

    def close(self):
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def folds_of(X, y, groups, task, cv, n_repeats, seed):
    """Return the training and the test samples of every fold.

    Parameters
    ----------
    X, y, groups : arrays
        The table; groups may be None.
    task : {"classification", "regression"}
        Classes are stratified where ``cv`` is a number.
    cv : int or splitter
        Number of folds, or a splitter of scikit-learn's kind.
    n_repeats : int
        How often a number of folds is repeated with new folds.
    seed : int
        Seed of the folds where ``cv`` is a number.

    Returns
    -------
    list of (ndarray, ndarray)
        Repeat by repeat.

    Raises
    ------
    ValueError
        If a splitter has fewer than two folds, or a fold without training or test samples, or
        with a single test sample in regression.
    """
    if isinstance(cv, int | np.integer):
        kind = RepeatedStratifiedKFold if task == "classification" else RepeatedKFold
        splitter = kind(n_splits=cv, n_repeats=n_repeats, random_state=seed)
    else:
        splitter = check_cv(cv)
    with warnings.catch_warnings():
        # Classes with fewer samples than folds have their own note.
        warnings.filterwarnings("ignore", message="The least populated class")
        folds = list(splitter.split(X, y, groups))
    if len(folds) < 2:
        raise ValueError(f"Differences need two folds or more; the splitter gives {len(folds)}.")
    for train, test in folds:
        if not len(train) or not len(test):
            raise ValueError("A fold of the splitter has no training or no test samples.")
        if task == "regression" and len(test) < 2:
            raise ValueError("R2 needs two test samples or more, and a fold has one.")
    return folds


def run_study(X, y, groups, folds, plan, *, store=None, n_jobs=None, progress=None):
    """Fit every criterion on every fold.

    Parameters
    ----------
    X, y, groups : arrays
        The table, as the estimators take it; groups may be None.
    folds : list of (ndarray, ndarray)
        From `folds_of`.
    plan : StudyPlan
        What to fit.
    store : FitStore or None
        Where results are kept.
    n_jobs : int or None
        None fits one tree after the other with all threads; a number works on so many folds
        side by side, each with one thread.
    progress : callable or None
        Called as ``progress(n_done, n_fits)``.

    Returns
    -------
    list of dict
        One row per fold and criterion, criteria varying fastest, with the texts of its warnings
        under ``warnings``.
    """
    rows = {}
    pending = []
    for i, (train, test) in enumerate(folds):
        missing = []
        for j, spec in enumerate(plan.specs):
            key = plan.key(spec, train, test) if store is not None else None
            if store is not None and key in store.found:
                rows[i, j] = store.found[key]
            else:
                missing.append((j, key))
        if missing:
            pending.append((i, missing))
    n_fits = len(folds) * len(plan.specs)
    if rows and progress is not None:
        progress(len(rows), n_fits)
    results = _results(X, y, groups, folds, plan, pending, n_jobs)
    for i, j, key, row in results:
        rows[i, j] = row
        if store is not None:
            store.put(key, row)
        if progress is not None:
            progress(len(rows), n_fits)
    return [rows[i, j] for i in range(len(folds)) for j in range(len(plan.specs))]


def _results(X, y, groups, folds, plan, pending, n_jobs):
    """Yield fold, criterion, key and row of every fit, as they come."""
    n_jobs = 1 if n_jobs is None else effective_n_jobs(n_jobs)
    if n_jobs == 1 or len(pending) < 2:
        for i, missing in pending:
            samples = _samples(X, y, groups, folds[i])
            for j, key in missing:
                yield i, j, key, _fit(samples, plan, plan.specs[j])
        return
    tasks = (
        delayed(_fits_of_fold)(X, y, groups, folds[i], plan, i, missing, os.getpid())
        for i, missing in pending
    )
    pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs")
    for found in pool(tasks):
        yield from found


def _fits_of_fold(X, y, groups, fold, plan, i, missing, waiting_process):
    is_main_thread = threading.current_thread() is threading.main_thread()
    if os.getpid() != waiting_process and is_main_thread:
        # Ctrl-C reaches all processes of a terminal; the one that waits decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    samples = _samples(X, y, groups, fold)
    return [(i, j, key, _fit(samples, plan, plan.specs[j])) for j, key in missing]


def _samples(X, y, groups, fold):
    train, test = fold
    group = None if groups is None else groups[train]
    return (X[train], y[train], X[test], y[test]), group


def _fit(samples, plan, spec):
    """Return the row of one criterion on one fold."""
    samples, groups = samples
    X, y = samples[:2]
    _, name, order = spec
    parameters = dict(plan.parameters)
    if order is not None:
        parameters["order"] = order
    chosen = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grid = plan.grid_of(spec)
        if grid:
            chosen = chosen_parameters(plan.task, name, parameters, grid, plan.inner, X, y, groups)
        tree, size = fitted_tree(plan.task, name, parameters | chosen, X, y)
        if plan.task == "classification":
            scores = classification_scores(tree, plan.n_classes, samples)
        else:
            scores = regression_scores(tree, samples)
    texts = [
        str(warning.message)
        for warning in caught
        if issubclass(warning.category, UserWarning | FutureWarning)
    ]
    row = {**scores, **size, "warnings": list(dict.fromkeys(texts))}
    if plan.grid:
        row["chosen"] = {key: getattr(v, "item", lambda v=v: v)() for key, v in chosen.items()}
    return row
