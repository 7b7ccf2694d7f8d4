"""Stand-ins for a GPU: NumPy kernels, and the CUDA sources through the C compiler.

The twin is the same source, one thread doing the work of all. The threaded twin has blocks of
several threads that share memory, add atomically and wait for one another, one block at a time.
Only what is CUDA's own stays untested where there is no GPU: launches, and warps in lockstep.
"""

import ctypes
import shlex
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from treelearn import _cupy, _device, _device_estimator
from treelearn.histogram import cuda_kernels, cuda_values, numpy_kernels, numpy_values
from treelearn.histogram.engine import Engine, cuda_engine

SOURCES = sorted(_cupy.SOURCES.glob("*.cu"))
N_THREADS = 3  # of a block of the threaded twin
MOST_BLOCKS = 2  # of a launch: kernels loop over what is left

THREADS = """
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TL_KERNEL void
#define TL_DEVICE static inline
#define TL_FIRST (tl_block * tl_n_threads + tl_thread)
#define TL_STEP (tl_n_blocks * tl_n_threads)
#define TL_BLOCK tl_block
#define TL_N_BLOCKS tl_n_blocks
#define TL_THREAD tl_thread
#define TL_N_THREADS tl_n_threads
#define TL_SYNC() tl_wait()
#define TL_ALIGN(bytes)
#define TL_SHARED(type, name, n) type *name = (type *)tl_shared
#define TL_ADD(address, value) tl_add((address), (value))
#define TL_ADD_32(address, value) __atomic_fetch_add((address), (value), __ATOMIC_RELAXED)
#define TL_LOWEST(address, value) tl_lowest((address), (value))
#define TL_HIGHEST(address, value) tl_highest((address), (value))

static __thread int64_t tl_thread, tl_block, tl_n_threads, tl_n_blocks;
static _Alignas(16) char tl_shared[49152];
static int64_t tl_arrived, tl_round;

/* By turns each thread is late, so that who should have waited for it does not find its work. */
static inline void tl_be_late(int64_t turn) {
    struct timespec pause = {0, 100000};
    if ((turn + tl_thread) % tl_n_threads == 0) nanosleep(&pause, NULL);
}

void tl_enter(int64_t thread, int64_t block, int64_t n_threads, int64_t n_blocks) {
    tl_thread = thread;
    tl_block = block;
    tl_n_threads = n_threads;
    tl_n_blocks = n_blocks;
    tl_be_late(block);
}

/* What a block finds in shared memory is anything. */
void tl_spoil(void) { memset(tl_shared, 0xCD, sizeof tl_shared); }

/* A barrier; a thread that waits for a minute is one that others have left behind. */
static inline void tl_wait(void) {
    int64_t round = __atomic_load_n(&tl_round, __ATOMIC_ACQUIRE);
    time_t begin = time(NULL);
    if (__atomic_add_fetch(&tl_arrived, 1, __ATOMIC_ACQ_REL) == tl_n_threads) {
        tl_arrived = 0;
        __atomic_store_n(&tl_round, round + 1, __ATOMIC_RELEASE);
        tl_be_late(round);
        return;
    }
    while (__atomic_load_n(&tl_round, __ATOMIC_ACQUIRE) == round) {
        if (time(NULL) - begin > 60) abort();
        sched_yield();
    }
    tl_be_late(round);
}

static inline void tl_add(int64_t *address, int64_t value) {
    __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}

static inline void tl_lowest(uint64_t *address, uint64_t value) {
    uint64_t seen = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (value < seen && !__atomic_compare_exchange_n(address, &seen, value, 1,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static inline void tl_highest(uint64_t *address, uint64_t value) {
    uint64_t seen = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (value > seen && !__atomic_compare_exchange_n(address, &seen, value, 1,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
"""

