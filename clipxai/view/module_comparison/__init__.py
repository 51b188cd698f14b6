"""What did attention and FFN of every layer add to the match?

In: the viewer, its drawing on paper. Not in: how the shares are computed.
"""
