"""Where is a text, and do methods agree about it?

In: what is shown and said of it, on paper and in the browser.
Not in: how maps are made.
"""
