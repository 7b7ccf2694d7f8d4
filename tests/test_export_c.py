"""Trees as C, compiled and run."""

import ctypes
import os
import shutil
import subprocess

import numpy as np
import pytest
from exported import HOSTILE_NAMES, TEXTS, chain, fitted_trees, mixed_model
from hypothesis import given, settings

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor
from treelearn.export import VerificationError, to_c

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not any(map(shutil.which, ("cc", "gcc", "clang"))),
    reason="no C compiler that takes the options of cc",
)


@settings(max_examples=8)
@given(fitted=fitted_trees())
def test_every_row_agrees(fitted):
    estimator, X = fitted
    found = to_c(estimator).verify(X)
    assert found.n_nodes_probed == found.n_inner_nodes


@settings(max_examples=8)
@given(fitted=fitted_trees(n_outputs=2))
def test_every_row_of_several_outputs_agrees(fitted):
    estimator, X = fitted
    to_c(estimator).verify(X)


def test_examples(class_table):
    X, y = class_table
    X[::7, 1] = np.nan
    to_c(DecisionTreeClassifier(criterion="renyi", order=0.5).fit(X, y)).verify(X)
    to_c(DecisionTreeRegressor(max_depth=4).fit(X, np.column_stack([y, -y]))).verify(X)


def test_a_deep_tree():
    estimator, X = chain(5000)
    to_c(estimator).verify(X, n_probed=20)


def _compiled(folder, text, *flags):
    """Compile a file and return the library, or what the compiler says."""
    source = folder / "model.c"
    source.write_text(text, encoding="ascii")
    command = next(filter(shutil.which, ("cc", "gcc", "clang")))
    done = subprocess.run(
        [command, *flags, "-shared", "-fPIC", "-o", folder / "model.so", source],
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stderr if done.returncode else ctypes.CDLL(str(folder / "model.so"))


def test_the_file_alone_compiles_without_a_warning(tmp_path):
    pd = pytest.importorskip("pandas", reason="categories come from a frame")
    model, frame = mixed_model(pd)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2"]
    library = _compiled(tmp_path, str(to_c(model, "customer")), *strict)
    assert not isinstance(library, str), library
    library.customer_code.restype = ctypes.c_double
    library.customer_code.argtypes = [ctypes.c_int, ctypes.c_char_p]
    for j, column in enumerate(model.columns):
        for code, level in enumerate(column.levels):
            assert library.customer_code(j, str(level).encode()) == code
        assert np.isnan(library.customer_code(j, b"never seen"))
    labels = (ctypes.c_char_p * 3).in_dll(library, "customer_labels")
    assert [text.decode() for text in labels] == model.classes[0].tolist()
    names = (ctypes.c_char_p * len(model.columns)).in_dll(library, "customer_feature_names")
    assert [text.decode() for text in names] == model.feature_names
    row = np.ascontiguousarray(model.rows(frame)[3])
    place = library.customer_predict(ctypes.c_void_p(row.ctypes.data))
    assert model.classes[0][place] == model.predict(frame)[3]


def test_names_and_labels_are_text(tmp_path):
    X = np.random.default_rng(2).random((60, len(HOSTILE_NAMES)))
    labels = np.array([*HOSTILE_NAMES, *TEXTS])[np.arange(60) % 20]
    tree = DecisionTreeClassifier().fit(X, labels)
    export = to_c(tree, feature_names=HOSTILE_NAMES)
    export.verify(X)
    library = _compiled(tmp_path, str(export), "-std=c99", "-trigraphs")
    names = (ctypes.c_char_p * len(HOSTILE_NAMES)).in_dll(library, "tree_feature_names")
    assert [text.decode() for text in names] == HOSTILE_NAMES


def test_fast_math_is_refused(tmp_path):
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    said = _compiled(tmp_path, str(to_c(tree)), "-ffast-math")
    assert isinstance(said, str) and "NaN is no missing value" in said


@pytest.mark.parametrize("name", ["", "3d", "a b", "int", "a-b", "ü", "_x", "a;b"])
def test_names_that_are_none_in_c(name):
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="name of C"):
        to_c(tree, name)


def test_text_that_c_has_not():
    for label in ("a\0b", "\ud800"):
        labels = np.array([label, "x"], dtype=object)
        with pytest.raises(ValueError):
            to_c(DecisionTreeClassifier().fit([[0.0], [1.0]], labels))


def test_a_compiler_that_is_not_there_or_fails():
    export = to_c(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    with pytest.raises(OSError):
        export.verify([[0.0]], compiler="no-such-compiler")
    with pytest.raises(OSError, match="failed"):
        export.verify([[0.0]], compiler="cc -Dlong=3")


def test_a_difference_is_reported_with_its_row():
    tree = DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])
    export = to_c(tree)
    assert "0x1.0000000000000p-1" in export.content
    export.content = export.content.replace("0x1.0000000000000p-1", "0x1.0000000000000p-2")
    with pytest.raises(VerificationError, match="row 1: leaf 2 instead of 1"):
        export.verify([[0.0], [0.4]])
