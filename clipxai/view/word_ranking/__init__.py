"""Which word of a text mattered?

In: the viewer, its drawing on paper. Not in: where in the image a word is (`token_map`).
"""
