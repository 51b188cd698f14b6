"""From texts to token ids.

In: CLIP's byte-pair encoding (`tokenizer`), SigLIP's SentencePiece (`sentencepiece`), prompt
templates (`templates`).
Not in: what a text tower does with the ids, which stands in `clipxai.model.towers`.
"""
