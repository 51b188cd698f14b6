"""What do all drawings share? The matplotlib side of the figures, as `browser/` is the other.

In: the sheet of paper (`page`) and the settings it is drawn under (`defaults`), how text stays
inside its panel (`lettering`), a map over its photo (`maps`), words ranked by signed bars
(`ranking`). Not in: what any one figure shows, which its room knows. matplotlib is loaded here at
once, so viewers import a drawing only when they draw.
"""
