"""Which colours are the same in every figure, on paper and in the browser?

Okabe & Ito's and matplotlib's colours for data are elsewhere: `region_map`, `scales`.
"""

# signed bars: the hues of the diverging map, dark enough on white and on black
PLUS, MINUS = "#c9453c", "#3579b8"
# of 0…1: opacity of a map over a photo, brightness of what the model did not see
OPACITY, DIM = 0.6, 0.3
# around what is shown large
FRAME = "#e8590c"
# a line on any picture: this one, with a rim in the other
WHITE, RIM = "#ffffff", "#202020"
