"""device="cuda": the tree of the CPU to the bit, on arrays of either side; errors and fallbacks.

Without a GPU the whole way is gone with NumPy kernels, and with the CPU twin of the CUDA sources.
"""

import ast
import logging
import pickle
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
from cuda_twin import OnDevice, stand_in
from hypothesis import given
from level_wise import REGRESSION, estimator_of, problems, same_arrays
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from strategies import CLASS_CRITERIA

from treelearn import DecisionTreeClassifier, DecisionTreeRegressor, TrainingSet, _cupy, _device
from treelearn.histogram import cuda_kernels, numpy_kernels, numpy_values
from treelearn.histogram.engine import Engine
from treelearn.histogram.memory import bytes_per_row, fit_bytes


def has_gpu():
    try:
        _cupy.Device()
    except (ImportError, RuntimeError):
        return False
    return True


ENGINES = [
    "numpy",
    "twin",
    "threads",
    pytest.param("cuda", marks=pytest.mark.skipif(not has_gpu(), reason="there is no GPU")),
]


@pytest.fixture(params=ENGINES)
def device(request, libraries):
    """Return a device: a stand-in, or a GPU."""
    with stand_in(request.param, libraries) as found:
        yield found


def tree_state(estimator):
    """Return the arrays of a tree."""
    state = estimator._tree.__getstate__()
    return {name: a for name, a in state.items() if isinstance(a, np.ndarray)}


def fit_both(device, estimator, X, y, sample_weight=None):
    """Fit on the CPU, on a device from host arrays, and from arrays there; compare; return both."""
    on_cpu = clone(estimator).set_params(device="cpu")
    on_cpu.set_params(max_bins=estimator.max_bins or 255)
    moved = [X] + [a if a is None else np.asarray(a) for a in (y, sample_weight)]
    moved = [a if a is None or a.dtype.kind in "UO" else device.put(a) for a in moved]
    others = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="criterion='renyi_mean'")
        on_cpu.fit(X, y, sample_weight)
        for arrays in ((X, y, sample_weight), moved):
            others.append(clone(estimator).set_params(device="cuda").fit(*arrays))
    for other in others:
        same_arrays(tree_state(on_cpu), tree_state(other))
        assert other.n_features_in_ == on_cpu.n_features_in_
        assert other.max_features_ == on_cpu.max_features_
        if hasattr(on_cpu, "classes_"):
            assert type(other.n_classes_) is type(on_cpu.n_classes_)
            lists = [
                t.classes_ if isinstance(t.classes_, list) else [t.classes_]
                for t in (on_cpu, other)
            ]
            for a, b in zip(*lists, strict=True):
                np.testing.assert_array_equal(a, b)
                assert a.dtype == b.dtype
    return on_cpu, others[1]


def check_predictions(device, on_cpu, other, X):
    """Compare what both predict, for rows on either side."""
    rows = device.put(X)
    names = ["predict", "apply"] + (["predict_proba"] if hasattr(on_cpu, "classes_") else [])
    for name in names:
        expected = getattr(on_cpu, name)(X)
        for estimator in (on_cpu, other):
            found = getattr(estimator, name)(X), getattr(estimator, name)(rows)
            lists = [a if isinstance(a, list) else [a] for a in (expected, *found)]
            for a, on_host, there in zip(*lists, strict=True):
                np.testing.assert_array_equal(on_host, a)
                there = there if a.dtype.kind == "U" else device.get(there)
                np.testing.assert_array_equal(there, a)
                assert there.dtype == a.dtype
    paths = other.decision_path(rows), on_cpu.decision_path(X)
    assert (paths[0] != paths[1]).nnz == 0


# -- the same tree ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENGINES)
@given(problem=problems())
def test_grows_and_predicts_as_the_cpu(name, libraries, problem):
    estimator, X, y, sample_weight = problem
    with stand_in(name, libraries) as device:
        check_predictions(device, *fit_both(device, estimator, X, y, sample_weight), X)


@pytest.mark.parametrize("table", ["titanic", "abalone", "credit_default", "letter", "adult"])
def test_real_tables(table, device, data_folder):
    import pandas as pd

    numbers = pd.read_parquet(data_folder / f"{table}.parquet").iloc[:2000].select_dtypes("number")
    X = numbers.iloc[:, :-1].to_numpy(float, na_value=np.nan)
    y = numbers.iloc[:, -1].fillna(0).to_numpy(float)
    estimator = DecisionTreeRegressor(max_depth=6, random_state=0)
    check_predictions(device, *fit_both(device, estimator, X, y), X)
    estimator = DecisionTreeClassifier(
        criterion="renyi", order=0.5, max_bins=63, max_depth=8, max_features="sqrt", random_state=0
    )
    labels = (y > np.median(y)).astype(np.int64)
    check_predictions(device, *fit_both(device, estimator, X.astype("f4"), labels), X)


