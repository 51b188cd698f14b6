"""Where does a patch look, layer by layer and head by head?

In: what is shown and said of it, on paper and in the browser.
Not in: how attention is read from a trace.
"""
