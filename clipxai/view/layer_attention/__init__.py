"""Where does a patch look, layer by layer and head by head?

In: the viewer, its drawing on paper. Not in: how attention is read from a trace.
"""
