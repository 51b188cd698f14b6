"""What happens between an image and a text? The whole model as one picture, whose boxes open.

In: what is shown and said of it, on paper and in the browser.
Not in: how the numbers are found.
"""
