"""Which word goes with which patch?

In: the viewer, its drawing on paper. Not in: which word mattered (`word_ranking`).
"""
