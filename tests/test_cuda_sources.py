"""The CUDA sources: they compile for the GPUs we know, and their CPU twin agrees with the oracle.

The twin is the same source through the C compiler, one thread doing the work of all; only launches
and races stay untested where there is no GPU.
"""

import ctypes
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cuda_twin import SOURCES, Twin
from hypothesis import given
from hypothesis import strategies as st
from level_wise import estimator_of, grow_both, problems, same_arrays
from strategies import CLASS_CRITERIA
from treelearn._impurity import impurities, search_histograms

from treelearn import _cupy, batched
from treelearn.criteria import kernel_of
from treelearn.histogram import cuda_kernels, cuda_values, numpy_kernels, numpy_values

# -- NVRTC --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nvrtc():
    """Return the run-time compiler of NVIDIA's wheel, or skip."""
    found = importlib.util.find_spec("nvidia")
    for folder in found.submodule_search_locations if found else ():
        for path in sorted(Path(folder).glob("*/lib/libnvrtc.so.*")):
            for builtins in path.parent.glob("libnvrtc-builtins.so.*"):
                ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
            return ctypes.CDLL(str(path))
    pytest.skip("the CUDA run-time compiler is not there: pip install nvidia-cuda-nvrtc-cu12")


def compile_cuda(nvrtc, source, architecture):
    """Return PTX and machine code of a source, or fail with the compiler's log."""
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), source.read_bytes(), source.name.encode(), 0, None, None
    )
    options = [*_cupy.compile_options(), f"--gpu-architecture={architecture}"]
    array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), array)
    results = []
    for what in ("ProgramLog", "PTX", "CUBIN"):
        getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        getattr(nvrtc, f"nvrtcGet{what}")(program, text)
        results.append(text.raw)
        assert status == 0, results[0].decode()
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return results[1].decode(), results[2]


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_compiles_without_a_device(nvrtc, source, architecture):
    ptx, machine_code = compile_cuda(nvrtc, source, architecture)
    names = re.findall(r"^TL_KERNEL (\w+)", source.read_text(), re.MULTILINE)
    assert names
    for name in names:
        assert f".entry {name}(" in ptx
    assert machine_code.startswith(b"\x7fELF")
    # Fused, a product and a sum are rounded once, on the CPU twice.
    assert "fma." not in ptx


# -- the modules --------------------------------------------------------------------------------


def test_a_new_header_is_a_new_source(monkeypatch, tmp_path):
    """What CuPy has compiled and kept must not outlive the headers that it was made of."""

    class Recorder:
        def __init__(self, **options):
            self.options = options

    monkeypatch.setattr(_cupy, "import_cupy", lambda: SimpleNamespace(RawModule=Recorder))
    monkeypatch.setattr(_cupy, "HEADERS", tmp_path)
    codes = []
    for text in ("int a;", "int a;", "int b;"):
        (tmp_path / "some.h").write_text(text)
        made = _cupy._module.__wrapped__("fill.cu").options
        assert made["backend"] == "nvrtc" and f"-I{tmp_path}" in made["options"]
        codes.append(made["code"])
    assert codes[0] == codes[1] != codes[2]
    assert codes[0].split("\n", 1)[1] == (_cupy.SOURCES / "fill.cu").read_text()


@pytest.mark.parametrize("modules", [(numpy_kernels, cuda_kernels), (numpy_values, cuda_values)])
def test_kernel_modules_have_the_same_signatures(modules):
    for name in modules[0].__all__:
        ours, theirs = (inspect.signature(getattr(module, name)) for module in modules)
        assert ours == theirs


def test_without_cupy_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match=r"pip install \"treelearn\[gpu\]\""):
        _cupy.Device()


# -- the CPU twin -------------------------------------------------------------------------------


@pytest.fixture
def twin(libraries, monkeypatch):
    """Make the CUDA kernel module work on the twin."""
    device = Twin(libraries["twin"])
    monkeypatch.setattr(cuda_kernels, "_device", lambda: device)
    return cuda_kernels


