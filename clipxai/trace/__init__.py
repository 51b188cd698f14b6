"""One forward pass, written down, and parts of it run again.

In: `record` (`record`) and the `Trace` it returns (`trace`), made of what the two towers did
(`sides`); the same pass without a part, or with another's (`ablate`): words become `rules`,
these `edits`, which every run obeys, and the pass runs again (`rerun`); gradients through a
recorded pass (`replay`); the read-out with its norm held fixed, so that the parts of a stream add
up (`readout`).
Not in: questions to a trace, which stand in `clipxai.explainers`.
"""
