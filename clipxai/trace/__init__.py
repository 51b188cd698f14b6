"""One forward pass, written down, and parts of it run again.

In: `record` and what it returns (`trace`), gradients through a recorded pass (`replay`).
Not in: questions to a trace, which stand in `clipxai.explainers`.
"""
