"""Rows whose label a simple classifier, trained on the other rows, is sure to be another.

After confident learning [Northcutt, Jiang, Chuang 2021, arXiv 1911.00068]: from out-of-fold odds
of a logistic regression on character n-grams; a row is doubted when its own label gets less than a
quarter of what this label's rows get on average, and the likeliest label at least its own average.
The published rule, any less than the average, doubts 34 of 80 correct rows and 16 of 250.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from forkpoint.data.near import asked_text, normalised
from forkpoint.data.row import Row

AGREEMENT = "label_agreement"  # the name of the part
FOLDS = 5
FEWEST_HOLDERS = 8  # rows of a label, so that each fold trains on some; rarer labels are trusted
FEWEST_ROWS = 200  # labelled rows; a classifier of fewer is often wrong itself
DOUBT = 0.25  # of the label's usual probability; on 650 bundled tickets with 15 or 30 % of labels
# exchanged 8 in 10 doubted rows are wrong, 6 in 10 wrong rows are doubted, of correct ones none
MOST_ROWS = 50_000  # labelled rows; beyond it the fit takes minutes and is left out
NGRAMS = (1, 4)  # characters, so that Chinese works
FEATURES = 2**13  # hashed n-grams: enough for thousands of rows, and a quick fit
LEAST = 0.05  # what is left of the score of the most doubted row
STRENGTH = 30.0  # inverse of the penalty: weak, since there are more n-grams than rows


def label_agreement(rows: Sequence[Row], labels: Mapping[str, int]) -> dict[int, float]:
    """Place -> how far its label is doubted, 0..1; rows that are not doubted are left out."""
    usual = [label for label, count in labels.items() if count >= FEWEST_HOLDERS]
    places = [place for place, row in enumerate(rows) if row.answer in usual]
    if len(usual) < 2 or not FEWEST_ROWS <= len(places) <= MOST_ROWS:
        return {}
    return _doubted(
        [normalised(asked_text(rows[place])) for place in places],
        [rows[place].answer for place in places],
        places,
    )


def _doubted(texts: Sequence[str], given: Sequence[str], places: Sequence[int]) -> dict[int, float]:
    import numpy as np

    probability_N_K, classes = _out_of_fold(texts, given)
    column = {label: place for place, label in enumerate(classes)}
    own_N = np.array([column[label] for label in given])
    mine_N = probability_N_K[np.arange(len(given)), own_N]
    usual_K = np.array([mine_N[own_N == k].mean() for k in range(len(classes))])
    best_N = probability_N_K.argmax(axis=1)
    sure_N = probability_N_K.max(axis=1) >= usual_K[best_N]
    doubted_N = sure_N & (best_N != own_N) & (mine_N < DOUBT * usual_K[own_N])
    share_N = np.clip(mine_N / np.maximum(usual_K[own_N], 1e-9), LEAST, 1.0)
    return {places[int(n)]: float(share_N[n]) for n in np.flatnonzero(doubted_N)}


def _out_of_fold(texts: Sequence[str], given: Sequence[str]) -> tuple[Any, list[str]]:
    """Probabilities of each label for each text by a classifier that did not see the text."""
    import numpy as np
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline

    counts = HashingVectorizer(
        analyzer="char", ngram_range=NGRAMS, n_features=FEATURES, alternate_sign=False, norm=None
    ).transform(texts)
    classes = sorted(set(given))
    labels_N = np.array([classes.index(label) for label in given])
    probability_N_K = np.zeros((len(texts), len(classes)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for train, held in folds.split(counts, labels_N):
        model = make_pipeline(
            TfidfTransformer(sublinear_tf=True),
            LogisticRegression(C=STRENGTH, max_iter=300),
        )
        model.fit(counts[train], labels_N[train])
        probability_N_K[np.ix_(held, model.classes_)] = model.predict_proba(counts[held])
    return probability_N_K, classes
