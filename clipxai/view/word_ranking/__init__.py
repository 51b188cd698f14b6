"""Which word of a text mattered?

In: what is shown and said of it, on paper and in the browser.
Not in: where in the image a word is (`token_map`).
"""
