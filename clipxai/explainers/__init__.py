"""Questions to a trace: every method, and what is found inside a model.

In: the verbs (`explain`: start there), the table of methods (`table`) and its rows, one equation
each; CLIP Surgery's two repairs (`surgery`, with its switches in `presets`) and the ways to mix
tokens (`mixing`); attention and modules layer by layer (`layers`), the whole way from image to text
(`overview`), the parts of the surgery one by one (`surgery_steps`), sinks (`sinks`); what the score
would be without each part (`effects`, its `effect_parts` and `effect_estimates`) and what a head is
for (`head_names`).
Not in: what the answers mean as numbers (`clipxai.results`), or how they are drawn
(`clipxai.view`). Methods do not import one another.
"""
