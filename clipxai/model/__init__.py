"""What a CLIP is, and how one is opened.

In: the two towers and the block both are made of (`towers`), a model as a whole (`clip`), how
images become pixels (`image`) and texts become tokens (`words`), what people keep models in
(`files`). Not in: anything that explains. What happened in one forward pass is written down by
`clipxai.trace`.
"""
