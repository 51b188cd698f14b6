"""Which class did every pixel get?

In: the viewer, its drawing on paper. Not in: how it got it (`clipxai.tasks`).
"""
