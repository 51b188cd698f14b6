"""Many images, large images, long runs.

In: images read ahead and explained in batches (`batches`), a large image window by window
(`windows`), which files of a folder are written (`folders`), what an interrupted run left
(`journal`). Not in: measuring over data sets, which stands in `clipxai.measure`.
"""
