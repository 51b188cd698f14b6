"""Where is a text, and do methods agree about it?

In: the viewer, its drawing on paper. Not in: how maps are made.
"""
