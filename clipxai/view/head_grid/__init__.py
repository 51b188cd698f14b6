"""What did every attention head bring to the match?

In: what is shown and said of it, on paper and in the browser.
Not in: how the shares are computed.
"""
