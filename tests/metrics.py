"""Whether our metrics are those of scikit-learn, scipy and numpy, which share no code with this project.

Reads a JSON list of statements, each what one of our functions was given and what it found, and writes a JSON list of the first
disagreement of each, null where there is none:

    measured    the trainer's metrics of scored pictures, with their intervals: the resamples' draws are given
    platt       the trainer's fit of temperature and bias
    operating   the device's rates at a threshold, with their intervals, at a prevalence

    python tests/metrics.py < statements.json
"""

import json
import sys
import warnings

import numpy as np
import sklearn
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

BINS = 15
TAILS = [0.025, 0.975]
# An interval is stated where this share of the resamples defines the number.
LEAST_DEFINED = 0.95
DECISION_POINT = 0.5


def defined(value):
    """None for what scikit-learn calls not a number."""
    return None if value is None or np.isnan(value) else float(value)


def statistics(case, weights):
    """The headline numbers of pictures with these weights, by our names."""
    kept = weights > 0
    labels, scores, logits, states = (case[key][kept] for key in ("labels", "scores", "logits", "states"))
    weights = weights[kept]
    positive, negative = labels == 1, labels == 0
    both = positive.any() and negative.any()
    called = (scores >= DECISION_POINT).astype(int)
    weighted = {"sample_weight": weights}
    if not len(labels):
        return {}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, called, labels=[0, 1], zero_division=np.nan, **weighted
    )

    def share(hit, among):
        return np.average(hit[among], weights=weights[among]) if among.any() else None

    found = {
        "auc": metrics.roc_auc_score(labels, logits, **weighted) if both else None,
        "average_precision": metrics.average_precision_score(labels, logits, **weighted) if positive.any() else None,
        "accuracy": metrics.accuracy_score(labels, called, **weighted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, called, **weighted) if both else None,
        "sensitivity": recall[1],
        "specificity": recall[0],
        "precision": precision[1],
        "negative_precision": precision[0],
        "f1": f1[1],
        "negative_f1": f1[0],
        "brier": metrics.brier_score_loss(labels, scores, pos_label=1, **weighted),
        "ece": expected_calibration_error(labels, scores, weights),
        "sensitivity_not_negative": share(states != "NEGATIVE", positive),
        "specificity_not_positive": share(states != "POSITIVE", negative),
        "refer_share": share(states == "REFER", np.ones(len(labels), bool)),
    }
    return {name: defined(value) for name, value in found.items()}


def expected_calibration_error(labels, scores, weights):
    error = 0.0
    for number in range(BINS):
        inside = (scores >= number / BINS) & (scores < (number + 1) / BINS)
        if inside.any():
            gap = np.average(labels[inside], weights=weights[inside]) - np.average(scores[inside], weights=weights[inside])
            error += weights[inside].sum() / weights.sum() * abs(gap)
    return error


def percentile_interval(value, resamples, patients):
    """The bootstrap's interval; where the resamples agree, Wilson's for a share of none or all of so many patients."""
    values = [resample for resample in resamples if resample is not None]
    if value is None or not values or len(values) < LEAST_DEFINED * len(resamples):
        return [None, None]
    low, high = np.quantile(values, TAILS)
    if high - low > 1e-9:
        return [low, high]
    if patients is None or min(value, 1 - value) > 1e-9:
        return [None, None]
    return list(binomtest(patients * round(value), patients).proportion_ci(0.95, "wilson"))


def denominators(case):
    """How many patients have a picture in the denominator of each share."""
    labels, called = case["labels"] == 1, case["scores"] >= DECISION_POINT
    everyone = np.ones(len(labels), bool)
    among = {
        "accuracy": everyone,
        "refer_share": everyone,
        "sensitivity": labels,
        "sensitivity_not_negative": labels,
        "specificity": ~labels,
        "specificity_not_positive": ~labels,
        "precision": called,
        "negative_precision": ~called,
    }
    return {name: len(set(case["patients"][rows])) for name, rows in among.items()}


def measured(given, found):
    """Pairs of what should be and what was found, with their names."""
    case = {key: np.array(given[key]) for key in ("labels", "scores", "logits", "states", "patients")}
    labels, scores, logits = case["labels"], case["scores"], case["logits"]
    ones = np.ones(len(labels), int)
    resamples = [np.array(draw)[case["patients"]] for draw in given["draws"]]
    values, drawn = statistics(case, ones), [statistics(case, weights) for weights in resamples]
    patients = denominators(case)
    for name, value in values.items():
        low, high = percentile_interval(value, [resample.get(name) for resample in drawn], patients.get(name))
        for part, expected in (("value", value), ("low", low), ("high", high)):
            yield f"{name} {part}", expected, found["statistics"][name][part]
    yield from report(labels, scores, found)
    yield from curves(labels, scores, logits, found)
    if resamples and found["roc_band"]:
        yield from band(labels, logits, resamples, found["roc_band"])


def report(labels, scores, found):
    called = (scores >= DECISION_POINT).astype(int)
    counts = metrics.confusion_matrix(labels, called, labels=[0, 1]).ravel()
    for name, count in zip(("true_negative", "false_positive", "false_negative", "true_positive"), counts):
        yield name, count, found["confusion"][name]
    ours, theirs = found["report"], metrics.classification_report(
        labels, called, labels=[0, 1], output_dict=True, zero_division=np.nan
    )
    for name, key in (("negative", "0"), ("positive", "1")):
        yield f"{name} support", theirs[key]["support"], ours[name]["support"]
    for name, key in (("macro_average", "macro avg"), ("weighted_average", "weighted avg")):
        for ours_key, theirs_key in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            # Ours is undefined where one class's entry is; scikit-learn leaves that class out.
            complete = not any(np.isnan(theirs[key][theirs_key]) for key in ("0", "1"))
            yield f"{name} {ours_key}", theirs[key][theirs_key] if complete else None, ours[name][ours_key]


