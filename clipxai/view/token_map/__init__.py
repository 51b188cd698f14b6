"""Which word goes with which patch?

In: what is shown and said of it, on paper and in the browser.
Not in: which word mattered (`word_ranking`).
"""
