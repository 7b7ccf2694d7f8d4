"""The public call that answers every entry of a table of known values."""

import numpy as np
from scipy import stats

from treelearn import information as info

BASES = {"nats": None, "bits": 2, "bans": 10, "1": None}


def with_infinities(value):
    """Return a value in which the texts "inf" and "-inf" are numbers."""
    if isinstance(value, list):
        return [with_infinities(entry) for entry in value]
    return float(value) if value in ("inf", "-inf") else value


def distribution(inputs):
    """Return the distribution of an entry and what has to be said of it."""
    if "p" in inputs:
        return {"p": inputs["p"]}
    if "uniform_K" in inputs:
        return {"p": np.ones(inputs["uniform_K"]), "normalize": True}
    if "zipf_K" in inputs:
        return {"p": 1 / np.arange(1, inputs["zipf_K"] + 1), "normalize": True}
    key = "counts" if "counts" in inputs else "weights"
    return {"p": inputs[key], "normalize": True}


def bins(inputs):
    """Return the arguments of a calibration error."""
    return {
        "n_bins": inputs["n_bins"],
        "binning": inputs["binning"],
        "closed": inputs.get("closed", "left"),
    }


def gaussian(inputs, base):
    """Return the entropy of a normal distribution."""
    if "sigma" in inputs:  # whose square may underflow
        return info.distribution_entropy(stats.norm(scale=inputs["sigma"]), base)
    return info.gaussian_entropy(inputs["variance"], base)


def conditional_renyi(kind):
    """Return the answer of a conditional Renyi entropy."""
    return lambda inputs, base: info.conditional_renyi_entropy(
        inputs["joint_counts"], inputs["alpha"], kind, base, normalize=True
    )


def renyi_gain(kind):
    """Return the answer of a Renyi gain."""
    return lambda inputs, base: info.renyi_gain(
        inputs["children_counts"], inputs["alpha"], kind, base
    )


def family(make):
    """Return the answer of the entropy of a continuous family."""
    return lambda inputs, base: info.distribution_entropy(make(**inputs), base)


def from_counts(estimator):
    """Return the answer of an estimator."""
    return lambda inputs, base: info.entropy_from_counts(inputs["counts"], estimator, base)


