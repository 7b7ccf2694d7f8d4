"""Entropy of continuous variables: of densities, and of samples.

Differential entropy is the entropy per unit of the variable: ``h(a X + b) = h(X) + ln|a|``.
Negative values are therefore normal (a variable spread over less than one unit has less than the
entropy of one unit), and a variable that takes a value with positive chance has minus infinity.
"""

import math

import array_api_compat
import numpy as np
from scipy import stats
from scipy.spatial import KDTree
from scipy.special import digamma, gammaln

from ._arrays import (
    as_floating,
    check_base,
    check_finite,
    check_order,
    check_size,
    stop_gradient,
    total,
)
from ._host import from_host, to_host

__all__ = [
    "differential_entropy",
    "distribution_entropy",
    "gaussian_entropy",
    "renyi_gaussian_entropy",
]

SPACINGS = ("auto", "vasicek", "van es", "ebrahimi", "correa")


def gaussian_entropy(covariance=None, base=None, *, samples=None, ridge=0.0):
    r"""Return the entropy of a normal distribution, :math:`\frac12 \ln((2 \pi e)^d \det \Sigma)`.

    Parameters
    ----------
    covariance : float or array of shape (..., d, d), default=None
        Variance of one dimension, or covariance matrices.
    base : float, default=None
        Base of the logarithm; None is nats.
    samples : array of shape (n_samples,) or (..., n_samples, d), default=None
        Samples whose covariance (the mean product of deviations) to take instead.
    ridge : float, default=0.0
        Added to every variance, because few or equal samples have a singular covariance.

    Returns
    -------
    array of shape (...)
        Entropy, negative where the spread is less than about a quarter of the unit; minus infinity
        for a singular covariance.

    Raises
    ------
    ValueError
        If not exactly one of ``covariance`` and ``samples`` is given, an entry is NaN or infinite,
        the ridge is negative, or a covariance is not symmetric and positive semi-definite.

    References
    ----------
    C. E. Shannon, "A mathematical theory of communication", 1948.

    Examples
    --------
    >>> from treelearn.information import gaussian_entropy
    >>> round(float(gaussian_entropy(1.0)), 12)
    1.418938533205
    >>> round(float(gaussian_entropy([[1.0, 0.9], [0.9, 1.0]])), 12)
    2.007511462999
    >>> float(gaussian_entropy(samples=[0.0, 2.0, 0.0, 2.0]) - gaussian_entropy(1.0))
    0.0
    """
    nats_per_unit = check_base(base)
    check_size(ridge, "ridge")
    if (covariance is None) == (samples is None):
        raise ValueError("give either a covariance or samples.")
    if samples is not None:
        xp, covariance = _sample_covariance(samples)
    else:
        xp, covariance = as_floating(covariance)
        check_finite(xp, covariance, "covariance")
    if covariance.ndim == 0:
        covariance = xp.reshape(covariance, (1, 1))
    n_dims = covariance.shape[-1]
    if covariance.ndim < 2 or covariance.shape[-2] != n_dims or not n_dims:
        raise ValueError(
            "covariance must be a number or have shape (..., d, d); "
            f"got shape {tuple(covariance.shape)}."
        )
    log_det = _log_determinant(xp, covariance, ridge)
    return (log_det + n_dims * (1 + math.log(2 * math.pi))) / 2 / nats_per_unit


def _sample_covariance(samples):
    """Return the namespace and the covariance of samples."""
    xp, samples = as_floating(samples)
    check_finite(xp, samples, "samples")
    if samples.ndim == 0 or 0 in samples.shape:
        raise ValueError("samples must not be empty or a single number.")
    if samples.ndim == 1:
        samples = xp.reshape(samples, (-1, 1))
    n_samples = samples.shape[-2]
    for _ in range(2):  # The rounded mean is off by a constant, which the second pass removes.
        samples = samples - total(xp, samples / n_samples, -2, keepdims=True)
    return xp, xp.matrix_transpose(samples) @ samples / n_samples