C_TYPES = {"int32": ctypes.c_int32, "int64": ctypes.c_int64, "float64": ctypes.c_double}


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that is as strange to NumPy as one of CuPy is: nothing takes it for a host array."""

    METHODS = {
        "all",
        "any",
        "astype",
        "copy",
        "max",
        "mean",
        "min",
        "ravel",
        "reshape",
        "sum",
        "view",
    }

    def __init__(self, data):
        self.data = data

    dtype = property(lambda self: self.data.dtype)
    flags = property(lambda self: self.data.flags)
    nbytes = property(lambda self: self.data.nbytes)
    ndim = property(lambda self: self.data.ndim)
    shape = property(lambda self: self.data.shape)
    size = property(lambda self: self.data.size)
    strides = property(lambda self: self.data.strides)
    T = property(lambda self: DeviceArray(self.data.T))

    def __dlpack_device__(self):
        return 2, 0

    def get(self):
        return self.data.copy()

    def __array__(self, *arguments, **options):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        out = None if out is None else tuple(map(on_device_only, out))
        return wrapped(getattr(ufunc, method)(*map(on_device_only, inputs), out=out, **options))

    def __getattr__(self, name):
        if name not in self.METHODS:
            raise AttributeError(name)
        method = getattr(self.data, name)
        return lambda *arguments, **options: wrapped(method(*arguments, **options))

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return map(wrapped, self.data)

    def __getitem__(self, place):
        return wrapped(self.data[on_device_only(place)])

    def __setitem__(self, place, value):
        self.data[on_device_only(place)] = on_device_only(value)

    def __bool__(self):
        return bool(self.data)

    def __float__(self):
        return float(self.data)

    def __int__(self):
        return int(self.data)


def wrapped(result):
    """Return a result of NumPy as one of the device; numbers are arrays there."""
    if isinstance(result, tuple | list):
        return type(result)(map(wrapped, result))
    if isinstance(result, np.ndarray | np.generic):
        return DeviceArray(np.asarray(result))
    return result


def on_device_only(value):
    """Return what an argument is to NumPy; no host array may stand among those of a device."""
    if isinstance(value, tuple | list):
        return type(value)(map(on_device_only, value))
    if isinstance(value, np.ndarray) and value.ndim > 0:
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    return value.data if isinstance(value, DeviceArray) else value


class Namespace:
    """NumPy as the namespace of `DeviceArray`; only `asarray` brings arrays there."""

    ndarray = DeviceArray

    def __init__(self, module=np):
        self.module = module

    def asarray(self, array, dtype=None):
        array = array.data if isinstance(array, DeviceArray) else np.array(array, dtype=dtype)
        return DeviceArray(np.asarray(array, dtype=dtype))

    def __getattr__(self, name):
        found = getattr(self.module, name)
        if not callable(found):
            return Namespace(found)

        def call(*arguments, **options):
            options = {key: on_device_only(value) for key, value in options.items()}
            result = found(*map(on_device_only, arguments), **options)
            return Namespace(result) if isinstance(result, np.random.Generator) else wrapped(result)

        return call


class Twin:
    """A device that is the CPU: strange arrays, the sources through the C compiler."""

    def __init__(self, libraries):
        self.xp = Namespace()
        self.libraries = libraries

    def launch(self, source, kernel, n_blocks, arguments, shared_bytes=0):
        self.run(self.libraries[source], kernel, n_blocks, c_values(arguments, shared_bytes))

    def run(self, library, kernel, n_blocks, values):
        getattr(library, kernel)(*values)

    def blocks_of(self, n_items):
        return n_items

    def on_host(self, array):
        assert isinstance(array, DeviceArray)
        return array.data.copy()


class ThreadedTwin(Twin):
    """A device whose blocks have several threads."""

    def __init__(self, libraries):
        super().__init__(libraries)
        self.pool = ThreadPoolExecutor(N_THREADS)

    def run(self, library, kernel, n_blocks, values):
        n_blocks = int(max(1, min(n_blocks, MOST_BLOCKS)))

        def work(thread, block):
            library.tl_enter(*map(ctypes.c_int64, (thread, block, N_THREADS, n_blocks)))
            getattr(library, kernel)(*values)

        for block in range(n_blocks):
            library.tl_spoil()
            for done in [self.pool.submit(work, thread, block) for thread in range(N_THREADS)]:
                done.result()

    def blocks_of(self, n_items):
        return -(-int(n_items) // N_THREADS)


def c_values(arguments, shared_bytes):
    """Return the arguments of a launch as those of a C function."""
    assert shared_bytes <= cuda_kernels.SHARED_BYTES
    return [
        ctypes.c_void_p(value.data.ctypes.data)
        if isinstance(value, DeviceArray)
        else C_TYPES[value.dtype.name](value)
        for value in arguments
    ]


def build_twins(folder, *options):
    """Return the CPU twins of the sources by name, or skip."""
    command = shlex.split(sysconfig.get_config_var("CC") or "cc")[:1]
    if shutil.which(command[0]) is None:
        command = ["cc"]
    if shutil.which(command[0]) is None:
        pytest.skip("there is no C compiler")
    flags = ["-x", "c", "-O1", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Werror"]
    include = f"-I{_cupy.HEADERS}"
    made = {source: folder / f"{source.stem}.so" for source in SOURCES}
    compilers = [
        subprocess.Popen([*command, *flags, *options, include, source, "-o", library, "-lm"])
        for source, library in made.items()
    ]
    assert [compiler.wait() for compiler in compilers] == [0] * len(SOURCES)
    return {source.name: ctypes.CDLL(str(library)) for source, library in made.items()}


def build_threaded_twins(folder):
    """Return the threaded twins of the sources by name, or skip."""
    if sys.platform == "win32":
        pytest.skip("the threaded twin waits by sched_yield")
    header = folder / "threads.h"
    header.write_text(THREADS)
    # Every source has its own copy of what the header defines, and not all use all of it.
    return build_twins(folder, "-include", str(header), "-Wno-unused", "-std=gnu11")


class OnDevice(np.ndarray):
    """An array that says that it lies on a GPU, and that nothing may take for one of NumPy's."""

    number = 0

    def __dlpack_device__(self):
        return 2, self.number


class StandIn:
    """An engine and the arrays that go with it."""

    def __init__(self, engine):
        self.engine = engine

    def put(self, array):
        """Return an array on the device."""
        if self.engine.xp is np:
            return np.asarray(array).view(OnDevice)
        return self.engine.xp.asarray(array)

    def get(self, array):
        """Return an array of the device as one of NumPy."""
        assert isinstance(array, self.engine.xp.ndarray)
        return self.engine.on_host(array)


@contextmanager
def stand_in(name, libraries):
    """Make ``device="cuda"`` mean an engine: "numpy", "twin", "threads", or the GPU for "cuda".

    ``libraries`` are the twins of either kind by its name.
    """
    with pytest.MonkeyPatch.context() as patch:
        if name == "cuda":
            engine = cuda_engine()
        else:
            engine = Engine(np, numpy_kernels, numpy_values, np.asarray, lambda: 2**40)
            if name != "numpy":
                device = {"twin": Twin, "threads": ThreadedTwin}[name](libraries[name])
                patch.setattr(cuda_kernels, "_device", lambda: device)
                engine = Engine(device.xp, cuda_kernels, cuda_values, device.on_host, lambda: 2**40)
        for module in (_device, _device_estimator):
            patch.setattr(module, "open_engine", lambda: engine)
        yield StandIn(engine)
