"""The networks: one block (`block`), and the towers made of it.

In: CLIP's ViT (`vit`), ResNet (`resnet`) and causal text tower (`text`), SigLIP's two (`siglip`).
Not in: checkpoints and their names for these tensors, which stand in `clipxai.model.files`.
"""
