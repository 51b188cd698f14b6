"""What does a map become while a model learns?

In: what is shown and said of maps after every so many steps, on paper and in the browser.
Not in: how a model learns (`scenes.learning`).
"""
