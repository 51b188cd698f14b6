"""Many images, large images, long runs.

In: images read ahead and explained in batches (`batches`), images with a text each (`pairs`), a
large image window by window (`windows`), which files a pattern names (`patterns`) and which are
written (`folders`), what an interrupted run left (`journal`). Not in: measuring over data sets,
which stands in `clipxai.measure`.
"""
