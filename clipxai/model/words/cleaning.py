"""What is done to a text before it is cut into pieces? Mended Unicode, resolved HTML entities, and,
by the model, single spaces, lower case, no punctuation.

Reference: the clean_type of open_clip's tokenizers, the first of which is OpenAI's.
"""

import html
import string
from collections.abc import Callable

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def mended(text: str) -> str:
    """Mended Unicode, HTML entities resolved (twice, as OpenAI does), single spaces."""
    if not (text.isascii() and text.isprintable() and "&" not in text):
        # takes longer to load than the rest of this package together, so it waits until a text
        # comes in which it could find something to mend
        import ftfy

        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split())


def clean(text: str) -> str:
    """`mended`, in lower case.

    Examples
    --------
    >>> clean("A  caf\\u00c3\\u00a9 &amp;amp; a dog")
    'a café & a dog'
    """
    return mended(text).lower()


def canonical(text: str) -> str:
    """`mended`, in lower case, without punctuation; "_" is a space.

    Examples
    --------
    >>> canonical("A dog's-eye_view, please!")
    'a dogseye view please'
    """
    return " ".join(mended(text).replace("_", " ").translate(NO_PUNCTUATION).lower().split())


# by the names that open_clip's configs have for them
CLEANING: dict[str, Callable[[str], str]] = {
    "lower": clean,
    "whitespace": mended,
    "canonicalize": canonical,
}