def curves(labels, scores, logits, found):
    """The ROC curve, the precision-recall curve and the reliability diagram."""
    both = len(set(labels)) == 2
    theirs = np.transpose(metrics.roc_curve(labels, logits, drop_intermediate=False)[:2]) if both else []
    yield from points("roc", theirs, [[point["fpr"], point["tpr"]] for point in found["roc"]])
    theirs = []
    if labels.any():
        precision, recall, _ = metrics.precision_recall_curve(labels, logits)
        # Theirs begins where all are called positive, and ends with a point that no threshold has.
        theirs = np.transpose([recall, precision])[-2::-1]
    ours = [[point["recall"], point["precision"]] for point in found["precision_recall"]]
    yield from points("precision_recall", theirs, ours)
    shares, means = calibration_curve(labels, scores, n_bins=BINS, strategy="uniform", pos_label=1)
    filled = [[b["share_positive"], b["mean_score"]] for b in found["reliability"] if b["count"]]
    yield from points("reliability", np.transpose([shares, means]), filled)
    counts, edges = np.histogram(scores, bins=BINS, range=(0, 1))
    yield from points("reliability count", counts[:, None], [[b["count"]] for b in found["reliability"]])
    yield from points("reliability edge", edges[1:, None], [[b["to"]] for b in found["reliability"]])


def points(name, theirs, ours):
    yield f"{name} length", len(theirs), len(ours)
    for number, (theirs, ours) in enumerate(zip(theirs, ours)):
        for expected, value in zip(theirs, ours):
            yield f"{name} {number}", expected, value


def band(labels, logits, resamples, found):
    rates = np.array([point["fpr"] for point in found])
    yield from points("roc_band fpr", np.linspace(0, 1, 101)[:, None], rates[:, None])
    rows = []
    for weights in resamples:
        if len(set(labels[weights > 0])) == 2:
            fpr, tpr, _ = metrics.roc_curve(labels, logits, sample_weight=weights, drop_intermediate=False)
            rows.append(np.interp(rates, fpr, tpr))
    ends = np.quantile(np.array(rows), TAILS, axis=0).T
    yield from points("roc_band", ends, [[point["low"], point["high"]] for point in found])


def platt(given, found):
    """Platt's smoothed targets are the same as each picture twice, once with either label, weighted."""
    logits, labels = np.array(given["logits"]), np.array(given["labels"])
    positives, negatives = labels.sum(), (1 - labels).sum()
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000, solver="newton-cholesky")
    twice = np.concatenate([np.ones(len(logits), int), np.zeros(len(logits), int)])
    model.fit(np.tile(logits, 2)[:, None], twice, sample_weight=np.concatenate([targets, 1 - targets]))
    yield "slope", model.coef_[0, 0], 1 / found["temperature"]
    yield "bias", model.intercept_[0], found["bias"]


def operating(given, found):
    """Wilson's intervals; predictive values by precision with the classes weighted to the prevalence."""
    tp, fn, fp, tn = (given[key] for key in ("true_positives", "false_negatives", "false_positives", "true_negatives"))
    prevalence = given["prevalence"]
    for name, count, total in (("sensitivity", tp, tp + fn), ("specificity", tn, tn + fp)):
        low, high = binomtest(count, total).proportion_ci(0.95, "wilson")
        for part, expected in (("estimate", count / total), ("low", low), ("high", high)):
            yield f"{name} {part}", expected, found[name][part]

    def predictive(sensitivity, specificity):
        """PPV and NPV of a world of four kinds of people."""
        ill, well = prevalence, 1 - prevalence
        weights = [ill * sensitivity, ill * (1 - sensitivity), well * (1 - specificity), well * specificity]
        values = metrics.precision_score(
            [1, 1, 0, 0], [1, 0, 1, 0], labels=[1, 0], average=None, sample_weight=weights, zero_division=np.nan
        )
        return [defined(value) for value in values]

    bounds = [binomtest(*pair).proportion_ci(0.975, "wilson") for pair in ((tp, tp + fn), (tn, tn + fp))]
    estimate = predictive(tp / (tp + fn), tn / (tn + fp))
    low, high = (predictive(bounds[0][end], bounds[1][end]) for end in (0, 1))
    for number, name in enumerate(("ppv", "npv")):
        ours = found.get(name)
        yield f"{name} given", estimate[number] is not None, ours is not None
        for part, expected in (("estimate", estimate), ("low", low), ("high", high)):
            if ours and expected[number] is not None:
                yield f"{name} {part}", expected[number], ours[part]


# By kind: what computes the pairs, and how near they must be. Ours are f32 in a fit and in a band, and Newton's steps end at 1e-10.
KINDS = {"measured": (measured, 1e-7), "platt": (platt, 1e-4), "operating": (operating, 1e-9)}


def disagreement(statement):
    compare, tolerance = KINDS[statement["kind"]]
    for name, expected, found in compare(statement["given"], statement["found"]):
        expected = defined(expected)
        same = expected is found if None in (expected, found) else abs(expected - found) <= tolerance * max(1, abs(expected))
        if not same:
            return f"{name}: expected {expected}, found {found}"
    return None


if __name__ == "__main__":
    # A class may be absent on purpose; what is undefined is compared as such.
    warnings.filterwarnings("ignore")
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    json.dump([disagreement(statement) for statement in json.load(sys.stdin)], sys.stdout)
