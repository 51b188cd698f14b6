"""Which map would you believe, if nobody said whose it is?

In: what is shown and said of a ranking by eye, on paper and in the browser.
Not in: maps under their names (`method_comparison`).
"""