def _log_determinant(xp, covariance, ridge):
    """Return the logarithm of the determinant of covariances, minus infinity for singular ones."""
    n_dims = covariance.shape[-1]
    scale = xp.max(xp.abs(covariance), axis=(-2, -1), keepdims=True)
    slack = 10 * n_dims * float(xp.finfo(covariance.dtype).eps)
    if bool(xp.any(xp.abs(covariance - xp.matrix_transpose(covariance)) > slack * scale)):
        raise ValueError("covariance must be symmetric.")
    identity = xp.eye(n_dims, dtype=covariance.dtype, device=array_api_compat.device(covariance))
    covariance = covariance + ridge * identity
    smallest = covariance[..., 0, 0]
    if n_dims > 1:
        smallest = xp.min(xp.linalg.eigvalsh(stop_gradient(covariance)), axis=-1)
    if bool(xp.any(smallest < -slack * (scale[..., 0, 0] + ridge))):
        raise ValueError("covariance must be positive semi-definite.")
    is_regular = smallest > 0
    regular = xp.where(is_regular[..., None, None], covariance, identity)
    if n_dims > 1:
        logs = xp.linalg.slogdet(regular)[1]
    else:
        logs = xp.log(regular[..., 0, 0])
    return xp.where(is_regular, logs, xp.full_like(logs, -math.inf)) + 0.0


def renyi_gaussian_entropy(variance, order, base=None):
    r"""Return the Renyi entropy of a normal distribution of one dimension.

    :math:`\frac12 \ln(2 \pi \sigma^2) + \frac{\ln a}{2 (a - 1)}` for order a.

    Parameters
    ----------
    variance : array or float
        Variances.
    order : float
        From 0, where the entropy is infinite, to infinity.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    array of the shape of ``variance``
        Entropy; Shannon's at order 1.

    Raises
    ------
    ValueError
        If a variance is NaN, infinite or not positive, or the order is negative or NaN.

    References
    ----------
    K.-S. Song, "Renyi information, loglikelihood and an intrinsic distribution measure", 2001.

    Examples
    --------
    >>> from treelearn.information import gaussian_entropy, renyi_gaussian_entropy
    >>> float(renyi_gaussian_entropy(2.0, 1) - gaussian_entropy(2.0))
    0.0
    """
    nats_per_unit = check_base(base)
    order = check_order(order)
    xp, variance = as_floating(variance)
    check_finite(xp, variance, "variance")
    if bool(xp.any(variance <= 0)):
        raise ValueError("variance must be positive.")
    if order == 1:
        tail = 1.0
    elif order == 0:
        tail = math.inf
    elif order == math.inf:
        tail = 0.0
    else:
        tail = math.log1p(order - 1) / (order - 1) if order > 0.5 else math.log(order) / (order - 1)
    return (xp.log(variance) + (math.log(2 * math.pi) + tail)) / 2 / nats_per_unit


def distribution_entropy(distribution, base=None):
    """Return the differential entropy of a distribution of scipy.stats.

    SciPy has closed forms for the usual families (uniform, exponential, Laplace, gamma, beta,
    Student, ...) and integrates for the others.

    Parameters
    ----------
    distribution : frozen continuous distribution of scipy.stats
        Such as ``scipy.stats.gamma(2, scale=3)``.
    base : float, default=None
        Base of the logarithm; None is nats.

    Returns
    -------
    float or ndarray
        Entropy, of the shape of the parameters.

    Raises
    ------
    ValueError
        If a parameter is outside its domain.
    TypeError
        If it is no frozen continuous distribution.

    References
    ----------
    T. M. Cover and J. A. Thomas, "Elements of information theory", 2006.

    Examples
    --------
    >>> from scipy import stats
    >>> from treelearn.information import distribution_entropy
    >>> round(float(distribution_entropy(stats.uniform(0, 0.5), base=2)), 12)
    -1.0
    """
    nats_per_unit = check_base(base)
    if not isinstance(getattr(distribution, "dist", None), stats.rv_continuous):
        raise TypeError(
            "distribution must be a frozen continuous distribution of scipy.stats, such as "
            f"scipy.stats.gamma(2); got {distribution!r}."
        )
    nats = distribution.entropy()
    if np.any(np.isnan(nats)):
        raise ValueError("a parameter of the distribution is outside its domain.")
    return nats / nats_per_unit


