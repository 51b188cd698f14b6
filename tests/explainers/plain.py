"""CLIP's image tower written out from its weights, one image at a time: softmax, sums and matrix
products. Second routes stand on it, so nothing of clipxai runs here.
"""

import torch
import torch.nn.functional as F


def softmax_of(a, b, scale, bias=0.0):
    """softmax(a b^T scale + bias), rows that add up to one."""
    logits = a @ b.transpose(-1, -2) * scale + bias
    powers = (logits - logits.max(-1, keepdim=True).values).exp()
    return powers / powers.sum(-1, keepdim=True)


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


class PlainTower:
    """The embedded model's (ViT, GELU, 4 heads), or one like it."""

    def __init__(self, model, heads=4):
        self.heads = heads
        self.weights = {
            name.removeprefix("visual."): tensor.detach()
            for name, tensor in model.state_dict().items()
        }
        self.layers = sum(
            name.endswith("ln_1.weight") for name in self.weights if "text" not in name
        )

    def linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, x, name):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def embed(self, pixels):
        """Pixels (3, h, w) to the stream entering block 0, (N, D)."""
        kernel = self.weights["patch_embedding.weight"]
        side = kernel.shape[-1]
        patches = pixels.unfold(1, side, side).unfold(2, side, side)  # 3 gh gw side side
        patches = patches.permute(1, 2, 0, 3, 4).flatten(2).flatten(0, 1) @ kernel.flatten(1).T
        tokens = torch.cat([self.weights["class_embedding"][None], patches])
        return self.norm(tokens + self.weights["positions.table"], "ln_pre")

    def qkv(self, layer, stream):
        """(N, D) to queries, keys and values, (H, N, d) each."""
        normed = self.norm(stream, f"blocks.{layer}.ln_1")
        return [
            torch.stack(part.chunk(self.heads, -1))
            for part in self.linear(normed, f"blocks.{layer}.attn.qkv").chunk(3, -1)
        ]

    def merge(self, layer, mixed):
        """Heads (H, N, d) side by side, through the output projection."""
        return self.linear(torch.cat(list(mixed), -1), f"blocks.{layer}.attn.out")

    def ffn(self, layer, stream):
        hidden = self.linear(self.norm(stream, f"blocks.{layer}.ln_2"), f"blocks.{layer}.mlp.up")
        return self.linear(F.gelu(hidden), f"blocks.{layer}.mlp.down")

    def streams(self, pixels):
        """What enters every block, and what leaves the last: L + 1 tensors (N, D)."""
        found = [self.embed(pixels)]
        for layer in range(self.layers):
            q, k, v = self.qkv(layer, found[-1])
            between = found[-1] + self.merge(layer, softmax_of(q, k, q.shape[-1] ** -0.5) @ v)
            found.append(between + self.ffn(layer, between))
        return found

    def read_out(self, stream):
        return self.norm(stream, "ln_post") @ self.weights["projection"]