@given(problem=problems())
def test_twin_grows_the_tree_of_the_other_engines(libraries, problem):
    with pytest.MonkeyPatch.context() as patch:
        device = Twin(libraries["twin"])
        patch.setattr(cuda_kernels, "_device", lambda: device)
        same_arrays(*grow_both(*problem, cuda_kernels))


@pytest.mark.parametrize("max_bins", [20, 300, 4000])
def test_twin_on_more_codes_than_shared_memory_holds(twin, max_bins, rng):
    X, y = rng.random((5000, 2)), rng.integers(0, 3, 5000)
    X[rng.random(X.shape) < 0.05] = np.nan
    estimator = estimator_of("entropy", 2.0, max_bins=max_bins, max_depth=4)
    same_arrays(*grow_both(estimator, X, y, None, twin))


def test_twin_on_nodes_of_several_chunks(twin, monkeypatch, rng):
    monkeypatch.setattr(cuda_kernels, "_CHUNK", 7)
    X, y = rng.integers(0, 9, (200, 3)), rng.random(200)
    estimator = estimator_of("squared_error", 2.0, max_bins=9)
    same_arrays(*grow_both(estimator, X, y, rng.random(200), twin))


@given(
    seed=st.integers(0, 2**32 - 1),
    criterion=st.sampled_from(CLASS_CRITERIA),
    has_missing=st.booleans(),
    weighted=st.booleans(),
)
def test_twin_of_the_batched_functions(libraries, seed, criterion, has_missing, weighted):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, rng.choice([2, 5, 100]), (5, 1, 6, rng.integers(1, 5)))
    # The same samples in another order of the bins: every feature adds up to the node.
    counts = np.concatenate([counts, counts[:, :, ::-1], np.roll(counts, 2, axis=2)], axis=1)
    n_samples = counts.sum(axis=3) if weighted else None
    weights = counts * (0.3 if weighted else 1.0)
    kernel = kernel_of(*criterion)
    rules = (has_missing, int(rng.integers(1, 4)), float(rng.choice([0.0, 2.0])))
    with pytest.MonkeyPatch.context() as patch:
        device = Twin(libraries["twin"])
        patch.setattr(cuda_kernels, "_device", lambda: device)
        put = device.xp.asarray
        rows = weights.reshape(-1, weights.shape[-1])
        np.testing.assert_array_equal(
            cuda_kernels.impurities(put(rows), kernel).get(), impurities(rows, kernel)
        )
        moved = None if n_samples is None else put(n_samples)
        found = cuda_kernels.search_histograms(put(weights), moved, kernel, *rules)
        expected = search_histograms(weights, n_samples, kernel, *rules)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.get(), b)
        for bad in (-1.0, np.nan, np.inf):
            with pytest.raises(ValueError, match="finite and none negative"):
                cuda_kernels.impurities(put([[1.0, bad]]), kernel)


# -- a device, where there is one ---------------------------------------------------------------


@pytest.fixture(scope="module")
def cupy():
    """Return CuPy where it has a device, or skip."""
    module = pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        n_devices = module.cuda.runtime.getDeviceCount()
    except module.cuda.runtime.CUDARuntimeError:
        n_devices = 0
    if n_devices == 0:
        pytest.skip("there is no GPU")
    return module


@pytest.mark.parametrize(("criterion", "order"), CLASS_CRITERIA)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_cupy_arrays(cupy, criterion, order, dtype, rng):
    counts = rng.integers(0, 9, (50, 1, 6, 3)).astype(dtype)
    counts = np.concatenate([counts, counts[:, :, ::-1]], axis=1)
    on_device = cupy.asarray(counts)
    for call in (
        lambda a: batched.impurity(a, criterion, order),
        lambda a: batched.split_gains(a[:, :, 0], a[:, :, 1], criterion, order),
    ):
        found = call(on_device)
        assert found.dtype == call(counts).dtype
        np.testing.assert_array_equal(found.get(), call(counts))
    found = batched.best_splits(on_device, criterion, order, has_missing_bin=True)
    expected = batched.best_splits(counts, criterion, order, has_missing_bin=True)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.get(), b)
