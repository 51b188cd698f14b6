"""Which pieces should a small model spell words in? Byte-pair merges learned from captions; any
other text still goes byte by byte.
"""

from collections import Counter
from collections.abc import Iterable

from ..model.words.tokenizer import byte_alphabet, merge_pair, split_words


def learn_merges(texts: Iterable[str], merges: int) -> list[tuple[str, str]]:
    """The `merges` most frequent pairs, one after the other (Sennrich et al. 2016, algorithm 1);
    ties by spelling, so repeatable.
    """
    counts = Counter(word for text in texts for word in split_words(text))
    alphabet = byte_alphabet()
    spelled = {word: [*(alphabet[byte] for byte in word.encode("utf-8"))] for word in counts}
    for pieces in spelled.values():
        pieces[-1] += "</w>"
    learned: list[tuple[str, str]] = []
    while len(learned) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in spelled.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        learned.append(best)
        spelled = {word: merge_pair(pieces, best) for word, pieces in spelled.items()}
    return learned
