"""What speaks for one text, and what for another?

In: what is shown and said of a contrast, on paper and in the browser.
Not in: maps of several texts side by side (`method_comparison`).
"""
