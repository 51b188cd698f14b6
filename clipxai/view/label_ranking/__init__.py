"""Which of many labels does the image show, and why this one and not that?

In: what is shown and said of labels that were recognised, on paper and in the browser.
Not in: a contrast by itself (`contrast_map`), maps of all texts side by side (`method_comparison`).
"""
