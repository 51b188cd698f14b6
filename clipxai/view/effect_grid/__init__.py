"""The figure of what a score loses without each head, module or word, beside what each added.

In: the viewer (`viewer`), its numbers (`content`), words (`sentences`) and page (`drawing`).
Not in: where effects come from, which is `clipxai.effects`.
"""
