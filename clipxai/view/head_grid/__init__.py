"""What did every attention head bring to the match?

In: the viewer, its drawing on paper. Not in: how the shares are computed.
"""
