"""Muon (Jordan et al. 2024) for the layers' matrices: momentum whose singular values are all set near one."""

import torch


class Muon(torch.optim.Optimizer):
    """Matrices of one shape are treated as one batch. `rate` is a tensor, so that a recorded step can follow a schedule."""

    def __init__(self, matrices, rate, momentum=0.95):
        super().__init__(matrices, {})
        self.rate, self.momentum = rate, momentum
        shapes = {}
        for matrix in self.param_groups[0]["params"]:
            shapes.setdefault(matrix.shape, []).append(matrix)
        self.batches = [(parts, torch.zeros(len(parts), *shape, device=parts[0].device)) for shape, parts in shapes.items()]

    @torch.no_grad()
    def step(self):
        for parts, buffer in self.batches:
            gradient = torch.stack([part.grad for part in parts])
            buffer.lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp(buffer, self.momentum)) * max(1.0, buffer.shape[1] / buffer.shape[2]) ** 0.5
            torch._foreach_sub_(parts, list((update * self.rate).unbind()))


def orthogonal(matrices):
    """Five quintic Newton-Schulz steps, in bf16, over a batch of matrices [B, rows, columns]."""
    x = matrices.bfloat16()
    wide = x if x.shape[1] <= x.shape[2] else x.transpose(1, 2)
    wide = wide / (wide.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        square = wide @ wide.transpose(1, 2)
        wide = 3.4445 * wide + (-4.7750 * square + 2.0315 * (square @ square)) @ wide
    return (wide if x.shape[1] <= x.shape[2] else wide.transpose(1, 2)).float()
