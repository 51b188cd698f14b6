"""What did attention and FFN of every layer add to the match?

In: what is shown and said of it, on paper and in the browser.
Not in: how the shares are computed.
"""
