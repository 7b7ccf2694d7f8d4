"""Which releases of scikit-learn can be a rival in what; ours is the same on all of them."""

import pytest
import sklearn

RELEASE = tuple(int(part) for part in sklearn.__version__.split(".")[:2])

needs_right_medians = pytest.mark.skipif(
    RELEASE < (1, 8), reason="absolute_error before scikit-learn 1.8 misses the best cut"
)
needs_right_missing = pytest.mark.skipif(
    RELEASE < (1, 9), reason="missing values before scikit-learn 1.9 miss the best cut"
)
