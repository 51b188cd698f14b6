"""Parts of the stream, read out with the final norm held fixed, add up to what the tower says."""

import pytest
import torch

import clipxai as cx
from clipxai.trace.readout import FixedReadout, head_vectors


@torch.no_grad()
def test_parts_and_bias_add_up_in_the_joint_space(trace):
    readout = FixedReadout.of(trace)
    parts = [trace.residual(0)]
    for layer in range(len(trace.layers)):
        parts += [trace.attention_output(layer), trace.ffn_output(layer)]
    added = sum(readout.joint(part) for part in parts) + readout.bias
    torch.testing.assert_close(added, trace.image_tokens(normalize=False), rtol=1e-4, atol=1e-5)
    shares = sum(readout.share(part, trace.text_features) for part in parts)
    shares = shares + readout.share_of_bias(trace.text_features)
    torch.testing.assert_close(shares, trace.similarity(), rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_vectors_of_heads_are_what_the_attention_brought(trace):
    """Against the tower's own attention output, read out whole; the heads' biases left over."""
    readout = FixedReadout.of(trace, slice(1))
    for layer in (0, -1):
        tape, block = trace.layer(layer), trace.model.visual.blocks[layer]
        bias = block.linear_merge(tape.q).bias  # whatever the heads read
        whole = trace.attention_output(layer)[:, :1] - bias
        vectors = head_vectors(trace, layer)
        assert vectors.shape == (1, block.attn.heads, trace.text_features.shape[1])
        expected = readout.joint(whole)[:, 0]
        torch.testing.assert_close(vectors.sum(1), expected, rtol=1e-4, atol=1e-5)
    length = trace.image_tokens(normalize=False)[0, 0].norm()
    shares = cx.head_contributions(trace).heads.sum(-1)[-1]  # H T
    found = (vectors[0] @ trace.text_features.T / length).numpy()
    assert abs(found - shares).max() < 1e-5


def test_a_tower_without_class_token_or_blocks_says_so(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    with pytest.raises(ValueError, match="vectors of heads cannot .* requires transformer blocks"):
        head_vectors(trace, 0)
