"""Where arrays lie."""


cdef inline void* address_of(array) except? NULL:
    """Where the elements of an array start; the array must outlive the pointer.

    Not for arrays with fields: NumPy describes those by Python code, and drops a Ctrl-C that comes
    while it runs.
    """
    return <void*> <size_t> array.__array_interface__["data"][0]
