"""Which part of CLIP Surgery turns the map over?

In: what is shown and said of the map after each part, and the block diagram of the two paths.
Not in: how the parts are put together (`clipxai.explainers.surgery_steps`).
"""
