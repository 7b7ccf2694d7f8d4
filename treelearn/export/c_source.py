"""The tree as C: one file of tables and a loop, without any dependency."""

import ctypes
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from .._version import __version__
from ..model import Model
from ._base import Export, Leaves

__all__ = ["CExport", "to_c"]

_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while".split()
)
_PER_LINE = 8


class CExport(Export):
    """A tree as the text of a C file."""

    def __init__(self, model, content, name):
        self.name = name
        super().__init__(model, content)

    def verify(self, X, n_probed=1000, compiler=None):
        """Compile the file, run it, and compare it with the tree to the last bit.

        Parameters
        ----------
        X : ndarray or frame of shape (n_samples, n_features)
            Rows to compare on; see `Export.verify`.
        n_probed : int, default=1000
            Inner nodes to try next to their thresholds.
        compiler : str, default=None
            Command of the C compiler. None: the environment variable ``CC``, else cc, gcc or
            clang.

        Returns
        -------
        Verification
            What was compared.

        Raises
        ------
        VerificationError
            If there is a difference; it names the rows.
        OSError
            If there is no compiler, or it refuses the file.
        """
        return super().verify(X, n_probed, compiler=compiler)

    def _run(self, rows, compiler):
        command = _compiler(compiler)
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder, "tree.c"), Path(folder, "tree.so")
            source.write_text(self.content + _driver(self.name, self.model), encoding="ascii")
            flags = ["-std=c99", "-O1", "-shared", "-fPIC", "-o", str(library), str(source)]
            done = subprocess.run([*command, *flags], capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"The C compiler {command[0]} failed: {done.stderr.strip()[:500]}")
            return _call(ctypes.CDLL(str(library)), self.model, rows)