@pytest.mark.parametrize("max_bins", [2, 40, 255, 6000])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_bins_from_a_sample_of_the_rows(max_bins, dtype, device, monkeypatch, rng):
    """Edges, extremes, and features whose values the sample has not all seen."""
    monkeypatch.setattr("treelearn.histogram.binning.SAMPLE_ROWS", 200)
    n = 1000
    X = rng.standard_normal((n, 4)).astype(dtype)
    X[:, 1] = np.where(rng.random(n) < 0.01, rng.integers(2, 40, n), -0.0)
    X[:, 2][rng.random(n) < 0.3] = np.nan
    X[:, 3] = rng.integers(0, 3, n) / 7
    y = rng.integers(0, 3, n)
    weight = rng.integers(0, 3, n).astype(float)
    for order in ("C", "F"):
        estimator = DecisionTreeClassifier(max_bins=max_bins, max_depth=5)
        check_predictions(device, *fit_both(device, estimator, np.asarray(X, order=order), y), X)
        fit_both(device, estimator, np.asarray(X, order=order), y, weight)
    wide = np.zeros((n, 8), dtype=dtype)
    wide[:, ::2] = X
    fit_both(device, estimator, wide[:, ::2], y)


@pytest.mark.parametrize("monotonic", [None, [1, 0, -1, 0]])
@pytest.mark.parametrize("max_leaf_nodes", [None, 7])
def test_rules_of_growth(monotonic, max_leaf_nodes, device):
    X, y = load_iris(return_X_y=True)
    estimator = DecisionTreeClassifier(
        criterion="entropy",
        max_leaf_nodes=max_leaf_nodes,
        min_samples_leaf=3,
        min_weight_fraction_leaf=0.02,
        min_impurity_decrease=0.001,
        monotonic_cst=monotonic,
        ccp_alpha=0.01,
    )
    check_predictions(device, *fit_both(device, estimator, X[:100], y[:100], np.arange(100.0)), X)
    X, y = load_diabetes(return_X_y=True)
    estimator = DecisionTreeRegressor(
        max_bins=60, max_leaf_nodes=max_leaf_nodes, min_samples_split=0.1, ccp_alpha=1.0
    )
    fit_both(device, estimator, X, y, np.arange(len(y)) % 5 / 3)


@pytest.mark.parametrize("criterion", [*CLASS_CRITERIA, *((name, 2.0) for name in REGRESSION)])
def test_every_criterion(criterion, device):
    X, y = load_wine(return_X_y=True)
    estimator = estimator_of(*criterion, max_bins=20)
    check_predictions(device, *fit_both(device, estimator, X, y), X)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([5, -3, 2**40])[np.arange(150) % 3],
        np.array([0.0, 2.0])[np.arange(150) % 2],
        np.arange(150) % 2 == 0,
        (np.arange(150) % 5).astype(np.uint8),
        np.array(["b", "a", "cc"])[np.arange(150) % 3],
        np.stack([np.arange(150) % 2, np.arange(150) % 3], axis=1),
    ],
    ids=["wide", "float", "bool", "uint8", "text", "outputs"],
)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_labels_and_class_weights(labels, class_weight, device):
    X = load_iris().data
    estimator = DecisionTreeClassifier(max_depth=3, class_weight=class_weight)
    for weights in (None, np.arange(150) % 4 / 3):
        check_predictions(device, *fit_both(device, estimator, X, labels, weights), X)


def test_class_weights_by_name(device):
    X, y = load_iris(return_X_y=True)
    estimator = DecisionTreeClassifier(max_depth=3, class_weight={0: 2.0, 1: 0.5, 2: 0.0})
    fit_both(device, estimator, X, y)
    both = np.stack([y, y[::-1]], axis=1)
    fit_both(device, clone(estimator).set_params(class_weight=[{0: 2, 1: 1, 2: 3}] * 2), X, both)
    for class_weight, outputs in (({0: 1, 7: 2}, y), ({0: 1}, both), ([{0: 1}], both)):
        estimator.set_params(class_weight=class_weight)
        errors = []
        for device_name, put in (("cpu", np.asarray), ("cuda", device.put)):
            with pytest.raises(ValueError) as error:
                estimator.set_params(device=device_name).fit(put(X), put(outputs))
            errors.append(str(error.value))
        assert errors[0] == errors[1]


