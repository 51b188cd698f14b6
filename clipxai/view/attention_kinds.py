"""What are the kinds of attention called: which vectors are compared with which?"""

KINDS = {
    "qk": ("q-k", "queries with keys, the model's own attention"),
    "vv": ("v-v", "values with values, which CLIP Surgery puts in its place"),
    "qq": ("q-q", "queries with queries"),
    "kk": ("k-k", "keys with keys"),
}


def label(kind: str) -> str:
    """A kind of attention as people write it: q-k for "qk"."""
    return KINDS.get(kind, (kind, ""))[0]


def meaning(kind: str) -> str:
    """What a kind of attention compares; empty for one that has no name here."""
    return KINDS.get(kind, (kind, ""))[1]
