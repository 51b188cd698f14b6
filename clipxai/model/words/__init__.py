"""From texts to token ids.

In: CLIP's byte-pair encoding (`tokenizer`), SigLIP's SentencePiece (`sentencepiece`), those
of other text encoders (`library_tokenizer`, `open_clip_tokenizer`), what is done to a text first
(`cleaning`), prompt templates (`templates`).
Not in: what a text tower does with the ids, which stands in `clipxai.model.towers`.
"""
