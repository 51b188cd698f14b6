"""How did a text come by its mask?

In: what is shown and said of it, on paper and in the browser.
Not in: how it got it (`clipxai.tasks`).
"""