def to_c(tree, name="tree", *, feature_names=None):
    """Return a tree as C99 source, for one compiler call and nothing else.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.
    name : str, default="tree"
        What all names in the file begin with.
    feature_names : sequence of str, default=None
        Names in place of the tree's own.

    Returns
    -------
    CExport
        ``str`` of it is the source. It defines, for rows of ``double`` in which NaN is missing:

        - ``long NAME_leaf(const double *row)``: the leaf, as ``apply`` returns it;
        - ``int NAME_predict(const double *row)``: place of the class in ``NAME_labels``, or
          ``double NAME_predict(const double *row)`` of a regression; of several outputs
          ``void NAME_predict(const double *row, int *out)`` or ``double *out``;
        - ``void NAME_probabilities(const double *row, double *out)`` of a classifier;
        - ``double NAME_code(int feature, const char *text)`` where there are categories: the
          number that stands for one (UTF-8), NaN for one that is unknown;
        - ``NAME_feature_names`` and ``NAME_labels``.

    Raises
    ------
    TypeError, ValueError
        If it is no fitted tree, the name is none in C, or a label holds a NUL character.

    Notes
    -----
    Numbers are written in hexadecimal, so that the compiler gives back the same bits. The file
    refuses to be compiled under ``-ffast-math``, which does not know NaN.

    Examples
    --------
    >>> from treelearn import DecisionTreeRegressor
    >>> from treelearn.export import to_c
    >>> tree = DecisionTreeRegressor().fit([[1.0], [2.0]], [0.5, 3.0])
    >>> print(str(to_c(tree, "price"))[-98:])
    double price_predict(const double *row)
    {
        return price_value[price_place[price_leaf(row)]];
    }
    <BLANKLINE>
    """
    if not (re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", str(name)) and name not in _KEYWORDS):
        raise ValueError(f"name must be a name of C, not {name!r}.")
    model = Model.of(tree, feature_names)
    leaves = Leaves(model)
    inner = leaves.tree
    places = np.cumsum(inner.children_left == -1) - 1
    parts = [
        f"/* A decision tree of treelearn {__version__}, C99. A value that is NaN is missing. */",
        "#include <math.h>",
        "#include <string.h>",
        "",
        "#ifdef __FAST_MATH__",
        '#error "Under -ffast-math NaN is no missing value."',
        "#endif",
        "",
        _array("char *const", f"{name}_feature_names", map(_text, model.feature_names), ""),
        _array("int", f"{name}_feature", np.maximum(inner.feature, 0).tolist()),
        _array("double", f"{name}_threshold", map(_double, inner.threshold.tolist())),
        _array("char", f"{name}_missing_left", inner.missing_go_to_left.tolist()),
        "/* The left child of a node follows it; a leaf has no right one. */",
        _array("long", f"{name}_right", inner.children_right.tolist()),
        "/* The place of a leaf among the leaves. */",
        _array("long", f"{name}_place", places.tolist()),
        _LEAF.replace("NAME", name),
    ]
    parts += _classes(name, leaves) if model.is_classifier else _values(name, leaves)
    if any(column.kind == "category" for column in model.columns):
        parts += _categories(name, model.columns)
    return CExport(model, "\n".join(parts), name)


_LEAF = """\
long NAME_leaf(const double *row)
{
    long node = 0;
    while (NAME_right[node] >= 0) {
        double value = row[NAME_feature[node]];
        int goes_left = value != value ? NAME_missing_left[node] : value <= NAME_threshold[node];
        node = goes_left ? node + 1 : NAME_right[node];
    }
    return node;
}
"""

_PREDICT_ONE = """\
KIND NAME_predict(const double *row)
{
    return NAME_value[NAME_place[NAME_leaf(row)]];
}
"""

_PREDICT_SEVERAL = """\
void NAME_predict(const double *row, KIND *out)
{
    const KIND *value = NAME_value + N_OUTPUTS * NAME_place[NAME_leaf(row)];
    for (int k = 0; k < N_OUTPUTS; k++)
        out[k] = value[k];
}
"""

_PROBABILITIES = """\
/* out: N_CLASSES shares, output after output. */
void NAME_probabilities(const double *row, double *out)
{
    long leaf = NAME_place[NAME_leaf(row)];
    for (int k = 0; k < N_CLASSES; k++)
        out[k] = 0.0;
    for (long i = NAME_start[leaf]; i < NAME_start[leaf + 1]; i++)
        out[NAME_class[i]] = NAME_share[i];
}
"""

_CODE = """\
double NAME_code(int feature, const char *text)
{
    for (long k = NAME_level_start[feature]; k < NAME_level_start[feature + 1]; k++)
        if (strcmp(NAME_level[k], text) == 0)
            return (double)(k - NAME_level_start[feature]);
    return NAN;
}
"""


def _predict(name, kind, n_outputs):
    text = _PREDICT_ONE if n_outputs == 1 else _PREDICT_SEVERAL
    filled = text.replace("NAME", name).replace("KIND", kind)
    return filled.replace("N_OUTPUTS", str(n_outputs))


def _values(name, leaves):
    n_outputs = leaves.model.n_outputs
    values = np.stack([leaves.predictions(k) for k in range(n_outputs)], axis=1)
    return [
        _array("double", f"{name}_value", map(_double, values.ravel().tolist())),
        _predict(name, "double", n_outputs),
    ]


def _classes(name, leaves):
    model = leaves.model
    labels = [str(label) for labels in model.classes for label in labels.tolist()]
    places = np.stack([leaves.predictions(k) for k in range(model.n_outputs)], axis=1)
    # Most leaves have few of the classes: only what is not zero is written.
    shares = np.concatenate(leaves.shares, axis=1)
    rows, columns = np.nonzero(shares)
    starts = np.searchsorted(rows, np.arange(len(shares) + 1))
    probabilities = _PROBABILITIES.replace("NAME", name).replace("N_CLASSES", str(len(labels)))
    return [
        _array("char *const", f"{name}_labels", map(_text, labels), ""),
        _array("int", f"{name}_value", places.ravel().tolist()),
        _array("long", f"{name}_start", starts.tolist()),
        _array("int", f"{name}_class", columns.tolist()),
        _array("double", f"{name}_share", map(_double, shares[rows, columns].tolist())),
        probabilities,
        _predict(name, "int", model.n_outputs),
    ]


def _categories(name, columns):
    starts = np.cumsum([0] + [len(column.levels) for column in columns]).tolist()
    levels = [str(level) for column in columns for level in column.levels]
    return [
        _array("char *const", f"{name}_level", map(_text, levels or [""])),
        _array("long", f"{name}_level_start", starts),
        _CODE.replace("NAME", name),
    ]


def _array(kind, name, values, storage="static "):
    values = list(map(str, values))
    lines = [
        "    " + ", ".join(values[start : start + _PER_LINE])
        for start in range(0, len(values), _PER_LINE)
    ]
    body = ",\n".join(lines)
    return f"{storage}const {kind} {name}[{len(values)}] = {{\n{body}\n}};\n"


def _double(value):
    if np.isinf(value):
        return "HUGE_VAL" if value > 0 else "-HUGE_VAL"
    return value.hex()


def _text(text):
    """Return text as a string of C, in ASCII whatever is in it."""
    if "\0" in text:
        raise ValueError(f"C has no text with a NUL character, as in {text[:40]!r}.")
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text[:40]!r} is no Unicode text.") from None
    # A question mark could be part of a trigraph.
    plain = [
        chr(octet) if 32 <= octet < 127 and chr(octet) not in '"\\?' else f"\\{octet:03o}"
        for octet in octets
    ]
    return '"' + "".join(plain) + '"'


