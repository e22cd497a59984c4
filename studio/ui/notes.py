"""One sentence for each word a business user would not know; shown as help beside it."""

from __future__ import annotations

NOTES = {
    "accuracy": "The share of examples whose label is right.",
    "macro-F1": (
        "How well each label is told, averaged over the labels, so that a rare label "
        "counts as much as a common one; 1 is perfect."
    ),
    "precision": "Of the examples that got this label, the share that really have it.",
    "recall": "Of the examples that really have this label, the share that got it.",
    "F1": "Precision and recall in one figure; it is high only when both are.",
    "interval": (
        "Where the true figure lies with 95 % certainty, given how few or many examples "
        "it was measured on."
    ),
    "n": "How many examples the figure was measured on.",
    "majority": (
        "What you would get by always answering with the most common label; a classifier "
        "that is not above it is useless."
    ),
    "coverage": "The share of examples that got an answer at all.",
    "conflict": "The share of examples on which two rules say different labels.",
    "overlap": "The share of examples on which two rules or more have something to say.",
    "gold": (
        "The label that counts for an example: what a person decided, or what came with the file."
    ),
    "blind gold": (
        "A label a person gave without seeing what a model said, so it cannot have been influenced."
    ),
    "criterion": (
        "The promise of the task: the figure that must be reached before anybody relies "
        "on the classifier."
    ),
    "split": (
        "Train is learnt from, validation is used to choose, test is locked and only measured."
    ),
    "train": "Examples a model may learn from and prompts may show.",
    "validation": "Examples that choose between classifiers; nothing is learnt from them.",
    "test": "Examples kept aside until the end; every look at figures on them is counted.",
    "rationale": "An expert's reason for a label, in words.",
    "rule": "A rationale turned into something a computer can check.",
    "prompt": "The instructions a model reads before it labels a text.",
    "fine-tune": "Training a model on your own labeled examples.",
    "run": "One pass of one classifier over examples.",
    "slice": "A group of examples with something in common, such as all desserts.",
    "verdict": (
        "Go when even the low end of the interval reaches the criterion, no-go when even "
        "the high end misses it, else not yet."
    ),
    "test look": (
        "Each time somebody looks at figures on test, choosing by them makes the next "
        "figure a little too good."
    ),
    "confidence": "How sure the classifier is of its label, from 0 to 1.",
    "calibration error": (
        "How far confidence and the share that is right are apart on average; 0 means that of "
        "labels with a confidence of 0.8, eight in ten are right."
    ),
    "taken unseen": (
        "If nobody looks at labels from this confidence on: how many that would be, and how often "
        "they are right."
    ),
    "champion": "The classifier the task uses now.",
    "provider": (
        "The service that answers prompts and trains models; the embedded one runs on this machine."
    ),
    "price": "What a service charges for the pieces of words (tokens) it reads and writes.",
    "budget": "The most a run may spend; when it is reached, the run pauses and keeps its labels.",
    "batch": "Sent to the service in one piece: answered within a day, at a lower price.",
    "votes": (
        "This service does not tell how sure it is. Asked several times, with the labels in "
        "another order each time, the share of equal answers says so; it costs as many times."
    ),
    "alpha": (
        "How far people agree beyond what chance would give: 1 is full agreement, 0 is chance; "
        "from 0.8 on people mean the same, below 0.667 mostly not."
    ),
    "kappa": (
        "Agreement beyond chance, as alpha, by another formula: of Cohen for two people, of Fleiss "
        "for more."
    ),
    "same": (
        "How often two people give one example the same label; some of that is chance, most where "
        "one label is frequent."
    ),
    "Dawid-Skene": (
        "How often the person is likely right, as all labels together suggest where those count "
        "more who agree with others more often (Dawid-Skene); no gold is looked at."
    ),
    "worker": "The program in the background that labels and trains while you go on.",
}


def note(word: str) -> str:
    """Return the sentence that explains a word; a word without one is a bug.

    >>> note("n")
    'How many examples the figure was measured on.'
    """
    return NOTES[word]
