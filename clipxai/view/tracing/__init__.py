"""The figure of when what matters is where: what every patch, token or word is worth, by layer.

In: the viewer (`viewer`), its numbers (`content`), words (`sentences`) and page (`drawing`).
Not in: where effects come from, which is `clipxai.effects`; effects of heads and modules
(`effect_grid`).
"""
