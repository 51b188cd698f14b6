"""How a model from outside becomes ours: `load` in `checkpoints`, and what it needs.

In: where a checkpoint lies (`locating`, `hub`); files of strangers, read without running them
(`untrusted`, and a file per kind: `safe_tensors`, `pickled`, `torchscript`); modules in memory
(`in_memory`); whose names the tensors have and which sizes the model (`tensor_names`, `sizes`, and
a file per source: `hugging_face`, `open_clip`, `openai`); how tensors are checked and copied
(`filling`); vocabulary and colours (`companions`); and the way back, to a folder (`saving`).
Not in: the networks themselves, which stand in `clipxai.model.towers`.
"""
