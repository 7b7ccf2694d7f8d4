"""Which arrays hold the same bytes: a fast hash of 128 bits."""

from libc.stdint cimport uint64_t

cdef extern from "native/hash.h" nogil:
    void tl_hash(const void*, uint64_t, uint64_t, uint64_t*)


def hash_array(array):
    """Return a hash of the bytes, shape and dtype of an array.

    Parameters
    ----------
    array : ndarray
        C- or Fortran-contiguous.

    Returns
    -------
    tuple
        Equal for arrays of equal bytes, layout, shape and dtype; for others equal with
        probability 2**-128.
    """
    cdef const unsigned char[::1] data = array.ravel(order="K").view("u1")
    cdef uint64_t[2] found
    cdef uint64_t n = data.shape[0]
    with nogil:
        tl_hash(&data[0] if n > 0 else NULL, n, 0, found)
    return array.shape, array.dtype.str, array.flags.c_contiguous, found[0], found[1]