def differential_entropy(samples, method="auto", base=None, *, n_neighbors=3):
    r"""Return an estimate of the differential entropy of the density of samples.

    Negative values are normal: the entropy is per unit of the samples, and samples within a tenth
    of a unit have one of about ln 0.1.  Repeated values can only come from a distribution whose
    entropy is minus infinity, and with enough of them so is the estimate.

    Parameters
    ----------
    samples : array of shape (n_samples,) or (n_samples, n_features)
        Samples; computed on the host and without gradients.
    method : {"auto", "vasicek", "van es", "ebrahimi", "correa", "knn"}, default="auto"
        The first five are spacing estimators of one dimension, in SciPy; "auto" lets SciPy choose
        by the number of samples, and is "knn" in several dimensions.  "knn" is that of Kozachenko
        and Leonenko: with the distance r of every sample to its k-th neighbour and the volume V of
        the unit ball it is :math:`\psi(n) - \psi(k) + \ln V + \frac{d}{n} \sum_i \ln r_i`.
    base : float, default=None
        Base of the logarithm; None is nats.
    n_neighbors : int, default=3
        The k of "knn": more is smoother, with more bias.

    Returns
    -------
    array of shape ()
        Estimate, of the library and device of the samples.

    Raises
    ------
    ValueError
        If samples are NaN or infinite, too few for the method, or of several dimensions for a
        spacing estimator, or the method is unknown.

    References
    ----------
    O. Vasicek, 1976; L. F. Kozachenko and N. N. Leonenko, 1987; A. Kraskov, H. Stoegbauer and
    P. Grassberger, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from treelearn.information import differential_entropy
    >>> samples = np.random.default_rng(0).normal(scale=0.1, size=5000)
    >>> round(float(differential_entropy(samples)), 1)  # exactly: -0.88
    -0.9
    """
    nats_per_unit = check_base(base)
    if method not in (*SPACINGS, "knn"):
        raise ValueError(f"method must be one of {', '.join(SPACINGS)}, knn; got {method!r}.")
    xp, samples = as_floating(samples)
    check_finite(xp, samples, "samples")
    host = np.asarray(to_host(samples), dtype=np.float64)
    if host.ndim not in (1, 2) or 0 in host.shape:
        raise ValueError("samples must have shape (n_samples,) or (n_samples, n_features).")
    host = host.reshape(len(host), -1)
    if method == "auto" and host.shape[1] > 1:
        method = "knn"
    if method == "knn":
        nats = _nearest_neighbor_entropy(host, n_neighbors)
    else:
        nats = _spacing_entropy(host, method)
    return xp.astype(from_host(xp, np.asarray(nats / nats_per_unit), samples), samples.dtype)


def _spacing_entropy(samples, method):
    """Return SciPy's estimate of the entropy of one dimension."""
    n_samples, n_features = samples.shape
    if n_features > 1:
        raise ValueError(f"method={method!r} is for one dimension; use method='knn'.")
    if n_samples < 5:  # SciPy's window of round(sqrt(n)) spacings fits twice from there on.
        raise ValueError(f"samples are too few: {n_samples}, and spacings need 5.")
    with np.errstate(divide="ignore"):
        return float(stats.differential_entropy(samples[:, 0], method=method))


def _nearest_neighbor_entropy(samples, n_neighbors):
    """Return the estimate of Kozachenko and Leonenko."""
    n_samples, n_dims = samples.shape
    if n_neighbors != int(n_neighbors) or not 1 <= n_neighbors < n_samples:
        raise ValueError(
            f"n_neighbors must be an integer from 1 to below the number of samples, {n_samples}; "
            f"got {n_neighbors!r}."
        )
    # The nearest of all is the sample itself.
    distances = KDTree(samples).query(samples, k=[n_neighbors + 1])[0]
    if not distances.all():
        return -math.inf
    log_volume = n_dims / 2 * math.log(math.pi) - gammaln(n_dims / 2 + 1)
    logs = float(np.log(distances).mean())
    return float(digamma(n_samples) - digamma(n_neighbors)) + log_volume + n_dims * logs
