"""What tests of the methods share: how to run the slow ones quickly, and how a test says which
method it proves.
"""

# pixels a side, for methods that take many forward passes
SMALL = dict.fromkeys(("occlusion", "rise", "gscorecam"), 64)
QUICK = {
    "integrated_gradients": {"steps": 2},
    "m2ib": {"steps": 2, "samples": 2},
    "gscorecam": {"channels": 8},
    "occlusion": {"window": 1},
    "rise": {"masks": 64},
}


def second_route(*methods):
    """This test compares the numbers of these methods with another way to compute them (or a "words
    of ..." side).
    """

    def mark(test):
        test.proves = methods
        return test

    return mark
