"""How a model from outside becomes ours: `load` in `checkpoints`, and what it needs.

In: names on the hub (`hub`), files of strangers, read without running them (`untrusted`), modules
in memory (`in_memory`), other libraries' names for our tensors (`layouts`).
Not in: the networks themselves, which stand in `clipxai.model.towers`.
"""