# -- running --------------------------------------------------------------------------------


def _compiler(command):
    """Return the words of the command of a C compiler."""
    command = command or os.environ.get("CC")
    if command:
        return shlex.split(command)
    for known in ("cc", "gcc", "clang"):
        if shutil.which(known):
            return [known]
    raise OSError("There is no C compiler: install cc, gcc or clang, or name one in CC.")


def _driver(name, model):
    """Return a function that does all rows, so that they need not be called one by one."""
    kind = "int" if model.is_classifier else "double"
    one = f"out[i] = {name}_predict(row);"
    several = f"{name}_predict(row, out + i * {model.n_outputs});"
    n_classes = sum(map(len, model.classes)) if model.is_classifier else 0
    shares = f"{name}_probabilities(row, shares + i * {n_classes});" if n_classes else ""
    return (
        f"void treelearn_verify(const double *rows, long n, long *leaf, {kind} *out, "
        "double *shares)\n{\n    (void)shares;\n    for (long i = 0; i < n; i++) {\n"
        f"        const double *row = rows + i * {len(model.columns)};\n"
        f"        leaf[i] = {name}_leaf(row);\n"
        f"        {one if model.n_outputs == 1 else several}\n        {shares}\n    }}\n}}\n"
    )


def _call(library, model, rows):
    rows = np.ascontiguousarray(rows)
    n = len(rows)
    leaf = np.empty(n, dtype=np.dtype(ctypes.c_long))
    dtype = np.intc if model.is_classifier else np.float64
    out = np.empty((n, model.n_outputs), dtype=dtype)
    n_classes = [len(labels) for labels in model.classes or ()]
    shares = np.empty((n, sum(n_classes)))
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (leaf, out, shares)]
    library.treelearn_verify(ctypes.c_void_p(rows.ctypes.data), ctypes.c_long(n), *pointers)
    found, first = {"leaf": leaf}, 0
    for output, mark in enumerate(model.output_marks()):
        found[f"prediction{mark}"] = out[:, output]
        if model.is_classifier:
            labels = model.classes[output]
            found[f"prediction{mark}"] = labels[out[:, output]]
            found[f"probability{mark}"] = shares[:, first : first + len(labels)]
            first += len(labels)
    return found