ANSWERS = {
    "shannon_entropy": lambda i, base: info.entropy(**distribution(i), base=base),
    "entropy_from_logits": lambda i, base: info.entropy_from_logits(i["logits"], base),
    "binary_entropy": lambda i, base: info.binary_entropy(i["p"], base),
    "binary_entropy_from_logit": lambda i, base: info.binary_entropy_from_logit(i["logit"], base),
    "differential_entropy_gaussian": gaussian,
    "differential_entropy_mvn": lambda i, base: info.gaussian_entropy(i["cov"], base),
    "differential_entropy_uniform": family(lambda a, b: stats.uniform(a, b - a)),
    "differential_entropy_exponential": family(lambda rate: stats.expon(scale=1 / rate)),
    "differential_entropy_laplace": family(lambda scale: stats.laplace(scale=scale)),
    "differential_entropy_gamma": family(lambda shape, scale: stats.gamma(shape, scale=scale)),
    "differential_entropy_beta": family(stats.beta),
    "renyi_differential_entropy_gaussian": lambda i, base: info.renyi_gaussian_entropy(
        i["variance"], i["alpha"], base
    ),
    "maximum_entropy_mean_constraint": lambda i, base: (
        info.max_entropy_distribution(i["support"], i["mean"], base).entropy
    ),
    "maximum_entropy": lambda i, base: info.max_entropy(i["K"], base),
    "cross_entropy": lambda i, base: info.cross_entropy(i["p"], i["q"], base),
    "kl_divergence": lambda i, base: info.kl_divergence(i["p"], i["q"], base),
    "kl_divergence_gaussian": lambda i, base: info.kl_divergence_gaussian(
        i["mu_p"], i["sigma_p"] ** 2, i["mu_q"], i["sigma_q"] ** 2, base
    ),
    "renyi_divergence": lambda i, base: info.renyi_divergence(i["p"], i["q"], i["alpha"], base),
    "renyi_entropy": lambda i, base: info.renyi_entropy(
        **distribution(i), order=i["alpha"], base=base
    ),
    "renyi_entropy_from_logits": lambda i, base: info.renyi_entropy_from_logits(
        i["logits"], i["alpha"], base
    ),
    "tsallis_entropy": lambda i, base: info.tsallis_entropy(**distribution(i), order=i["q"]),
    "min_entropy": lambda i, base: info.min_entropy(**distribution(i), base=base),
    "hartley_entropy": lambda i, base: info.hartley_entropy(**distribution(i), base=base),
    "gini_impurity": lambda i, base: info.gini_impurity(**distribution(i)),
    "misclassification_impurity": lambda i, base: info.misclassification(**distribution(i)),
    "r_norm_entropy": lambda i, base: info.r_norm_entropy(**distribution(i), order=i["alpha"]),
    "mutual_information": lambda i, base: info.mutual_information(
        i["joint_counts"], base, normalize=True
    ),
    "conditional_entropy": lambda i, base: info.conditional_entropy(
        i["joint_counts"], base, normalize=True
    ),
    "information_gain": lambda i, base: info.information_gain(i["children_counts"], base),
    "gain_ratio": lambda i, base: info.gain_ratio(i["children_counts"]),
    "gini_gain": lambda i, base: info.gini_gain(i["children_counts"]),
    "tsallis_gain": lambda i, base: info.tsallis_gain(i["children_counts"], i["q"]),
    "renyi_gain_mean": renyi_gain("mean"),
    "renyi_gain_arimoto": renyi_gain("arimoto"),
    "renyi_gain_hayashi": renyi_gain("hayashi"),
    "conditional_renyi_arimoto": conditional_renyi("arimoto"),
    "conditional_renyi_jizba_arimitsu": conditional_renyi("jizba_arimitsu"),
    "information_bottleneck_tree_lagrangian": lambda i, base: info.bottleneck_lagrangian(
        i["joint_counts"], i["beta"], base
    ),
    "bits_per_dimension": lambda i, base: info.bits_per_dimension(
        i["nll_nats"], i["n_dims"], i.get("n_levels")
    ),
    "entropy_coding_bound_total_bits": lambda i, base: info.source_coding_bound(
        i["p"], i["n_symbols"], base=base
    ),
    "huffman_expected_length": lambda i, base: info.expected_code_length(
        i["p"], info.huffman_code_lengths(i["p"])
    ),
    "shannon_code_expected_length": lambda i, base: info.expected_code_length(
        i["p"], info.shannon_code_lengths(i["p"])
    ),
    "expected_calibration_error": lambda i, base: info.expected_calibration_error(
        i["confidences"], i["correct"], **bins(i)
    ),
    "squared_calibration_error_debiased": lambda i, base: info.squared_calibration_error(
        i["confidences"], i["correct"], **bins(i)
    ),
    "entropy_bonus_soft_value": lambda i, base: info.soft_value(i["q_values"], i["temperature"]),
    "entropy_regularised_objective": lambda i, base: info.policy_objective(
        i["policy"], i["q_values"], i["temperature"]
    ),
    "entropy_gradient_wrt_logit": lambda i, base: info.entropy_gradient(i["logits"])[i["index"]],
    "variance_impurity": lambda i, base: info.variance(i["y"]),
    "variance_reduction": lambda i, base: info.variance_reduction(i["left"], i["right"]),
    "gaussian_entropy_impurity": lambda i, base: info.gaussian_entropy_impurity(i["y"]),
    "gaussian_entropy_gain": lambda i, base: info.gaussian_entropy_gain(
        i["left"], i["right"], i["ridge"]
    ),
    "absolute_error_impurity": lambda i, base: info.absolute_error(i["y"]),
    "half_poisson_deviance_impurity": lambda i, base: info.half_poisson_deviance(i["y"]),
    "laplace_code_length": lambda i, base: info.laplace_code_length(i["counts"], base=base),
    "kt_code_length": lambda i, base: info.kt_code_length(i["counts"], base=base),
    "nml_code_length": lambda i, base: info.nml_code_length(i["counts"], base=base),
    "fayyad_irani_mdlp_threshold": lambda i, base: info.mdlp_threshold(
        i["children_counts"], base=base
    ),
    "entropy_miller_madow": from_counts("miller_madow"),
    "entropy_grassberger_2003": from_counts("grassberger"),
    "entropy_chao_shen": from_counts("chao_shen"),
    "entropy_jackknife": from_counts("jackknife"),
    "unbiased_gini": lambda i, base: info.unbiased_gini(i["counts"]),
}


def evaluate(name, inputs, unit):
    """Return the value of a measure.

    Parameters
    ----------
    name : str
        A name of ``tests/data/information_names.json``.
    inputs : dict
        One of its forms of input; "inf" and "-inf" stand for infinities.
    unit : {"nats", "bits", "bans", "1"}
        The unit of the value.

    Returns
    -------
    float
        The value.
    """
    inputs = {key: with_infinities(value) for key, value in inputs.items()}
    return float(ANSWERS[name](inputs, BASES[unit]))