def test_integers_and_narrow_floats_are_values_too(device):
    X, y = load_iris(return_X_y=True)
    for dtype in ("i4", "i8", "u1", "f2", "?"):
        estimator = DecisionTreeClassifier(max_depth=4)
        check_predictions(device, *fit_both(device, estimator, (X * 10).astype(dtype), y), X)


# -- the parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bins", [1, 2, 200, 300, 5000])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_codes_of_values(n_bins, dtype, device, rng):
    X = rng.standard_normal((2000, 11)).astype(dtype)
    X[::7, 3] = np.nan
    X[:, 4] = np.nan
    X[:, 5] = np.where(rng.random(2000) < 0.5, -0.0, 0.0)
    features = [8, 0, 3, 4, 5, 2, 1, 7, 6]
    edges = [np.unique(rng.choice(X[:, 0], n_bins - 1)).astype("f8") for _ in features]
    rows = np.flatnonzero(rng.random(2000) < 0.7).astype(np.int32)
    xp, code_dtype = device.engine.xp, np.uint8 if n_bins < 255 else np.uint16
    for chosen in (None, rows):
        n = len(X) if chosen is None else len(chosen)
        expected, found = np.zeros((n, 16), code_dtype), xp.zeros((n, 16), code_dtype)
        moved = None if chosen is None else xp.asarray(chosen)
        theirs = numpy_values.encode(X, chosen, features, edges, expected)
        ours = device.engine.values.encode(xp.asarray(X), moved, features, edges, found)
        np.testing.assert_array_equal(device.get(found), expected)
        for a, b in zip(ours, theirs, strict=True):
            for one, other in zip(a, b, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_worst_values(dtype, device):
    xp = device.engine.xp
    find = device.engine.values.find_worst
    for place in ((0, 0), (5, 3), (9, 4)):
        for value, expected in ((np.inf, (1, 0)), (-np.inf, (1, 0)), (np.nan, (0, 1))):
            X = xp.zeros((10, 5), dtype=dtype)
            assert find(X) == (False, False)
            X[place] = value
            assert find(X) == expected == find(xp.asfortranarray(X))
            wide = xp.zeros((10, 10), dtype=dtype)
            wide[:, ::2] = X
            assert find(wide[:, ::2]) == expected
    assert find(xp.full(3, np.finfo(dtype).max, dtype=dtype)) == (False, False)


def test_what_cupy_has():
    """Whatever the device's way asks of its array library, CuPy has."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    sources = [path for path in (_cupy.SOURCES.parent).glob("_device*.py")]
    sources += [_cupy.SOURCES.parent / "_units.py", *_cupy.SOURCES.glob("*.py")]
    names = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and (
                (isinstance(node.value, ast.Name) and node.value.id == "xp")
                or (isinstance(node.value, ast.Attribute) and node.value.attr == "xp")
            ):
                names.add(node.attr)
    assert {"unique", "asarray", "cumsum"} <= names
    assert [name for name in sorted(names) if not hasattr(cupy, name)] == []
    assert not hasattr(cupy.ndarray, "__array_namespace__") or not any(
        "__array_namespace__" in path.read_text() for path in sources
    )


@pytest.mark.parametrize("kind", [{}, {"is_classification": False}, {"has_weights": True}])
def test_memory_of_a_row_is_what_a_fit_adds(kind):
    assert bytes_per_row(20, **kind) <= bytes_per_row(20, max_bins=256, **kind)
    assert bytes_per_row(20, value_bytes=4, **kind) == 80 + bytes_per_row(20, **kind)
    assert fit_bytes(10, 20, **kind) - fit_bytes(9, 20, **kind) == bytes_per_row(20, **kind)


# -- what stays with the estimator --------------------------------------------------------------


def test_pickles_hold_nothing_of_a_device(libraries):
    X, y = load_iris(return_X_y=True)
    with stand_in("cuda" if has_gpu() else "numpy", libraries) as device:
        tree = DecisionTreeClassifier(device="cuda", max_depth=3).fit(device.put(X), device.put(y))
        tree.predict(device.put(X))
    data = pickle.dumps(tree)
    assert b"cupy" not in data and b"OnDevice" not in data
    program = (
        "import pickle, sys, numpy as np; sys.modules['cupy'] = None; "
        f"tree = pickle.loads({data!r}); print(tree.predict(np.zeros((1, 4)))[0], tree.device)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "cuda"], done.stderr
    assert clone(tree).get_params() == tree.get_params()
    assert "device='cuda'" in repr(tree)


def test_torch_tensors_come_back_as_such():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    values = torch.arange(3.0)
    assert not _device.is_on_gpu(values)
    assert isinstance(_device.handed_back(np.arange(3), values), torch.Tensor)
    assert isinstance(_device.handed_back(np.arange(3), np.arange(3)), np.ndarray)


def test_cuda_tensors_of_torch(libraries):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not (torch.cuda.is_available() and has_gpu()):
        pytest.skip("there is no GPU for torch and CuPy")
    X, y = load_iris(return_X_y=True)
    rows = torch.tensor(X, device="cuda", requires_grad=True)
    tree = DecisionTreeClassifier(device="cuda").fit(rows, torch.tensor(y, device="cuda"))
    found = tree.predict(rows)
    assert found.device.type == "cuda"
    np.testing.assert_array_equal(found.cpu().numpy(), tree.predict(X))


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y"),
    [
        (np.array([[1.0], [np.inf], [2.0]]), np.arange(3)),
        (np.array([[1.0], [-np.inf], [2.0]], dtype="f4"), np.arange(3)),
        (np.zeros(3), np.arange(3)),
        (np.zeros((3, 2, 2)), np.arange(3)),
        (np.zeros((0, 2)), np.zeros(0)),
        (np.zeros((3, 0)), np.arange(3)),
        (np.zeros((3, 2)), np.arange(4)),
        (np.zeros((3, 2)), np.array([0.0, np.nan, 1.0])),
        (np.zeros((3, 2)), np.array([0.0, np.inf, 1.0])),
        (np.zeros((3, 2)), np.array([0.0, 0.25, 1.0])),
        (np.zeros((3, 2)), np.zeros((3, 2, 2))),
        (np.zeros((3, 2)), None),
        (np.zeros((3, 2), dtype=complex), np.arange(3)),
    ],
)
def test_bad_input_gets_the_words_of_the_cpu(X, y, device):
    errors = []
    for name, put in (("cpu", np.asarray), ("cuda", device.put)):
        tree = DecisionTreeClassifier(device=name, max_bins=255)
        with pytest.raises(ValueError) as error:
            tree.fit(put(X), None if y is None else put(y))
        assert not hasattr(tree, "n_features_in_")
        errors.append(str(error.value).split("\narray")[0].split(" array=")[0])
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    "weights",
    [np.ones(4), np.ones((3, 1)), [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, np.inf, 1.0]]
    + [np.zeros(3), np.full(3, 1e308)],
)
def test_bad_weights_get_the_words_of_the_cpu(weights, device):
    errors = []
    for name, put in (("cpu", np.asarray), ("cuda", device.put)):
        with pytest.raises(ValueError) as error:
            tree = DecisionTreeRegressor(device=name, max_bins=255)
            tree.fit(put(np.zeros((3, 2))), put(np.arange(3.0)), put(weights))
        errors.append(str(error.value))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("y", [[-1.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
def test_targets_of_poisson(y, device):
    tree = DecisionTreeRegressor(criterion="poisson", device="cuda")
    with pytest.raises(ValueError, match="Poisson"):
        tree.fit(device.put(np.zeros((3, 2))), device.put(y))
    with pytest.raises(ValueError, match="too large"):
        DecisionTreeRegressor(device="cuda").fit(
            device.put(np.zeros((3, 2))), device.put([1e200, 0, 1])
        )


def test_rows_to_predict_are_checked(device):
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier(device="cuda")
    with pytest.raises(NotFittedError, match="not fitted"):
        tree.predict(device.put(X))
    tree.fit(X, y)
    for rows in (X[:, :3], np.where(X > 5, np.inf, X), X[0]):
        errors = []
        for put in (np.asarray, device.put):
            with pytest.raises(ValueError) as error:
                tree.predict(put(rows))
            errors.append(str(error.value).split("\narray")[0].split(" array=")[0])
        assert errors[0] == errors[1]


def test_what_a_device_does_not_have(device):
    X, y = load_iris(return_X_y=True)
    for tree, data, error in (
        (DecisionTreeClassifier(splitter="random"), (X, y), ValueError),
        (DecisionTreeRegressor(criterion="absolute_error"), (X, y), ValueError),
        (DecisionTreeClassifier(), (csr_matrix(X), y), TypeError),
        (DecisionTreeClassifier(), (TrainingSet(X, y),), TypeError),
        (DecisionTreeClassifier(device="tpu"), (X, y), ValueError),
    ):
        if tree.device == "cpu":
            tree.set_params(device="cuda")
        with pytest.raises(error, match="splitter|absolute_error|[Ss]parse|TrainingSet|device"):
            tree.fit(*data)
    with pytest.raises(ValueError, match="rows selects"):
        DecisionTreeClassifier(device="cuda").fit(X, y, rows=[1, 2])
    with pytest.raises(TypeError, match="device='cpu'"):
        DecisionTreeClassifier().fit(device.put(X), y)


def test_arrays_of_another_gpu(device):
    if device.engine.xp is not np:
        pytest.skip("only a stand-in has two")
    X = load_iris().data.view(OnDevice)
    X.number = 1
    with pytest.raises(ValueError, match="GPU 1"):
        DecisionTreeClassifier(device="cuda").fit(X, load_iris().target)


# -- no GPU, too little memory ------------------------------------------------------------------


def small_engine(n_bytes):
    """Return an engine of little memory."""
    return Engine(np, numpy_kernels, numpy_values, np.asarray, lambda: n_bytes)


def test_too_little_memory(monkeypatch):
    X, y = load_iris(return_X_y=True)
    monkeypatch.setattr(_device, "open_engine", lambda: small_engine(2**20))
    needed = fit_bytes(150, 4, value_bytes=8) / 2**30
    with pytest.raises(MemoryError, match=rf"needs {needed:.2f} GiB .* 0.00 GiB are free"):
        DecisionTreeClassifier(device="cuda").fit(X, y)


@pytest.mark.parametrize("lack", ["cupy", "device", "memory", "sparse"])
def test_auto_falls_back_with_a_word_in_the_log(lack, monkeypatch, caplog):
    X, y = load_iris(return_X_y=True)
    if lack == "cupy":
        monkeypatch.setitem(sys.modules, "cupy", None)
        monkeypatch.setattr(cuda_kernels, "_device", _cupy.Device)
    elif lack == "device":
        monkeypatch.setitem(sys.modules, "cupy", fake_cupy())
        monkeypatch.setattr(cuda_kernels, "_device", _cupy.Device)
    else:
        n_bytes = 2**20 if lack == "memory" else 2**40
        monkeypatch.setattr(_device, "open_engine", lambda: small_engine(n_bytes))
    with caplog.at_level(logging.INFO, logger="treelearn"):
        rows = csr_matrix(X) if lack == "sparse" else X
        tree = DecisionTreeClassifier(device="auto", max_depth=3).fit(rows, y)
    words = {"cupy": "treelearn[gpu]", "device": "no GPU", "memory": "GiB", "sparse": "Sparse"}
    assert words[lack] in caplog.text and "on the CPU" in caplog.text
    # On the bins that a GPU would have had.
    expected = DecisionTreeClassifier(max_bins=255, max_depth=3).fit(X, y)
    same_arrays(tree_state(expected), tree_state(tree))
    if lack != "sparse":
        expected = {"cupy": ImportError, "device": RuntimeError, "memory": MemoryError}[lack]
        with pytest.raises(expected, match=words[lack].replace("[", r"\[")):
            DecisionTreeClassifier(device="cuda").fit(X, y)


def test_auto_takes_the_device_there_is(device, caplog):
    X, y = load_iris(return_X_y=True)
    with caplog.at_level(logging.INFO, logger="treelearn"):
        tree = DecisionTreeClassifier(device="auto", max_depth=3).fit(X, y)
    assert "on the GPU" in caplog.text
    expected = DecisionTreeClassifier(max_bins=255, max_depth=3).fit(X, y)
    same_arrays(tree_state(expected), tree_state(tree))


def fake_cupy():
    """Return what CuPy is on a machine without a GPU, as far as it is asked."""

    class CUDARuntimeError(RuntimeError):
        pass

    def count():
        raise CUDARuntimeError("cudaErrorNoDevice")

    runtime = types.SimpleNamespace(getDeviceCount=count, CUDARuntimeError=CUDARuntimeError)
    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(runtime=runtime)
    return cupy
