"""Where will the map be? Painted first, then revealed.

In: what is asked, shown and scored, on paper and in the browser.
Not in: how to read a map that is there (`method_comparison`, `layer_attention`).
"""
