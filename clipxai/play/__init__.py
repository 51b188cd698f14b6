"""The playground: the embedded model running in one web page, without a server or a network.

Here are the model in JavaScript (`engine`), the page around it (`page`), and what Python hands
them: weights, vocabulary, pictures, colours and words. What is not here: how maps are drawn, which
the page takes from `view`, and what the model computes, which `model` and `explainers` say; the
engine is tested against them number by number.
"""
