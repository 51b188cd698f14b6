"""Answers as numbers, with what it takes to read them. Only numpy: no torch, no model.

In: maps of one image for some texts (`explanation`), what was found inside (`findings`), arithmetic
on maps (`maps`), an explanation in a file (`npz`), how any file gets onto a disk (`writing`),
arrays that nobody else writes into (`owned`).
Not in: how answers are made (`clipxai.explainers`) or drawn (`clipxai.view`).
"""
