"""Many images, large images, long runs.

In: where images lie (`places`, with `patterns`, `lists` and `shards`), reading them ahead
(`reading`), explaining them in batches (`batches`), each by its own text (`pairs`), a large image
window by window (`windows`); which files are written (`folders`), or a table in parts (`parts`),
what an interrupted run left (`journal`), what a long run says of itself (`telling`), how processes
share one (`processes`). Not in: measuring over data sets, which stands in `clipxai.measure`.
"""
