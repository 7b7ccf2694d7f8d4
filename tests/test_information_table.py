"""Known values of every measure, found in arithmetic of a thousand digits."""

import json
import math
from pathlib import Path

import pytest
from oracle_table import ANSWERS, evaluate

DATA = Path(__file__).parent / "data"
VALUES = json.loads((DATA / "information_values.json").read_text())
NAMES = json.loads((DATA / "information_names.json").read_text())

# A difference of entropies has the rounding of the entropies, whatever is left of them.
SUBTRACTIVE = {"renyi_gain_mean", "renyi_gain_arimoto", "renyi_gain_hayashi", "tsallis_gain"}

# An input of every form that a name may have and the table of values lacks.
P, COUNTS, TABLE = [0.5, 0.25, 0.25], [4, 2, 2], [[3, 1], [1, 3]]
EXAMPLES = {
    "a": 1.0,
    "alpha": 2.0,
    "b": 2.0,
    "beta": 3.0,
    "binning": "equal_mass",
    "children_counts": TABLE,
    "closed": "right",
    "confidences": [0.25, 0.5, 0.75, 1.0],
    "correct": [0, 1, 1, 1],
    "counts": COUNTS,
    "cov": [[2.0, 0.5], [0.5, 1.0]],
    "index": 0,
    "joint_counts": TABLE,
    "K": 8,
    "left": [0.0, 1.0],
    "logit": 0.5,
    "logits": [1.0, 0.0, "-inf"],
    "mean": 1.25,
    "mu_p": 0.5,
    "mu_q": -0.5,
    "n_bins": 2,
    "n_dims": 10,
    "n_levels": 256,
    "n_symbols": 100,
    "nll_nats": 20.0,
    "p": P,
    "policy": P,
    "q": [0.25, 0.5, 0.25],
    "q_values": [1.0, 0.0, -1.0],
    "rate": 2.0,
    "ridge": 0.5,
    "right": [2.0, 4.0],
    "scale": 2.0,
    "shape": 3.0,
    "sigma": 2.0,
    "sigma_p": 1.0,
    "sigma_q": 2.0,
    "support": [0, 1, 2, 3],
    "temperature": 0.5,
    "uniform_K": 1000,
    "variance": 4.0,
    "weights": [2.0, 1.0, 1.0],
    "y": [1.0, 2.0, 6.0],
    "zipf_K": 10,
}
# Names in whose inputs a key means something else.
SPECIAL = {
    "binary_entropy": {"p": 0.25},
    "tsallis_entropy": {"q": 3.0},
    "tsallis_gain": {"q": 3.0},
}
FORMS = [
    (entry["name"], tuple(form), unit)
    for entry in NAMES
    for form in entry["inputs"]
    for unit in entry["units"]
]


@pytest.mark.parametrize(
    "entry", VALUES, ids=lambda entry: f"{entry['name']}-{json.dumps(entry['inputs'])[:50]}"
)
def test_value(entry):
    value = float(entry["value"])
    found = evaluate(entry["name"], entry["inputs"], entry["unit"])
    if entry["name"] in SUBTRACTIVE:
        assert found == pytest.approx(value, rel=0, abs=1e-13)
    elif 0 < abs(value) < 1e-200:
        assert found == pytest.approx(value, rel=1e-10, abs=0)
    else:
        assert found == pytest.approx(value, rel=1e-12, abs=0)


def test_the_table_is_whole():
    assert len(VALUES) == 72
    assert {entry["name"] for entry in VALUES} <= set(ANSWERS)
    assert {entry["name"] for entry in NAMES} == set(ANSWERS)


@pytest.mark.parametrize(("name", "form", "unit"), FORMS)
def test_every_form_has_an_answer(name, form, unit):
    inputs = {key: EXAMPLES[key] for key in form} | SPECIAL.get(name, {})
    found = evaluate(name, inputs, unit)
    assert math.isfinite(found)
    if unit in ("bits", "bans") and "nats" in next(e["units"] for e in NAMES if e["name"] == name):
        per_unit = {"bits": math.log(2), "bans": math.log(10)}[unit]
        assert found * per_unit == pytest.approx(evaluate(name, inputs, "nats"), rel=1e-14)


def test_equivalent_forms_agree():
    for name, order in (("shannon_entropy", {}), ("renyi_entropy", {"alpha": 3.0})):
        values = [
            evaluate(name, {key: EXAMPLES[key], **order}, "bits")
            for key in ("p", "counts", "weights")
        ]
        assert values == pytest.approx([values[0]] * 3, rel=1e-15)
    assert evaluate("tsallis_entropy", {"counts": COUNTS, "q": 2}, "1") == evaluate(
        "gini_impurity", {"counts": COUNTS}, "1"
    )
    assert evaluate("gini_impurity", {"uniform_K": 1000}, "1") == pytest.approx(0.999, rel=1e-15)
